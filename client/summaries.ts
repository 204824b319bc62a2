/** What Temporal's own UI says about a workflow: one line, and a few more below it. */
import { formatAmount } from '../domain/amount.js';
import type { AlertInput } from '../domain/alert/state.js';
import type { Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow } from '../domain/budget/period-key.js';

/** What describes a period, whether from its row or from a direct sender. */
export interface DescribedPeriod {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly limits: Limits;
}

/** `research-bot · daily budget from 2026-11-21`; the date is local to the period's zone. */
export function periodSummary({ key, window, name }: DescribedPeriod): string {
  switch (key.cadence) {
    case 'run':
      return clip(`${name} · budget of run ${key.period}`);
    case 'total':
      return clip(`${name} · total budget`);
    default:
      return clip(`${name} · ${key.cadence} budget from ${localStart(key, window)}`);
  }
}

/** Markdown: who, when, and what it is held to. */
export function periodDetails(period: DescribedPeriod): string {
  const { key, window, limits } = period;
  const ends = window.endsAt === undefined ? 'open' : new Date(window.endsAt).toISOString();
  const lines = limits.limits.map((limit) => {
    const at = limit.thresholds.map((threshold) => percent(threshold.bps)).join(', ');
    const enforcement = limit.enforcement === 'block' ? ', refuses at the limit' : '';
    return `- ${limit.dimension}: ${formatAmount(limit.dimension, limit.amount)}${enforcement}${at === '' ? '' : `, tells at ${at}`}`;
  });
  return [
    `**${period.name}** · ${key.scope} of \`${key.org}\` · ${key.cadence}`,
    `${new Date(window.startsAt).toISOString()} to ${ends} (${window.zone})`,
    ...lines,
  ].join('\n');
}

/** `research-bot · 80 % of the daily cost budget`. */
export function alertSummary({ facts }: AlertInput): string {
  const late = facts.late === true ? ' (late)' : '';
  return clip(
    `${facts.agentName} · ${percent(facts.thresholdBps)} of the ${facts.cadence} ${facts.dimension} budget${late}`,
  );
}

/** Markdown: severity, amounts and where it goes, by channel only. */
export function alertDetails(input: AlertInput): string {
  const { facts } = input;
  const channels = input.routes.map((route) => route.channel).join(', ');
  return [
    `**${facts.severity}**, priority ${facts.priority}, at ${new Date(facts.at).toISOString()}`,
    `${formatAmount(facts.dimension, facts.spent)} of ${formatAmount(facts.dimension, facts.limit)}`,
    `to: ${channels === '' ? 'nobody' : channels}`,
    `from \`${input.subject}\``,
  ].join('\n');
}

/** The server takes 400 bytes of summary. */
function clip(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}

function localStart(key: PeriodKey, window: PeriodWindow): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: window.zone,
    dateStyle: 'short',
    ...(key.cadence === 'hourly' ? { timeStyle: 'short' } : {}),
  });
  return parts.format(window.startsAt);
}

function percent(bps: number): string {
  return `${String(bps / 100)} %`;
}
