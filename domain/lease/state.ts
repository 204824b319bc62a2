/** Everything a guard knows of its leases: plain JSON, sums only, bounded. */
import { NOTHING, type Amounts } from './amounts.js';
import type { Clock } from './clock.js';
import type { Halt, MarkedLease } from './events.js';
import type { HeldLease } from './held.js';
import type { LeaseAsk, LeaseBudget, LeaseClose } from './lease.js';
import type { HolderPolicy } from './policy.js';

export interface WaitingCall {
  readonly id: number;
  readonly worst: Amounts;
  /** Mono ms: refused then. */
  readonly until: number;
}

/** The one request under way: repeated as it is until it is answered (L5). */
export interface PendingRequest {
  readonly n: number;
  readonly request:
    | { readonly type: 'ask'; readonly ask: LeaseAsk }
    | { readonly type: 'close'; readonly close: LeaseClose };
  /** The first time it went out: what its answer grants expires from here. Undefined: not yet. */
  readonly sentAt: Clock | undefined;
  /** Mono ms: sent again then. */
  readonly againAt: number;
  readonly tries: number;
}

/** There was no room when it was last asked for. */
export interface Scarcity {
  readonly budget: LeaseBudget | undefined;
  readonly tries: number;
  /** Mono ms: asked again then, if calls still wait. */
  readonly againAt: number;
  /** A call has waited in vain: the next ones are told at once. */
  readonly gaveUp: boolean;
}

/** All fields are always there: what every call copies keeps one shape, which is fast. */
export interface HolderState {
  readonly holder: string;
  readonly agent: string;
  readonly run: string | undefined;
  readonly policy: HolderPolicy;
  /** 0 to 1, the holder's own: so that a thousand of them do not move at once. */
  readonly spread: number;
  readonly ended: boolean;
  /** The number of the last request. */
  readonly n: number;
  readonly pending: PendingRequest | undefined;
  readonly current: HeldLease | undefined;
  /** L5. Of the period after this one. */
  readonly next: HeldLease | undefined;
  /** It was asked for in this period; answered or not. */
  readonly nextAsked: boolean;
  /** Over for new calls; each is closed when its last call has ended. */
  readonly draining: readonly HeldLease[];
  /** Of its predecessor: closed at their marks before anything else. */
  readonly orphans: readonly MarkedLease[];
  /** Nothing limits the agent until then. */
  readonly unlimitedUntil: Clock | undefined;
  readonly waiting: readonly WaitingCall[];
  readonly halt: (Halt & { readonly sinceN: number; readonly recheckAt: number }) | undefined;
  /** Mono ms since which nothing was heard of the service. */
  readonly unreachableAt: number | undefined;
  /** The last refusal for lack of room; absent once something was granted. */
  readonly scarce: Scarcity | undefined;
  /** Somebody wants what is not reserved here. */
  readonly wanted: boolean;
  /** The limits are others now: the lease is asked for again, as it is. */
  readonly refresh: boolean;
  /** No stride is asked for until then, mono ms: others want room. */
  readonly modestUntil: number;
  readonly gaveBackAt: number;
  /** Mono ms of the last start of a call. */
  readonly startedAt: number;
  readonly lastWorst: Amounts;
  readonly stride: number;
  readonly grewAt: number;
  readonly journal: {
    readonly rev: number;
    /** What the disk says. */
    readonly n: number;
    readonly ids: readonly string[];
    /** What is on its way to it. */
    readonly writing: { readonly n: number; readonly ids: readonly string[] } | undefined;
  };
}

export interface HolderInput {
  /** 1 to 100 of A-Z a-z 0-9 . _ : -; one journal, one holder. */
  readonly holder: string;
  readonly agent: string;
  readonly run?: string;
  readonly policy: HolderPolicy;
}

export function beginHolder(input: HolderInput): HolderState {
  return {
    holder: input.holder,
    agent: input.agent,
    run: input.run,
    policy: input.policy,
    spread: spreadOf(input.holder),
    ended: false,
    n: 0,
    pending: undefined,
    current: undefined,
    next: undefined,
    nextAsked: false,
    draining: [],
    orphans: [],
    unlimitedUntil: undefined,
    waiting: [],
    halt: undefined,
    unreachableAt: undefined,
    scarce: undefined,
    wanted: false,
    refresh: false,
    modestUntil: Number.MIN_SAFE_INTEGER,
    gaveBackAt: Number.MIN_SAFE_INTEGER,
    startedAt: Number.MIN_SAFE_INTEGER,
    lastWorst: NOTHING,
    stride: input.policy.strideCalls,
    grewAt: Number.MIN_SAFE_INTEGER,
    journal: { rev: 0, n: 0, ids: [], writing: undefined },
  };
}

function spreadOf(holder: string): number {
  let mixed = 2_166_136_261;
  for (let index = 0; index < holder.length; index += 1) {
    mixed = Math.imul(mixed ^ holder.charCodeAt(index), 16_777_619);
  }
  return (mixed >>> 0) / 4_294_967_296;
}
