/** The signal that carries one sender's totals to a period, and how a doubtful one is read. */
import type { Limits } from './limits.js';
import type { RunLife, Totals } from './totals.js';

/**
 * `sender` is `ledger`, or the direct reporter's own stable name. `epoch` grows when a sender
 * starts over with totals that replace its old ones (a restored ledger), `seq` with every change.
 * `limitsRev` is the newest revision the sender knows; `limits` ride along until the period has
 * confirmed it. `closing`: from the ledger, the period is over; from another sender, it is done.
 */
export interface Report extends Totals {
  readonly sender: string;
  readonly epoch: number;
  readonly seq: number;
  readonly limitsRev?: number;
  readonly limits?: Limits;
  readonly run?: RunLife;
  readonly closing?: boolean;
}
