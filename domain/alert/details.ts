/** An alert as Temporal's own UI shows it: one line for lists, Markdown for the page. */
import { isWorded } from './facts.js';
import { codeAmount } from '../amount.js';
import { formatUtcMinute } from '../civil.js';
import { pctUsed } from '../ratio.js';
import type { AlertEffect } from './events.js';
import { escalationDueAt } from './escalation.js';
import { resultOf } from './result.js';
import type { AlertInput, AlertState, Delivery, Purpose } from './state.js';

/** `critical: research-bot passed 100% of its daily cost limit`. */
export function alertSummary({ facts }: AlertInput): string {
  if (isWorded(facts)) return `${facts.severity}: ${facts.title}`.slice(0, 200);
  const { severity, agentName, thresholdBps, cadence, dimension, late } = facts;
  const what = `${agentName} passed ${String(thresholdBps / 100)}% of its ${cadence} ${dimension} limit`;
  return `${severity}: ${what}${late === true ? ' (found late)' : ''}`.slice(0, 200);
}

export function attemptSummary(effect: Extract<AlertEffect, { type: 'deliver' }>): string {
  const { delivery, attempt } = effect;
  const { purpose, cause = 'route', route } = delivery;
  const why = { ...WHY, level: ' (escalation)' }[cause];
  return `${PURPOSES[purpose]}: ${route.channel}${why}, attempt ${String(attempt)}`;
}

const WHY = { route: '', fallback: ' (fallback)', last_resort: ' (last resort)' } as const;

const PURPOSES: Readonly<Record<Purpose, string>> = {
  fire: 'Send',
  acknowledge: 'Tell that somebody has taken it',
  resolve: 'Tell that it is over',
};

export function alertTimerSummary(state: AlertState): string {
  const offered = state.deliveries.filter(({ status }) => status === 'offered');
  if (offered.length > 0) return `To be confirmed: ${channelsOf(offered)}`.slice(0, 200);
  const waiting = state.deliveries.filter(({ status }) => status === 'due');
  if (waiting.length === 0) {
    return escalationDueAt(state) === undefined ? 'Try the journal again' : 'Next level to be told';
  }
  const isHeld = waiting.every(({ heldFor }) => heldFor !== undefined);
  return `${isHeld ? 'Held back' : 'Next attempt'}: ${channelsOf(waiting)}`.slice(0, 200);
}

function channelsOf(deliveries: readonly Delivery[]): string {
  return deliveries.map(({ route }) => route.channel).join(', ');
}

export function alertDetails(state: AlertState): string {
  const lines = [
    `## ${alertSummary(state.input)}`,
    '',
    `**${state.phase}** since ${formatUtcMinute(state.resolved?.at ?? state.acknowledged?.at ?? state.raisedAt)}${byWhom(state)}`,
    '',
    ...factsInMarkdown(state.input),
    '',
  ];
  if (state.deliveries.length > 0) {
    lines.push(`Result: **${resultOf(state)}**`, '');
    lines.push('| delivery | state | attempts | last word |', '| --- | --- | ---: | --- |');
    for (const delivery of state.deliveries) lines.push(deliveryLine(delivery));
  }
  return lines.join('\n');
}

function factsInMarkdown({ facts }: AlertInput): string[] {
  if (isWorded(facts)) {
    return facts.lines.map(({ label, value }) => `- ${plain(label)}: ${plain(value)}`);
  }
  const { dimension, spent, limit } = facts;
  const used = `${codeAmount(dimension, spent)} of ${codeAmount(dimension, limit)}`;
  const kills = facts.kills === true ? '; this kills the period' : '';
  return [`${used} (${String(pctUsed(spent, limit))}%) at ${formatUtcMinute(facts.at)}${kills}`];
}

function plain(text: string): string {
  return text.replaceAll(/[|\n\r]/g, ' ');
}

function byWhom(state: AlertState): string {
  const by = state.resolved?.by ?? state.acknowledged?.by;
  return by === undefined ? '' : ` by ${plain(by)}`;
}

function deliveryLine(delivery: Delivery): string {
  const {
    route,
    purpose,
    cause = 'route',
    level,
    status,
    attempts,
    suppression,
    heldFor,
  } = delivery;
  const last = suppression ?? heldFor ?? attempts.at(-1)?.reason ?? '';
  const why = { ...WHY, level: ` (level ${String(level)})` }[cause];
  const name = `${route.channel}${purpose === 'fire' ? why : ` (${purpose})`}`;
  return `| ${name} | ${status} | ${String(attempts.length)} | ${plain(last)} |`;
}
