/** What goes back to the row, and when: only when something the row holds has changed. */
import type { ThresholdAlert } from '../alert/state.js';
import { notifyFor } from './notify.js';
import type { BudgetState, Published } from './state.js';
import { LEDGER } from './state.js';
import { directSenders, spentOf, sumOf } from './sum.js';
import { unfire } from './thresholds.js';

/**
 * Everything the row takes from the period; `order` and the fence are given per publish. An alert
 * that is not known to have started, as it waits for this very publish (K3) or is on its way, is
 * not in it as fired: when this life is lost, the next one raises it.
 */
function contentOf(state: BudgetState, now: number): Omit<Published, 'order' | 'epoch' | 'seq'> {
  const senders = directSenders(state);
  const waiting = [...state.raising.map(({ input }) => input), ...state.afterPublish];
  const direct = sumOf(Object.values(senders)).totals;
  return {
    key: state.key,
    notify: notifyFor(state.limits, state.latches, spentOf(state, now), direct),
    latches: unfire(state.latches, waiting),
    firingNo: state.firingNo - (areLast(waiting, state.firingNo) ? waiting.length : 0),
    appliedRev: state.limits.rev,
    ...(state.killed === undefined ? {} : { killed: state.killed }),
    direct,
    senders,
    openAlerts: state.openAlerts.filter(({ alertId }) => !waiting.some(({ id }) => id === alertId)),
    // A row is closed once nothing waits: what fires after that is late, and the ledger's (B4).
    closed: state.phase !== 'open' && waiting.length === 0,
    rejected: state.rejected,
  };
}

/** Whether those that wait have the last numbers: then the next life gives them the same ids. */
function areLast(waiting: readonly ThresholdAlert[], firingNo: number): boolean {
  return waiting.every(({ firing }) => firing.no > firingNo - waiting.length);
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
    order: nextOrder(state, now),
  };
}

/**
 * Grows with every publish, and beyond what an earlier life of the workflow has used: a life that
 * began again at 1 would have its first word, a kill perhaps, refused as an old one (K3).
 */
export function nextOrder(state: BudgetState, now: number): number {
  return Math.max(state.publishes + 1, now);
}
