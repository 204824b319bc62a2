/** What can happen to an alert, and what it asks to be done. */
import type { AlertStatus } from './view.js';
import type { AlertInput, AlertState, Delivery, DeliverAnswer, JournalEntry } from './state.js';

/** A word that holds for all parts of an alert that was spread (A14). */
export type PartWord =
  | { readonly type: 'acknowledged'; readonly by: string; readonly note?: string }
  | { readonly type: 'resolved'; readonly by: string; readonly note?: string }
  /** T7. The period is over. */
  | { readonly type: 'subjectEnded'; readonly at: number };

export type AlertEvent =
  | { readonly type: 'began' }
  | {
      readonly type: 'attempted';
      readonly delivery: string;
      readonly attempt: number;
      readonly answer: DeliverAnswer;
    }
  /** Nothing was sent: the attempt could not begin (the ledger was away). It costs no attempt. */
  | {
      readonly type: 'attemptNotMade';
      readonly delivery: string;
      readonly attempt: number;
      readonly reason: string;
    }
  /** Nobody knows whether it was sent: the worker was lost in the middle. */
  | { readonly type: 'attemptLost'; readonly delivery: string; readonly attempt: number }
  /** A6. The provider took it, and now says that it did not arrive. */
  | { readonly type: 'revoked'; readonly delivery: string; readonly reason: string }
  /** What was offered has reached somebody (push). */
  | { readonly type: 'confirmed'; readonly delivery: string }
  /** A13. A silence may have ended: what it held is tried again. */
  | { readonly type: 'silenceEnded' }
  | PartWord
  /** A14. The other parts were told, or are over. */
  | { readonly type: 'partsTold' }
  | { readonly type: 'journalled'; readonly upTo: number }
  | { readonly type: 'journalFailed' }
  | { readonly type: 'rejected' }
  | { readonly type: 'ticked' };

/** Each carries what makes doing it twice harmless: the attempt's number, the entries' numbers. */
export type AlertEffect =
  | {
      readonly type: 'deliver';
      readonly input: AlertInput;
      readonly delivery: Pick<Delivery, 'id' | 'route' | 'purpose' | 'cause'>;
      readonly attempt: number;
    }
  | {
      readonly type: 'journal';
      readonly status: AlertStatus;
      readonly entries: readonly JournalEntry[];
    }
  /** A14. By their ids. Hearing it twice changes nothing. */
  | { readonly type: 'tellParts'; readonly alerts: readonly string[]; readonly word: PartWord };

export type AlertWorkflowInput =
  | { readonly kind: 'raised'; readonly input: AlertInput }
  | {
      readonly kind: 'carried';
      readonly state: AlertState;
      readonly outbox: readonly AlertEffect[];
    };
