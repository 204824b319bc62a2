/** What can happen to a budget period, and what it asks to be done. */
import type { ThresholdAlert } from '../alert/state.js';
import type { PeriodOpening, PeriodRow } from './input.js';
import type { Report } from './report.js';
import type { Published } from './state.js';

export type BudgetEvent =
  | { readonly type: 'began' }
  | { readonly type: 'opened'; readonly row: PeriodRow }
  | { readonly type: 'openFailed' }
  | { readonly type: 'reported'; readonly report: Report }
  | { readonly type: 'rejected'; readonly reason: string }
  | { readonly type: 'published'; readonly mark: string; readonly covers: number }
  | { readonly type: 'publishFailed' }
  | { readonly type: 'alertRaised'; readonly alertId: string }
  /** Nobody knows whether it has started: it is started again, and twice is once. */
  | { readonly type: 'raiseFailed'; readonly alertId: string }
  | { readonly type: 'alertEnded'; readonly alertId: string }
  | { readonly type: 'ticked' };

/**
 * Doing an effect twice is harmless: a publish is fenced, an alert's start is deduplicated by its
 * id, an ended alert ignores a second end.
 */
export type BudgetEffect =
  | { readonly type: 'openPeriod'; readonly opening: PeriodOpening }
  /** `covers`: how many alerts wait for this publish (K3). */
  | {
      readonly type: 'publish';
      readonly published: Published;
      readonly mark: string;
      readonly covers: number;
    }
  | { readonly type: 'raiseAlert'; readonly input: ThresholdAlert }
  | { readonly type: 'endAlert'; readonly alertId: string; readonly at: number };
