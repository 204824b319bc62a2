/** What a guard's machine hears, and what it wants done. */
import type { Amounts } from './amounts.js';
import type { ClosedLease, LeaseAnswer, LeaseAsk, LeaseBudget, LeaseClose } from './lease.js';

/** A Stop of a person or the kill of a budget, as it stands. */
export interface Halt {
  readonly why: 'stopped' | 'killed';
  /** Who and why, in words. */
  readonly reason: string;
}

/** Why a call has no leave. `full`: too many wait already; `closed`: the guard is. */
export interface HolderRefusal {
  readonly why: 'budget' | 'killed' | 'stopped' | 'unreachable' | 'rejected' | 'full' | 'closed';
  readonly reason?: string;
  /** The one without room, as the last answer showed it. */
  readonly budget?: LeaseBudget;
}

export type HolderEvent =
  /** `id` is the caller's own and comes back in `admit` or `refuse`. */
  | { readonly type: 'callWanted'; readonly id: number; readonly worst: Amounts }
  /** Nobody waits for it any more. */
  | { readonly type: 'callForgotten'; readonly id: number }
  | { readonly type: 'answered'; readonly n: number; readonly answer: LeaseAnswer }
  | { readonly type: 'closeAnswered'; readonly n: number; readonly closed: ClosedLease }
  /** No answer came, or one that says nothing (429, 5xx): the same will be sent again. */
  | { readonly type: 'requestFailed'; readonly n: number }
  /** It was understood and will never be taken (400, 401, 403). */
  | { readonly type: 'requestRejected'; readonly n: number; readonly detail: string }
  /** 409: this holder has asked something newer. */
  | { readonly type: 'requestStale'; readonly n: number }
  /** The journal holds this revision, on disk. */
  | { readonly type: 'marked'; readonly rev: number }
  /** Events of a lease up to this number are stored at the service. */
  | { readonly type: 'reported'; readonly lease: string; readonly upTo: number }
  /** The live channel's `standing`; without a halt nothing holds the agent back (K4). */
  | { readonly type: 'stood'; readonly halt?: Halt }
  | { readonly type: 'limitsChanged' }
  | { readonly type: 'recalled'; readonly why: 'overrun' | 'lowered' | 'wanted' }
  | { readonly type: 'ticked' }
  /** The guard ends: what is under way may end, nothing is begun, everything is given back. */
  | { readonly type: 'ended' };

/** L4. What its guard may have spent of a lease, over its life. */
export interface MarkedLease {
  readonly id: string;
  readonly mark: Amounts;
}

/** What the journal says of a holder. The newest record is the whole truth. */
export interface HolderRecord {
  readonly holder: string;
  readonly agent: string;
  /** No request has a higher number. */
  readonly n: number;
  readonly leases: readonly MarkedLease[];
}

export type HolderEffect =
  /** Without a lease: nothing limits the call, or the service is away and the policy is `open`. */
  | { readonly type: 'admit'; readonly id: number; readonly lease?: string }
  | { readonly type: 'refuse'; readonly id: number; readonly refusal: HolderRefusal }
  | { readonly type: 'ask'; readonly ask: LeaseAsk }
  | { readonly type: 'close'; readonly close: LeaseClose }
  /** Write it, and say `marked` when it is on disk. */
  | { readonly type: 'mark'; readonly rev: number; readonly record: HolderRecord };
