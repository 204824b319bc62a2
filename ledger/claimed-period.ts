/** What the relay works on: claimed rows, and alerts that a transaction has decided. */
import type { AlertInput } from '../domain/alert/state.js';
import type { Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow } from '../domain/budget/period-key.js';
import type { Killed, Latches, OpenAlert, SenderTotals } from '../domain/budget/state.js';
import type { RunLife, Totals } from '../domain/budget/totals.js';

/** All a signal, a signal-with-start or a late evaluation needs of a row. */
export interface ClaimedPeriod {
  readonly id: string;
  readonly fence: number;
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly state: 'open' | 'closed';
  /** Whether a workflow was ever started for it. */
  readonly started: boolean;
  readonly epoch: number;
  readonly seq: number;
  readonly own: Totals;
  readonly run?: RunLife;
  readonly limits: Limits;
  readonly appliedRev: number;
  readonly latches: Latches;
  readonly firingNo: number;
  readonly killed?: Killed;
  readonly senders: Readonly<Record<string, SenderTotals>>;
  readonly openAlerts: readonly OpenAlert[];
  /** The order of the last publish; a new life of the workflow goes on from it. */
  readonly publishes?: number;
  /** The row's end has passed: the report says `closing`. */
  readonly closing: boolean;
  /** Own totals passed what the period wants to know: first in the queue. */
  readonly crossing: boolean;
  readonly tries: number;
}

export interface ClaimRequest {
  readonly now: number;
  readonly limit: number;
  readonly leaseMs: number;
}

export interface OutboxAlert {
  readonly input: AlertInput;
  readonly fence: number;
  readonly tries: number;
}
