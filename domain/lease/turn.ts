/**
 * What time and halts do to leases: the current one makes way for the next, the old ones drain.
 * A call that was admitted under a lease settles on it, however long ago that one ended.
 */
import type { Amounts } from './amounts.js';
import { isOver, type Clock } from './clock.js';
import { settle, type HeldLease } from './held.js';
import { isResting, msUntilRenewal } from './rest.js';
import type { HolderState } from './state.js';

/** A lease that begins so soon is waited for, ms; for one further off another is asked for. */
const SOON_MS = 1_000;

/** Closed ones whose events are not known to be stored; more are forgotten, the oldest first. */
const DRAINING_MAX = 100;

/** Brings the leases up to what the clocks, a halt or the end say. */
export function turn(before: HolderState, clock: Clock): HolderState {
  let state = before;
  if (state.halt !== undefined || state.ended) state = drainAll(state, clock);
  const ends = state.current?.ends;
  if (ends !== undefined && isOver(ends, clock)) state = drain(state, clock);
  const { current } = state;
  if (current !== undefined && isResting(state, current, clock)) {
    // What nobody uses is not renewed: an idle agent costs no requests.
    if (msUntilRenewal(state, current, clock) === 0) state = drain(state, clock);
  }
  if (state.next !== undefined && state.next.validFrom - clock.mono <= SOON_MS) {
    if (state.current === undefined) state = promote(state);
  }
  if (state.unlimitedUntil !== undefined && isOver(state.unlimitedUntil, clock)) {
    state = { ...state, unlimitedUntil: undefined };
  }
  if (state.draining.some(isForgotten)) {
    state = { ...state, draining: state.draining.filter((lease) => !isForgotten(lease)) };
  }
  return state;
}

/** The current lease takes no calls any more. */
export function drain(state: HolderState, clock: Clock): HolderState {
  const { current } = state;
  if (current === undefined) return state;
  const draining = [...state.draining, { ...current, drainsSince: clock.mono }];
  const surplus = draining.length - DRAINING_MAX;
  return {
    ...state,
    current: undefined,
    nextAsked: false,
    draining: surplus <= 0 ? draining : withoutOldestClosed(draining),
  };
}

/** Where a call under way is settled; undefined: the lease is not known here. */
export function settleOn(
  state: HolderState,
  call: { readonly lease: string; readonly worst: Amounts },
  actual: Amounts | undefined,
): { readonly state: HolderState; readonly lease: HeldLease } | undefined {
  if (state.current?.id === call.lease) {
    const lease = settle(state.current, call.worst, actual);
    return { state: { ...state, current: lease }, lease };
  }
  const index = state.draining.findIndex((one) => one.id === call.lease);
  const found = state.draining[index];
  if (found === undefined) return undefined;
  const lease = settle(found, call.worst, actual);
  return { state: { ...state, draining: state.draining.with(index, lease) }, lease };
}

export function takeReported(state: HolderState, id: string, upTo: number): HolderState {
  const heard = (lease: HeldLease): HeldLease =>
    lease.id === id && upTo > lease.reported ? { ...lease, reported: upTo } : lease;
  return {
    ...state,
    current: state.current && heard(state.current),
    draining: state.draining.map(heard),
  };
}

function drainAll(before: HolderState, clock: Clock): HolderState {
  return drain(promote(drain(before, clock)), clock);
}

/** The next period's lease becomes the one that calls start under, once it is valid. */
function promote(state: HolderState): HolderState {
  const { next } = state;
  return next === undefined ? state : { ...state, current: next, next: undefined };
}

function isForgotten(lease: HeldLease): boolean {
  return lease.closed && lease.inFlight === 0 && lease.reported >= lease.seq;
}

function withoutOldestClosed(draining: readonly HeldLease[]): readonly HeldLease[] {
  const oldest = draining.findIndex((lease) => lease.closed);
  return oldest === -1 ? draining : draining.filter((_lease, index) => index !== oldest);
}
