/**
 * One lease in a guard's hands: sums over its life, nothing per call.
 *
 * H-1. A call starts only when used + reserved + its worst case is within what is granted and
 *      within what the journal has marked (L4).
 * H-2. A dimension that no budget of the lease limits is granted without bound.
 */
import {
  addAmounts,
  AMOUNTS,
  eachAmount,
  NOTHING,
  subtractAmounts,
  type AmountName,
  type Amounts,
} from './amounts.js';
import { clockAfter, isOver, type Clock } from './clock.js';
import type { GrantedLease, LeaseBudget } from './lease.js';
import type { HolderPolicy } from './policy.js';

export interface HeldLease {
  readonly id: string;
  /** What calls may come to, H-2 included. */
  readonly granted: Amounts;
  /** As the book says it, to be told back to it. */
  readonly book: Amounts;
  readonly used: Amounts;
  /** Worst cases of the calls under way. */
  readonly reserved: Amounts;
  readonly inFlight: number;
  /** `lease_seq` of the last call that was settled. */
  readonly seq: number;
  /** Events up to this one are stored at the service. */
  readonly reported: number;
  /** What the journal says, on disk: calls start within it. */
  readonly marked: Amounts;
  /** On its way to the disk. */
  readonly marking: Amounts | undefined;
  /** How far ahead a mark is set. */
  readonly block: Amounts;
  /** By how much it last grew. */
  readonly growth: Amounts;
  readonly expires: Clock;
  /** Mono ms. */
  readonly validFrom: number;
  readonly ends: Clock | undefined;
  readonly budgets: readonly LeaseBudget[];
  /** Only of one that drains: mono ms since when, and whether its close was answered. */
  readonly drainsSince: number | undefined;
  readonly closed: boolean;
}

/** A lease as an answer shows it. `sentAt`: the first sending of what it answers (L5). */
export function holdLease(
  lease: GrantedLease,
  before: HeldLease | undefined,
  at: { sentAt: Clock; now: Clock },
  policy: HolderPolicy,
): HeldLease {
  const granted = effective(lease);
  const used = before?.used ?? NOTHING;
  const open = subtractAmounts(granted, used);
  // From the receipt, not the sending: too early would be a period that has not begun.
  const valid = at.now.mono + lease.validInMs;
  return {
    id: lease.id,
    granted,
    book: lease.granted,
    used,
    reserved: before?.reserved ?? NOTHING,
    inFlight: before?.inFlight ?? 0,
    seq: before?.seq ?? 0,
    reported: before?.reported ?? 0,
    marked: before?.marked ?? NOTHING,
    marking: before?.marking,
    block: blockOf(lease, open, policy),
    growth: subtractAmounts(granted, before?.granted ?? NOTHING),
    expires: clockAfter(at.sentAt, lease.expiresInMs),
    validFrom: before === undefined ? valid : Math.min(valid, before.validFrom),
    ends: lease.endsInMs === undefined ? undefined : clockAfter(at.sentAt, lease.endsInMs),
    budgets: lease.budgets,
    drainsSince: undefined,
    closed: false,
  };
}

/** L5. New calls may start under it, as far as time goes. */
export function isInForce(lease: HeldLease, now: Clock): boolean {
  return (
    !isOver(lease.expires, now) &&
    now.mono >= lease.validFrom &&
    (lease.ends === undefined || !isOver(lease.ends, now))
  );
}

/** H-1, the half that the book decides. */
export function hasRoom(lease: HeldLease, worst: Amounts): boolean {
  return fits(lease, worst, lease.granted);
}

/** H-1, the half that the disk decides. */
export function isMarked(lease: HeldLease, worst: Amounts): boolean {
  return (
    fits(lease, worst, lease.marked) &&
    (lease.marking === undefined || fits(lease, worst, lease.marking))
  );
}

export function reserve(lease: HeldLease, worst: Amounts): HeldLease {
  return { ...lease, reserved: addAmounts(lease.reserved, worst), inFlight: lease.inFlight + 1 };
}

/** Ends a call: `actual` is counted as it is, also above its reservation. */
export function settle(lease: HeldLease, worst: Amounts, actual: Amounts | undefined): HeldLease {
  return {
    ...lease,
    used: actual === undefined ? lease.used : addAmounts(lease.used, actual),
    reserved: subtractAmounts(lease.reserved, worst),
    inFlight: Math.max(lease.inFlight - 1, 0),
    seq: actual === undefined ? lease.seq : lease.seq + 1,
  };
}

/** Used and reserved: what the lease needs as it is. */
export function committedOf(lease: HeldLease): Amounts {
  return addAmounts(lease.used, lease.reserved);
}

/** What is granted and neither used nor reserved. */
export function freeOf(lease: HeldLease): Amounts {
  return subtractAmounts(lease.granted, committedOf(lease));
}

export function isLimited(lease: HeldLease, name: AmountName): boolean {
  return lease.granted[name] < Number.MAX_SAFE_INTEGER;
}

/** There is something to give back. */
export function hasFree(lease: HeldLease): boolean {
  const free = freeOf(lease);
  return AMOUNTS.some((name) => isLimited(lease, name) && free[name] > 0);
}

function fits(lease: HeldLease, worst: Amounts, within: Amounts): boolean {
  return (
    fitsOne(lease, worst, within, 'cost') &&
    fitsOne(lease, worst, within, 'tokens') &&
    fitsOne(lease, worst, within, 'calls')
  );
}

function fitsOne(lease: HeldLease, worst: Amounts, within: Amounts, name: AmountName): boolean {
  return (
    !isLimited(lease, name) || lease.used[name] + lease.reserved[name] + worst[name] <= within[name]
  );
}

function effective(lease: GrantedLease): Amounts {
  return eachAmount((name) =>
    limitOf(lease.budgets, name) === undefined ? Number.MAX_SAFE_INTEGER : lease.granted[name],
  );
}

/** L4. Small enough that a guard that dies leaves little behind it. */
function blockOf(lease: GrantedLease, open: Amounts, policy: HolderPolicy): Amounts {
  return eachAmount((name) => {
    const limit = limitOf(lease.budgets, name);
    if (limit === undefined) return 0;
    return Math.floor(Math.min(limit / policy.markLimitParts, open[name] / policy.markGrantParts));
  });
}

/** The smallest one; undefined: nothing limits it. */
function limitOf(budgets: readonly LeaseBudget[], name: AmountName): number | undefined {
  let least: number | undefined;
  for (const budget of budgets) {
    const dimension = budget.dimension === 'tokens_total' ? 'tokens' : budget.dimension;
    if (dimension === name && (least === undefined || budget.limit < least)) least = budget.limit;
  }
  return least;
}
