/** What goes back to the row, and when: only when something the row holds has changed. */
import { notifyFor } from './notify.js';
import type { BudgetState, Published } from './state.js';
import { LEDGER } from './state.js';
import { directSenders, spentOf, sumOf } from './sum.js';

/** Everything the row takes from the period; `order` and the fence are given per publish. */
function contentOf(state: BudgetState, now: number): Omit<Published, 'order' | 'epoch' | 'seq'> {
  const senders = directSenders(state);
  const direct = sumOf(Object.values(senders)).totals;
  return {
    key: state.key,
    notify: notifyFor(state.limits, state.latches, spentOf(state, now), direct),
    latches: state.latches,
    firingNo: state.firingNo,
    appliedRev: state.limits.rev,
    ...(state.killed === undefined ? {} : { killed: state.killed }),
    direct,
    senders,
    openAlerts: state.openAlerts,
    closed: state.phase === 'closing' || state.phase === 'closed',
    rejected: state.rejected,
  };
}

/** Equal marks mean equal rows. */
export function markOf(state: BudgetState, now: number): string {
  return JSON.stringify(contentOf(state, now));
}

/** The publish of the state as it is, fenced by the ledger's own (epoch, seq). */
export function publishedOf(state: BudgetState, now: number): Published {
  const own = state.senders[LEDGER];
  return {
    ...contentOf(state, now),
    epoch: own?.epoch ?? 0,
    seq: own?.seq ?? 0,
    order: state.publishes + 1,
  };
}
