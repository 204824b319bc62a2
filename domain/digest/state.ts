/**
 * The digest of one recipient and cadence (P3): it waits for the local hour, has what waits claimed
 * for one mail, sends it with the ladder of any delivery, and goes on while anything waits. The
 * items themselves are the ledger's: the state does not grow with them. Plain JSON.
 */
import type { Outcome, Suppression } from '../alert/outcome.js';
import type { Policy } from '../alert/policy.js';
import type { Attempt } from '../alert/state.js';

export type DigestPace = 'hourly' | 'daily';

/** Whose digest: one workflow each. */
export interface DigestRef {
  readonly org: string;
  readonly recipient: string;
  readonly cadence: DigestPace;
}

/** Items that were claimed for one mail, and nothing else is in it. */
export interface ClaimedDigest {
  readonly id: string;
  readonly total: number;
}

export interface DigestEnd {
  readonly result: 'sent' | 'failed' | 'suppressed';
  /** Why, in the words of the outcome; of `suppressed` the word itself. */
  readonly reason: string;
}

/**
 * `planning`: it is asked when the next one is due; `waiting` for that; `claiming`; `sending`: an
 * attempt is under way or due; `ending`: what came of it is written; `idle`: nothing waits.
 */
export type DigestPhase = 'planning' | 'waiting' | 'claiming' | 'sending' | 'ending' | 'idle';

export interface DigestState {
  readonly ref: DigestRef;
  readonly policy: Policy;
  readonly phase: DigestPhase;
  /** The local hour, the next attempt, or the next try of what failed; absent: work is under way. */
  readonly dueAt?: number;
  readonly digest?: ClaimedDigest;
  readonly attempts: readonly Attempt[];
  readonly end?: DigestEnd;
  /** Somebody said that there is more, or that preferences changed, while it was being planned. */
  readonly woken?: true;
  /** Digests that came to an end so far. */
  readonly ended: number;
}

export type DigestEvent =
  | { readonly type: 'began' }
  /** An item was added while nothing waited, or the hour may have changed. */
  | { readonly type: 'woken' }
  /** Without a moment: nothing waits. */
  | { readonly type: 'planned'; readonly dueAt?: number }
  /** Without one: nothing waited any more. */
  | { readonly type: 'claimed'; readonly digest?: ClaimedDigest }
  | { readonly type: 'sent'; readonly attempt: number; readonly outcome: Outcome }
  | { readonly type: 'suppressed'; readonly attempt: number; readonly reason: Suppression }
  | { readonly type: 'attemptLost'; readonly attempt: number }
  | { readonly type: 'written' }
  /** A plan, a claim, an attempt that could not begin, or an end that was not written. */
  | { readonly type: 'failed' }
  | { readonly type: 'ticked' };

export type DigestEffect =
  | { readonly type: 'plan'; readonly ref: DigestRef }
  | { readonly type: 'claim'; readonly ref: DigestRef }
  | {
      readonly type: 'send';
      readonly ref: DigestRef;
      readonly digest: ClaimedDigest;
      /** From 1. */
      readonly attempt: number;
      readonly isLast: boolean;
    }
  | {
      readonly type: 'end';
      readonly ref: DigestRef;
      readonly digest: ClaimedDigest;
      readonly end: DigestEnd;
    };

export type DigestWorkflowInput =
  | { readonly kind: 'woken'; readonly ref: DigestRef; readonly policy: Policy }
  | {
      readonly kind: 'carried';
      readonly state: DigestState;
      readonly outbox: readonly DigestEffect[];
    };

export function beginDigest(ref: DigestRef, policy: Policy): DigestState {
  return { ref, policy, phase: 'planning', attempts: [], ended: 0 };
}
