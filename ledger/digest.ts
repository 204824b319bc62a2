/** Digests: what waits for a recipient's mail, what was claimed for one, and what came of it (P3). */
import type { AlertFacts } from '../domain/alert/facts.js';
import type { ClaimedDigest, DigestEnd, DigestPace, DigestRef } from '../domain/digest/state.js';
import type { ClaimRequest } from './claimed-period.js';

/** Items of a mail at most; the total is named beside them. */
export const DIGEST_ITEMS = 200;

/** A recipient whose digest's workflow is to be woken. */
export interface DueDigest extends DigestRef {
  readonly fence: number;
  readonly tries: number;
}

export interface DigestItem {
  readonly alertId: string;
  /** When it was routed, epoch ms. */
  readonly at: number;
  /** Absent where the alert's records are gone. */
  readonly facts?: AlertFacts;
  /** An agent's own title. */
  readonly title?: string;
}

/** What a mail is made of: the newest first, at most `DIGEST_ITEMS` of `total`. */
export interface DigestContents {
  readonly total: number;
  readonly items: readonly DigestItem[];
}

export interface DigestView {
  readonly id: string;
  readonly cadence: DigestPace;
  /** When its items were claimed, epoch ms. */
  readonly at: number;
  readonly total: number;
  /** Absent: it is being sent. */
  readonly end?: DigestEnd & { readonly at: number };
}

export interface DigestLedger {
  claimDigests(request: ClaimRequest): Promise<readonly DueDigest[]>;
  /** Its workflow knows; unless it says otherwise it is woken again after `watchMs`. */
  digestWoken(due: DueDigest, now: number, watchMs: number): Promise<void>;
  digestNotWoken(
    due: DueDigest,
    failure: { now: number; backoffMs: number; reason: string },
  ): Promise<void>;
  /**
   * Answers when there is something to be done: at `nextAt`, at once for a digest that was begun,
   * or never, and then whatever is added wakes the workflow again. `watchMs` after that moment the
   * relay looks after it.
   */
  planDigest(
    ref: DigestRef,
    plan: { now: number; nextAt: number; watchMs: number },
  ): Promise<number | undefined>;
  /** All that waits becomes one digest, or the one that was begun is answered. */
  claimDigest(ref: DigestRef, now: number): Promise<ClaimedDigest | undefined>;
  digestContents(org: string, id: string): Promise<DigestContents>;
  /** What the next digest would hold now. */
  waitingContents(ref: DigestRef): Promise<DigestContents>;
  /** The first end stands. One that failed is told to the operators. */
  endDigest(ref: DigestRef, id: string, end: DigestEnd, now: number): Promise<void>;
  /** The newest first. */
  digests(org: string, recipient: string, limit: number): Promise<readonly DigestView[]>;
}
