/**
 * B4. A closed period whose totals grew: a crossing found now is told once, as one warning that
 * says it is late; it never kills and never escalates. Decided by the relay, in the ledger.
 */
import type { Policy } from '../alert/policy.js';
import type { ThresholdAlert } from '../alert/state.js';
import { alertInputOf, routesOf } from './alert-input.js';
import type { PeriodRow } from './input.js';
import { beginBudget } from './input.js';
import type { Latches } from './state.js';
import { LEDGER } from './state.js';
import { spentAtRest } from './sum.js';
import { fireThresholds } from './thresholds.js';
import type { Totals } from './totals.js';

export interface LateVerdict {
  readonly latches: Latches;
  readonly firingNo: number;
  readonly alert?: ThresholdAlert;
}

/** `own` are the row's totals now. A cooldown cannot hold here: nothing will look again. */
export function evaluateLate(
  row: PeriodRow & { readonly own: Totals },
  policy: Policy,
  now: number,
): LateVerdict {
  const begun = beginBudget({ kind: 'row', row, policy });
  const ledger = { epoch: 0, seq: 0, totals: row.own };
  const state = { ...begun, senders: { ...begun.senders, [LEDGER]: ledger } };
  const awake = Object.fromEntries(
    Object.entries(row.latches).map(([key, { quietUntil: _over, ...latch }]) => [key, latch]),
  );
  const { latches, crossings } = fireThresholds(row.limits, awake, spentAtRest(state), now, 0);
  const highest = crossings.at(-1);
  if (highest === undefined) return { latches, firingNo: row.firingNo };
  const routes = crossings.flatMap((crossing) => crossing.routes);
  const firingNo = row.firingNo + 1;
  const input = alertInputOf({ ...state, limitsRev: row.limits.rev }, highest, firingNo, now);
  const { kills: _never, ...facts } = input.facts;
  return {
    latches,
    firingNo,
    alert: {
      ...input,
      facts: { ...facts, severity: 'warning', priority: 'medium', late: true },
      routes: routesOf({ routes }),
    },
  };
}
