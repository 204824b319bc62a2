/**
 * Leases as the book keeps them (L1 to L5).
 *
 * Invariants
 * LE-1. For every budget and limited dimension: spent + the open remainders of its leases are at
 *       most the limit whenever something is granted (L2). A remainder is what was granted and
 *       not settled, never below 0.
 * LE-2. An ask locks its leases first, then its periods in id order, and reads the remainders
 *       after it has the locks. Ingest goes the same way: leases, then periods.
 * LE-3. The usage event is the only settlement: it settles in the transaction that counts it.
 * LE-4. What was granted stays counted until it is settled, closed by its own guard, abandoned
 *       above the mark, released by an operator, or its period is over (L4). Expiry frees nothing.
 * LE-5. A lease counts in every period of its agent and organisation whose window meets its own,
 *       and in its run's: also in one that was configured after it was granted.
 *
 * A book that was restored to an older state does not know the leases of since: an ask for one is
 * refused as `ended`, its close answered `unknown`, and its events count as `unleased`.
 */
import type { Amounts } from '../domain/lease/amounts.js';
import type {
  ClosedLease,
  LeaseAnswer,
  LeaseAsk,
  LeaseClose,
  LeaseState,
} from '../domain/lease/lease.js';
import type { Scope } from '../domain/budget/period-key.js';
import type { Killed } from '../domain/budget/state.js';
import type { PeriodSeed, Stop } from './usage.js';

/** An ask with the periods its calls count in: rows that are not there yet are made. */
export interface PlacedAsk {
  readonly org: string;
  readonly ask: LeaseAsk;
  /** All of them, those without a `block` limit included; of the time for which it asks. */
  readonly seeds: readonly PeriodSeed[];
  /** The revisions they were placed under, as a batch of usage names them. */
  readonly revisions: readonly { readonly scope: Scope; readonly rev: number }[];
}

export type AskResult =
  | { readonly type: 'answered'; readonly answer: LeaseAnswer }
  /** L5. The holder has asked something newer. */
  | { readonly type: 'stale' }
  /** Nothing was written: the seeds have to be placed anew. */
  | { readonly type: 'stale_configuration' };

export type CloseResult =
  { readonly type: 'closed'; readonly closed: ClosedLease } | { readonly type: 'stale' };

/** Numbers of leases; ms and basis points. */
export interface LeasePolicy {
  readonly ttlMs: number;
  /** How long before its period a lease of the next one is granted. */
  readonly aheadMs: number;
  /** How long a refusal makes others give back. */
  readonly wantedMs: number;
  /** How long after its expiry a holder counts as vanished. */
  readonly vanishedMs: number;
  /** Of an `unlimited` answer. */
  readonly renewMs: number;
  /** Asks answered in one transaction. */
  readonly batch: number;
}

export const DEFAULT_LEASE_POLICY: LeasePolicy = {
  ...{ ttlMs: 30_000, aheadMs: 60_000, wantedMs: 5_000, vanishedMs: 60_000, renewMs: 10_000 },
  batch: 200,
};

export interface LeaseView {
  readonly id: string;
  readonly org: string;
  readonly agent: string;
  readonly run?: string;
  readonly holder: string;
  readonly state: LeaseState;
  readonly granted: Amounts;
  readonly settled: Amounts;
  /** What of it stays counted. */
  readonly remainder: Amounts;
  readonly periods: readonly string[];
  /** Epoch ms. */
  readonly openedAt: number;
  readonly renewedAt: number;
  readonly expiresAt: number;
  readonly closedAt?: number;
  /** Not closed, and not heard of since it expired. */
  readonly vanished: boolean;
  /** Why it ended, in words. */
  readonly why?: string;
}

export interface LeasePage {
  readonly openedAt: number;
  readonly id: string;
}

export interface GuardWatch {
  readonly org: string;
  readonly agent: string;
}

/** What a running guard has to know this second. */
export interface GuardStanding extends GuardWatch {
  readonly stopped?: Stop;
  /** Killed periods its calls count in now. */
  readonly killed: readonly {
    readonly periodId: string;
    readonly killed: Killed;
    /** When its period ends; absent: it does not by itself. Epoch ms. */
    readonly endsAt?: number;
    /** The run it is; absent: not a run, but whatever its agent does. */
    readonly run?: string;
  }[];
  /** Of its agent and organisation: a change of limits makes it another. */
  readonly limitsMark: string;
  /** Rows in which more is granted than there is room for, or where room is wanted. */
  readonly recalls: readonly {
    readonly periodId: string;
    readonly why: 'overrun' | 'wanted';
  }[];
}

export interface LeaseLedger {
  /** Asks that come while others are being answered are answered together. */
  askLease(ask: PlacedAsk, now: number): Promise<AskResult>;
  closeLease(org: string, close: LeaseClose, now: number): Promise<CloseResult>;
  /** L4. By an operator, audited. False: there is none that holds anything. */
  releaseLease(
    org: string,
    id: string,
    word: { by: string; reason: string; now: number },
  ): Promise<boolean>;
  leases(query: {
    org: string;
    agent?: string;
    periodId?: string;
    /** Only those that hold something. */
    holding?: boolean;
    state?: LeaseState;
    now: number;
    limit: number;
    after?: LeasePage;
  }): Promise<readonly LeaseView[]>;
  /** One statement for all of them. */
  guardStandings(watches: readonly GuardWatch[], now: number): Promise<readonly GuardStanding[]>;
}
