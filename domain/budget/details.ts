/**
 * The period as Temporal's own UI shows it: Markdown for people, without our code. Also the one
 * line a list of workflows shows.
 */
import { codeAmount } from '../amount.js';
import { formatUtcMinute } from '../civil.js';
import { pctUsed, thresholdAmount } from '../ratio.js';
import { latchKey } from './latch-key.js';
import type { PeriodOpening } from './input.js';
import { endsAtOf } from './ends.js';
import type { BudgetState } from './state.js';
import { spentOf } from './sum.js';

/** `research-bot: daily budget from 2026-11-21 00:00 UTC`. */
export function budgetSummary({ key, window, name }: PeriodOpening): string {
  if (key.cadence === 'run') return `${name}: run ${key.period.slice(0, 80)}`;
  if (key.cadence === 'total') return `${name}: total budget`;
  return `${name}: ${key.cadence} budget from ${formatUtcMinute(window.startsAt)}`;
}

export function budgetDetails(state: BudgetState, now: number): string {
  const spent = spentOf(state, now);
  const lines = [`## ${budgetSummary(state)}`, '', headline(state), ''];
  if (state.limits.limits.length > 0) {
    lines.push(
      '| dimension | spent | limit | used | at the limit |',
      '| --- | ---: | ---: | ---: | --- |',
    );
    for (const limit of state.limits.limits) {
      const used = spent[limit.dimension];
      lines.push(
        `| ${limit.dimension} | ${codeAmount(limit.dimension, used)} | ${codeAmount(limit.dimension, limit.amount)} | ${String(pctUsed(used, limit.amount))}% | ${limit.enforcement === 'block' ? 'refuses' : 'tells'} |`,
      );
    }
    lines.push('', ...thresholdLines(state, spent));
  }
  lines.push(
    `Limits revision ${String(state.limits.rev)}, ${String(state.firingNo)} alerts raised, ${String(Object.keys(state.senders).length)} senders, ${String(state.rejected)} messages rejected.`,
  );
  return lines.join('\n');
}

function headline(state: BudgetState): string {
  const ends = state.key.cadence === 'run' ? undefined : endsAtOf(state);
  const until = ends === undefined ? '' : `, ends ${formatUtcMinute(ends)}`;
  const { killed } = state;
  if (killed === undefined) return `**${state.phase}**${until}`;
  return `**killed** at ${formatUtcMinute(killed.at)}: ${killed.dimension} passed ${String(killed.bps / 100)}% of ${codeAmount(killed.dimension, killed.limit)}${until}`;
}

function thresholdLines(state: BudgetState, spent: ReturnType<typeof spentOf>): string[] {
  const lines = [
    '**Thresholds**',
    '',
    '| threshold | amount | channels | state |',
    '| --- | ---: | --- | --- |',
  ];
  for (const limit of state.limits.limits) {
    for (const threshold of limit.thresholds) {
      const amount = thresholdAmount(limit.amount, threshold.bps);
      const channels = [...new Set(threshold.routes.map((route) => route.channel))];
      const fired = channels.filter(
        (channel) =>
          state.latches[latchKey(limit.dimension, threshold.bps, channel)]?.reached !== undefined,
      );
      const word =
        fired.length > 0 ? 'fired' : spent[limit.dimension] >= amount ? 'held' : 'waiting';
      lines.push(
        `| ${limit.dimension} ${String(threshold.bps / 100)}% | ${codeAmount(limit.dimension, amount)} | ${channels.join(', ')} | ${word} |`,
      );
    }
  }
  lines.push('');
  return lines;
}

/** What the period's timer waits for. */
export function timerSummaryOf(state: BudgetState): string {
  if (state.republishAt !== undefined) return 'Try the ledger again';
  const { limits } = state.limits;
  if (state.key.cadence === 'run' && limits.some((limit) => limit.dimension === 'duration')) {
    return 'Next duration threshold of the open run, or its end';
  }
  return 'End of the period, or of a cooldown';
}
