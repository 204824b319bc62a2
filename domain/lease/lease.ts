/**
 * What a guard and the book say to each other about a lease (L1 to L5). Every number is a total
 * over the lease's life, so that a repeated, late or doubled word changes nothing.
 */
import type { Cadence, Dimension } from '../words.js';
import type { Amounts } from './amounts.js';

/**
 * One question for a first grant, growth, renewal and giving back. `need` and `want` are what the
 * lease should come to in all: without `need` nothing is granted; a `want` below what was granted
 * gives the difference back.
 */
export interface LeaseAsk {
  readonly holder: string;
  /** L5. Grows with every request of this holder; the same one again gets the same answer. */
  readonly n: number;
  readonly agent: string;
  readonly run?: string;
  /** Absent: a new lease is asked for; its id is `<holder>/<n>`. */
  readonly lease?: string;
  /** L5. The period after the one that runs now, within its last minute. */
  readonly startsNext?: true;
  readonly need: Amounts;
  readonly want: Amounts;
}

/** A budget as an answer shows it: integers of its dimension. */
export interface LeaseBudget {
  readonly periodId: string;
  readonly scope: 'agent' | 'org';
  readonly cadence: Cadence;
  readonly dimension: Dimension;
  readonly limit: number;
  /** Since its reset, all senders together. */
  readonly spent: number;
  /** Open remainders of all leases in it, this one's included. */
  readonly leased: number;
  /** Epoch ms; absent: it never does. */
  readonly resetsAt?: number;
}

/** Durations count from the sending of the request (L5), ms. */
export interface GrantedLease {
  readonly id: string;
  /** All it may spend over its life. */
  readonly granted: Amounts;
  readonly expiresInMs: number;
  /** 0, or how long until its period begins. */
  readonly validInMs: number;
  /** Until its shortest period ends; absent: none of them does. */
  readonly endsInMs?: number;
  readonly budgets: readonly LeaseBudget[];
}

/** `ended`: the lease's period is over, or it was closed or released: ask for a new one. */
export type RefusedLease = 'exhausted' | 'killed' | 'stopped' | 'ended';

/** `now` is the book's clock, epoch ms. */
export type LeaseAnswer =
  | {
      readonly type: 'granted';
      readonly lease: GrantedLease;
      /** Somebody was refused for lack of room a moment ago: give back what is not reserved. */
      readonly wanted: boolean;
      readonly now: number;
    }
  | {
      readonly type: 'refused';
      readonly why: RefusedLease;
      /** The one that has no room, or is killed. */
      readonly budget?: LeaseBudget;
      /** Others hold what may come back: asking again makes sense. */
      readonly othersHold: boolean;
      /** What was granted before stands. */
      readonly lease?: GrantedLease;
      /** Who stopped it and why, in words. */
      readonly reason?: string;
      readonly now: number;
    }
  /** No `block` budget holds this agent: its calls need no lease. */
  | { readonly type: 'unlimited'; readonly renewInMs: number; readonly now: number };

/**
 * L4. With `lastSeq` its guard ends it: it is closed once all events up to it are stored. With
 * `mark` a restarted guard ends its predecessor's: what lies above the mark comes back at once.
 */
export interface LeaseClose {
  readonly holder: string;
  readonly n: number;
  readonly agent: string;
  readonly lease: string;
  readonly end: { readonly lastSeq: number } | { readonly mark: Amounts };
}

/**
 * `closing`: events are missing, and what they may have spent stays counted. `abandoned`: what its
 * guard may have spent and never reported stays counted.
 */
export type LeaseState = 'open' | 'closing' | 'closed' | 'abandoned' | 'released';

export interface ClosedLease {
  readonly lease: string;
  readonly state: LeaseState | 'unknown';
}
