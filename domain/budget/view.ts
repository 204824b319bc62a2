/** What a budget period says of itself when asked. */
import type { Killed, Latches, Notify } from './state.js';
import type { Limits } from './limits.js';
import type { PeriodKey, PeriodWindow } from './period-key.js';

export interface BudgetStatus {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly phase: 'opening' | 'open' | 'closing' | 'closed';
  /** All senders together, saturated at 2^53 - 1 (B1). */
  readonly totals: { cost: number; tokens: number; calls: number; durationMs: number };
  readonly limits: Limits;
  readonly latches: Latches;
  readonly notify: Notify;
  readonly firings: number;
  readonly killed?: Killed;
  readonly openAlerts: readonly string[];
  readonly senders: number;
  readonly rejected: number;
  readonly lastRejection?: string;
  readonly saturated: boolean;
}
