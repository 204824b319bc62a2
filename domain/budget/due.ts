/**
 * When time alone changes a period: a hanging run's threshold (B7), the end of a cooldown that
 * holds a crossing (T5), a publish to be tried again, the period's end.
 * D-1. A tick at the answered moment always moves it on, so no timer can spin.
 */
import { thresholdAmount } from '../ratio.js';
import { latchKey } from './latch-key.js';
import { endsAtOf } from './ends.js';
import type { BudgetState } from './state.js';
import { runBegan, spentAtRest, sumOf } from './sum.js';
import { heldUntil } from './thresholds.js';

export function dueAtOf(state: BudgetState): number | undefined {
  if (state.phase === 'closed') return undefined;
  const again = [state.republishAt, ...state.raising.map(({ againAt }) => againAt)];
  const moments =
    state.phase === 'open' ? [...again, closesAt(state), runDueAt(state), heldDueAt(state)] : again;
  return moments.reduce<number | undefined>(
    (least, moment) =>
      moment === undefined ? least : least === undefined ? moment : Math.min(least, moment),
    undefined,
  );
}

/** The end of the period and the grace in which the ledger's last word may still come. */
function closesAt(state: BudgetState): number | undefined {
  const ends = endsAtOf(state);
  return ends === undefined ? undefined : ends + state.policy.closeGraceMs;
}

/** B7. Only while the run would still be open at that moment. */
function runDueAt(state: BudgetState): number | undefined {
  const { run, policy } = state;
  if (state.key.cadence !== 'run' || run?.open !== true || run.heardAt === undefined) {
    return undefined;
  }
  const began = runBegan(sumOf(Object.values(state.senders)).totals, run);
  const limit = state.limits.limits.find((each) => each.dimension === 'duration');
  if (began === undefined || limit === undefined) return undefined;
  const silentAt = run.heardAt + policy.runSilenceMs;
  let earliest: number | undefined;
  for (const threshold of limit.thresholds) {
    const reachedAt = began + thresholdAmount(limit.amount, threshold.bps);
    for (const { channel } of threshold.routes) {
      const latch = state.latches[latchKey('duration', threshold.bps, channel)];
      if (latch?.reached !== undefined) continue;
      const at = Math.max(reachedAt, channel === 'kill' ? 0 : (latch?.quietUntil ?? 0));
      if (at <= state.evaluatedAt || at > silentAt) continue;
      earliest = Math.min(earliest ?? at, at);
    }
  }
  return earliest;
}

/** T5. A run's length between events is `runDueAt`'s business. */
function heldDueAt(state: BudgetState): number | undefined {
  const at = heldUntil(state.limits, state.latches, spentAtRest(state));
  return at !== undefined && at > state.evaluatedAt ? at : undefined;
}
