/** The one view model of an alert's words: every channel sets these in its own markup, unescaped. */
import type { Cadence, Dimension } from '../domain/words.js';
import { onOneLine } from '../domain/plain-text.js';
import { renderTemplate, templateVariables } from '../domain/template.js';
import type { NoticeWords } from '../domain/alert/agent-notice.js';
import { isWorded, type WordedFacts, type ThresholdFacts } from '../domain/alert/facts.js';
import type { AlertView } from './channel.js';

export interface AlertText {
  readonly title: string;
  readonly lines: readonly { readonly label: string; readonly value: string }[];
  /** What an agent has to say, in lines of its own; only its notices have one. */
  readonly body?: string;
  /** Whole sentences about what is unusual; often none. */
  readonly notes: readonly string[];
  readonly link: string;
}

/** Longest name that is shown: a title must stay one line on a phone. */
const NAME_LIMIT = 80;
const TITLE_LIMIT = 150;
/** Slack takes ten fields a section. */
const LINES_LIMIT = 10;

const CADENCE_WORDS: Readonly<Record<Cadence, string>> = {
  run: 'per-run',
  hourly: 'hourly',
  daily: 'daily',
  weekly: 'weekly',
  monthly: 'monthly',
  total: 'total',
};

const DIMENSION_WORDS: Readonly<Record<Dimension, string>> = {
  cost: 'cost',
  tokens_total: 'token',
  calls: 'call',
  duration: 'run time',
};

const STATE_WORDS: Readonly<Record<AlertView['state'], string>> = {
  firing: '',
  acknowledged: 'Acknowledged: ',
  resolved: 'Resolved: ',
};

export function describeAlert(view: AlertView): AlertText {
  const { facts, state, words } = view;
  if (words !== undefined) return describeWords(view, words);
  if (isWorded(facts)) return describeNotice({ ...view, facts });
  const name = oneLine(facts.agentName, NAME_LIMIT);
  const budget = `${CADENCE_WORDS[facts.cadence]} ${DIMENSION_WORDS[facts.dimension]} budget`;
  const passed = `passed ${formatThreshold(facts.thresholdBps)} of its ${budget}`;
  const variables = templateVariables(facts, view.dashboardUrl);
  const line = (label: string, template: string) => ({
    label,
    value: oneLine(
      renderTemplate(template, variables, (value) => value),
      200,
    ),
  });
  return {
    title: `${STATE_WORDS[state]}${name} ${passed}`,
    lines: [
      line('Spent', '{spent_fmt} ({pct}%)'),
      line('Budget', '{budget_fmt}'),
      line('Remaining', '{remaining_fmt}'),
      line('Resets', '{resets_at}'),
    ],
    notes: notesOf(facts, state),
    link: view.dashboardUrl,
  };
}

/** A notice has no end that anybody waits for, so its state is not said. */
function describeNotice({
  facts,
  state,
  dashboardUrl: link,
}: AlertView & { readonly facts: WordedFacts }): AlertText {
  const { kind, title, lines } = facts;
  return {
    title: `${kind === 'rule' ? STATE_WORDS[state] : ''}${oneLine(title, TITLE_LIMIT)}`,
    lines: lines.slice(0, LINES_LIMIT).map(({ label, value }) => ({
      label: oneLine(label, NAME_LIMIT),
      value: oneLine(value, 200),
    })),
    notes: [],
    link,
  };
}

/** An agent's notice: its own title and body, and what it gave along, one line each. */
function describeWords(
  { facts, dashboardUrl: link }: AlertView,
  { title, body, metadata = {} }: NoticeWords,
): AlertText {
  const given = Object.entries(metadata).slice(0, LINES_LIMIT - 1);
  return {
    title: oneLine(title, TITLE_LIMIT),
    ...(body.trim() === '' ? {} : { body: severalLines(body) }),
    lines: [['Agent', facts.agentName] as const, ...given].map(([label, value]) => ({
      label: oneLine(label, NAME_LIMIT),
      value: oneLine(typeof value === 'string' ? value : JSON.stringify(value), 200),
    })),
    notes: [],
    link,
  };
}

function notesOf(facts: ThresholdFacts, state: AlertView['state']): string[] {
  const notes: string[] = [];
  if (state === 'resolved') notes.push('This alert is over. Nothing needs to be done.');
  // K1: sticky until the period ends, and so no longer true of a resolved alert.
  else if (facts.kills === true) {
    notes.push('Killed by this budget: calls are refused until the period ends.');
  }
  if (facts.late === true) notes.push('Found after the period had ended, from late usage.');
  return notes;
}

/** `8000 -> '80%'`, `8050 -> '80.5%'`. */
function formatThreshold(bps: number): string {
  return `${String(bps / 100)}%`;
}

/**
 * Free text on one line (domain/plain-text.ts); what is too long ends in an ellipsis.
 */
export function oneLine(text: string, limit: number): string {
  const line = onOneLine(text);
  const points = Array.from(line);
  return points.length <= limit
    ? line
    : `${points
        .slice(0, limit - 1)
        .join('')
        .trimEnd()}…`;
}

/** Free text whose lines stay: each is cleaned as `oneLine` does it, and none is cut. */
export function severalLines(text: string): string {
  return text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => oneLine(line, Number.POSITIVE_INFINITY))
    .join('\n')
    .trim();
}
