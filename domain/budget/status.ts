/** The answer to the `status` query, from the state alone. */
import { directSenders, spentOf, sumOf } from './sum.js';
import { notifyFor } from './notify.js';
import type { BudgetState } from './state.js';
import type { BudgetStatus } from './view.js';

export function budgetStatusOf(state: BudgetState, now: number): BudgetStatus {
  const { totals, saturated } = sumOf(Object.values(state.senders));
  const spent = spentOf(state, now);
  const direct = sumOf(Object.values(directSenders(state))).totals;
  return {
    key: state.key,
    window: state.window,
    phase: state.phase,
    totals: {
      cost: totals.cost,
      tokens: totals.tokens,
      calls: totals.calls,
      durationMs: spent.duration,
    },
    limits: state.limits,
    latches: state.latches,
    notify: notifyFor(state.limits, state.latches, spent, direct),
    firings: state.firingNo,
    ...(state.killed === undefined ? {} : { killed: state.killed }),
    openAlerts: state.openAlerts.map((open) => open.alertId),
    senders: Object.keys(state.senders).length,
    rejected: state.rejected,
    ...(state.lastRejection === undefined ? {} : { lastRejection: state.lastRejection }),
    saturated: saturated || state.saturated === true,
  };
}
