/**
 * A text message of at most two segments. What does not fit is left out, from the least needed to
 * the most: a long name is cut, then the link, the notes and the amounts go. The code stays, always:
 * people answer with it, and an earlier attempt is found by it (A4).
 */
import { isWorded, type ThresholdFacts } from '../domain/alert/facts.js';
import { describeAlert, oneLine } from './alert-title.js';
import type { AlertView } from './channel.js';
import { toSmsText } from './sms-alphabet.js';
import { measureSms } from './sms-segments.js';

export const SEGMENT_LIMIT = 2;

interface Shape {
  readonly name: number;
  readonly link: boolean;
  readonly notes: boolean;
  readonly amounts: boolean;
}

/** Richest first. The last one fits whatever the facts are. */
const SHAPES: readonly Shape[] = [
  { name: 80, link: true, notes: true, amounts: true },
  { name: 30, link: true, notes: true, amounts: true },
  { name: 30, link: true, notes: false, amounts: true },
  { name: 80, link: false, notes: true, amounts: true },
  { name: 30, link: false, notes: true, amounts: true },
  { name: 30, link: false, notes: false, amounts: true },
  { name: 20, link: false, notes: false, amounts: false },
];

interface NoticeShape {
  readonly title: number;
  readonly body: number;
  readonly link: boolean;
}

/** The last one fits, whatever alphabet its title needs. */
const NOTICE_SHAPES: readonly NoticeShape[] = [
  { title: 150, body: 150, link: true },
  { title: 80, body: 80, link: true },
  { title: 150, body: 0, link: true },
  { title: 80, body: 0, link: true },
  { title: 150, body: 0, link: false },
  { title: 80, body: 0, link: false },
];

/** The text of the message. */
export function renderSms(view: AlertView): string {
  const { facts } = view;
  const texts = isWorded(facts)
    ? NOTICE_SHAPES.map((shape) => noticeText(view, shape))
    : SHAPES.map((shape) => shapeText({ ...view, facts }, shape));
  const fitting = texts.find((text) => measureSms(text).segments <= SEGMENT_LIMIT);
  return fitting ?? texts.at(-1) ?? '';
}

function noticeText(view: AlertView, shape: NoticeShape): string {
  const { title, body = '', link } = describeAlert(view);
  const withLink = shape.link;
  const said = shape.body === 0 ? '' : cut(toSmsText(oneLine(body, 1_000)), shape.body);
  return [
    `${view.facts.priority.toUpperCase()}: ${cut(toSmsText(title), shape.title)}.`,
    ...(said === '' ? [] : [said]),
    ...(withLink ? [link] : []),
    `Ref ${view.code}`,
  ].join('\n');
}

function shapeText(view: AlertView & { readonly facts: ThresholdFacts }, shape: Shape): string {
  const { facts } = view;
  const agentName = cut(toSmsText(facts.agentName), shape.name) || 'an agent';
  const { title, lines, notes, link } = describeAlert({ ...view, facts: { ...facts, agentName } });
  const valueOf = (label: string): string =>
    lines.find((line) => line.label === label)?.value ?? '';
  return [
    `${facts.priority.toUpperCase()}: ${title}.`,
    ...(shape.amounts ? [`Spent ${valueOf('Spent')} of ${valueOf('Budget')}.`] : []),
    ...(shape.notes ? notes : []),
    ...(shape.link ? [link] : []),
    `Ref ${view.code}`,
  ].join('\n');
}

/** Three dots: the ellipsis is not in GSM-7. */
function cut(text: string, limit: number): string {
  const points = Array.from(text);
  if (points.length <= limit) return text;
  return `${points
    .slice(0, limit - 3)
    .join('')
    .trimEnd()}...`;
}

/** The code of a rendered message, to find it again; undefined where it is none of ours. */
export function codeOf(text: string): string | undefined {
  return /\nRef ([0-9A-Z]+)$/.exec(text)?.[1];
}
