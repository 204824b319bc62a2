/**
 * P3. A digest's mail: what waited, agent by agent, and how to have no more of them. Only what the
 * ledger holds is in it: no address, and the same bytes whenever it is rendered of the same items.
 */
import { alertSummary } from '../domain/alert/details.js';
import { isWorded, type AlertFacts } from '../domain/alert/facts.js';
import type { RenderedMessage } from '../domain/alert/message.js';
import { formatUtcMinute } from '../domain/civil.js';
import type { DigestPace } from '../domain/digest/state.js';
import { isZone, localOf } from '../domain/period.js';
import { oneLine } from './alert-title.js';
import { escapeHtml, type EmailContent } from './email-message.js';

export interface DigestEntry {
  readonly alertId: string;
  readonly at: number;
  readonly facts?: AlertFacts;
  readonly title?: string;
}

export interface DigestView {
  readonly cadence: DigestPace;
  readonly zone: string;
  /** Of the claim, epoch ms: the mail's own date. */
  readonly at: number;
  /** All of them; `items` are the newest. */
  readonly total: number;
  readonly items: readonly DigestEntry[];
  readonly alertUrl: (alertId: string) => string;
  readonly unsubscribeUrl: string;
}

interface Line {
  readonly title: string;
  readonly time: string;
  readonly link: string;
}

interface Group {
  readonly agent: string;
  readonly lines: Line[];
}

const TITLE_LIMIT = 150;
const NAME_LIMIT = 80;

/** As the email channel sends it. */
export function renderDigest(view: DigestView): RenderedMessage {
  return { body: JSON.stringify(digestContent(view)), contentType: 'application/json' };
}

export function digestContent(view: DigestView): EmailContent {
  const { cadence, total, unsubscribeUrl } = view;
  const count = `${String(total)} ${total === 1 ? 'alert' : 'alerts'} of low priority`;
  const subject = `[DIGEST] ${count}`;
  const groups = groupsOf(view);
  const rest = total - view.items.length;
  const more =
    rest > 0
      ? `These are the newest ${String(view.items.length)} of ${String(total)}: the list of ` +
        'alerts has the other ones (kavach alerts).'
      : undefined;
  const parts = { heading: `${count}, ${cadence}`, groups, more, unsubscribeUrl };
  return {
    ...{ subject, html: renderHtml(parts), text: renderText(parts) },
    date: new Date(view.at).toISOString(),
    unsubscribe: unsubscribeUrl,
  };
}

/** Agents in the order of their newest alert. */
function groupsOf({ items, zone, alertUrl }: DigestView): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { alertId, at, facts, title } of items) {
    const agent = oneLine(facts?.agentName ?? '', NAME_LIMIT) || 'An agent';
    const group = groups.get(agent) ?? { agent, lines: [] };
    groups.set(agent, group);
    group.lines.push({
      title: oneLine(title ?? titleOf(facts), TITLE_LIMIT),
      time: localMinute(zone, at),
      link: alertUrl(alertId),
    });
  }
  return [...groups.values()];
}

function titleOf(facts: AlertFacts | undefined): string {
  if (facts === undefined) return 'An alert whose records are gone';
  if (isWorded(facts)) return facts.title;
  // The summary reads nothing else of an alert.
  return alertSummary({ facts } as Parameters<typeof alertSummary>[0]);
}

/** `2026-11-21 12:34`, by the clock of whoever reads it. */
function localMinute(zone: string, at: number): string {
  const local = localOf(isZone(zone) ? zone : 'UTC', at);
  return formatUtcMinute(local).slice(0, 16);
}

interface Parts {
  readonly heading: string;
  readonly groups: readonly Group[];
  readonly more: string | undefined;
  readonly unsubscribeUrl: string;
}

function renderText({ heading, groups, more, unsubscribeUrl }: Parts): string {
  const blocks = groups.map(({ agent, lines }) =>
    [
      `${agent} (${String(lines.length)})`,
      ...lines.map(({ title, time, link }) => `  ${time}  ${title}\n    ${link}`),
    ].join('\n'),
  );
  const foot = `To have no more digests: ${unsubscribeUrl}`;
  return [heading, ...blocks, ...(more === undefined ? [] : [more]), foot, ''].join('\n\n');
}

function renderHtml({ heading, groups, more, unsubscribeUrl }: Parts): string {
  const item = ({ title, time, link }: Line): string =>
    `<li style="padding:2px 0"><span style="color:#666">${escapeHtml(time)}</span> ` +
    `<a href="${escapeHtml(link)}">${escapeHtml(title)}</a></li>`;
  return [
    '<!doctype html>',
    '<html lang="en"><body style="font-family:sans-serif;font-size:15px;color:#222">',
    `<h1 style="font-size:18px">${escapeHtml(heading)}</h1>`,
    ...groups.flatMap(({ agent, lines }) => [
      `<h2 style="font-size:15px">${escapeHtml(agent)} (${String(lines.length)})</h2>`,
      '<ul style="padding-left:18px">',
      ...lines.map(item),
      '</ul>',
    ]),
    ...(more === undefined ? [] : [`<p>${escapeHtml(more)}</p>`]),
    `<p style="color:#666"><a href="${escapeHtml(unsubscribeUrl)}">Have no more digests</a></p>`,
    '</body></html>',
    '',
  ].join('\n');
}
