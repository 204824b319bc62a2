/** An alert as Temporal's own UI shows it: one line for lists, Markdown for the page. */
import { codeAmount } from '../amount.js';
import { formatUtcMinute } from '../civil.js';
import { pctUsed } from '../ratio.js';
import type { AlertEffect } from './events.js';
import type { AlertInput, AlertState, Delivery } from './state.js';

/** `critical: research-bot passed 100% of its daily cost limit`. */
export function alertSummary({ facts }: AlertInput): string {
  const { severity, agentName, thresholdBps, cadence, dimension, late } = facts;
  const what = `${agentName} passed ${String(thresholdBps / 100)}% of its ${cadence} ${dimension} limit`;
  return `${severity}: ${what}${late === true ? ' (found late)' : ''}`.slice(0, 200);
}

export function attemptSummary(effect: Extract<AlertEffect, { type: 'deliver' }>): string {
  const { delivery, attempt } = effect;
  const word = delivery.purpose === 'fire' ? 'Send' : 'Tell that it is over';
  return `${word}: ${delivery.route.channel}, attempt ${String(attempt)}`;
}

export function alertTimerSummary(state: AlertState): string {
  const waiting = state.deliveries.filter((delivery) => delivery.status === 'due');
  if (waiting.length === 0) return 'Try the journal again';
  return `Next attempt: ${waiting.map((delivery) => delivery.route.channel).join(', ')}`.slice(
    0,
    200,
  );
}

export function alertDetails(state: AlertState): string {
  const { facts } = state.input;
  const used = codeAmount(facts.dimension, facts.spent);
  const limit = codeAmount(facts.dimension, facts.limit);
  const lines = [
    `## ${alertSummary(state.input)}`,
    '',
    `**${state.phase}** since ${formatUtcMinute(state.resolved?.at ?? state.acknowledged?.at ?? state.raisedAt)}${byWhom(state)}`,
    '',
    `${used} of ${limit} (${String(pctUsed(facts.spent, facts.limit))}%) at ${formatUtcMinute(facts.at)}${facts.kills === true ? '; this kills the period' : ''}`,
    '',
  ];
  if (state.deliveries.length > 0) {
    lines.push('| delivery | state | attempts | last word |', '| --- | --- | ---: | --- |');
    for (const delivery of state.deliveries) lines.push(deliveryLine(delivery));
  }
  return lines.join('\n');
}

function byWhom(state: AlertState): string {
  const by = state.resolved?.by ?? state.acknowledged?.by;
  return by === undefined ? '' : ` by ${by.replaceAll(/[|\n\r]/g, ' ')}`;
}

function deliveryLine(delivery: Delivery): string {
  const { route, purpose, status, attempts, suppression } = delivery;
  const last = suppression ?? attempts.at(-1)?.reason ?? '';
  const name = purpose === 'fire' ? route.channel : `${route.channel} (over)`;
  return `| ${name} | ${status} | ${String(attempts.length)} | ${last.replaceAll(/[|\n\r]/g, ' ')} |`;
}
