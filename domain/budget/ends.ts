/** When a period is over: known ahead, or after a run's silence of a day (B2). */
import type { BudgetState } from './state.js';
import { sumOf } from './sum.js';

/** Epoch ms, or undefined for a `total`, which ends when it is deleted. */
export function endsAtOf(state: BudgetState): number | undefined {
  if (state.key.cadence !== 'run') return state.window.endsAt;
  const lastAt = sumOf(Object.values(state.senders)).totals.lastAt ?? 0;
  const heardAt = state.run?.heardAt ?? 0;
  return Math.max(heardAt, lastAt, state.window.startsAt) + state.policy.runIdleMs;
}
