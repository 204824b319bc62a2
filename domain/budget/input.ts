/** How a budget period's workflow begins: from its row, from a direct sender's word, or carried over. */
import type { Policy } from '../alert/policy.js';
import { alertInputOf } from './alert-input.js';
import type { BudgetEffect } from './events.js';
import type { Limits } from './limits.js';
import type { PeriodKey, PeriodWindow } from './period-key.js';
import type { BudgetState, Killed, Latches, OpenAlert, Raising, SenderTotals } from './state.js';

/** What a life of the period starts from: the part of the ledger's row that it owns. */
export interface PeriodRow {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly limits: Limits;
  readonly latches: Latches;
  readonly firingNo: number;
  readonly killed?: Killed;
  /** Direct senders as last published. */
  readonly senders: Readonly<Record<string, SenderTotals>>;
  readonly openAlerts: readonly OpenAlert[];
  /** The order of the row's last publish: a new life goes on from it, or its own would be stale. */
  readonly publishes?: number;
}

/** What a direct sender knows of a period nobody has opened yet. */
export interface PeriodOpening {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly limits: Limits;
}

export type BudgetPeriodInput =
  | { readonly kind: 'row'; readonly row: PeriodRow; readonly policy: Policy }
  | { readonly kind: 'open'; readonly opening: PeriodOpening; readonly policy: Policy }
  | {
      readonly kind: 'carried';
      readonly state: BudgetState;
      readonly outbox: readonly BudgetEffect[];
    };

/** The state a life begins in; a carried one is taken as it is. */
export function beginBudget(input: Exclude<BudgetPeriodInput, { kind: 'carried' }>): BudgetState {
  const fresh = {
    policy: input.policy,
    publishing: false,
    publishes: 0,
    raising: [],
    evaluatedAt: 0,
    afterPublish: [],
    rejected: 0,
  };
  if (input.kind === 'open') {
    const { key, window, name, limits } = input.opening;
    return {
      ...fresh,
      ...{ key, window, name, limits },
      phase: 'opening',
      senders: {},
      latches: {},
      firingNo: 0,
      openAlerts: [],
    };
  }
  const { key, window, name, limits, latches, firingNo, killed, senders, openAlerts } = input.row;
  return {
    ...fresh,
    raising: openAlerts.flatMap((open) => raisedAgain(input, open)),
    ...{ key, window, name, limits, latches, firingNo, senders, openAlerts },
    ...(killed === undefined ? {} : { killed }),
    publishes: input.row.publishes ?? 0,
    phase: 'open',
  };
}

/** M-6. Due at once. */
function raisedAgain(
  { row, policy }: Extract<BudgetPeriodInput, { kind: 'row' }>,
  { raised }: OpenAlert,
): Raising[] {
  if (raised === undefined) return [];
  const { no, at, limitsRev, crossing } = raised;
  const { key, window, name } = row;
  const input = alertInputOf({ key, window, name, policy, limitsRev }, crossing, no, at);
  return [{ input, againAt: 0 }];
}
