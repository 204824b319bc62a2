/** When something is due of a lease: what plans, timers and the fast path agree on. */
import { AMOUNTS } from './amounts.js';
import { msUntil, type Clock } from './clock.js';
import { freeOf, isLimited, type HeldLease } from './held.js';
import type { HolderState } from './state.js';

/** No call is under way, and none has begun for a while. */
export function isResting(state: HolderState, lease: HeldLease, clock: Clock): boolean {
  return lease.inFlight === 0 && clock.mono - state.startedAt >= state.policy.idleMs;
}

/** Until it is renewed, or closed where it rests. */
export function msUntilRenewal(state: HolderState, lease: HeldLease, clock: Clock): number {
  return Math.max(msUntil(lease.expires, clock) - state.policy.renewAheadMs, 0);
}

/** Spread over holders, so that a midnight does not bring them all at once. */
export function nextAheadOf(state: HolderState): number {
  return state.policy.nextAheadMs * (1 - state.spread / 2);
}

/** 0: its calls have ended, and its events are stored or were waited for long enough. */
export function msUntilClose(
  lease: HeldLease,
  closeAnywayMs: number,
  clock: Clock,
): number | undefined {
  if (lease.closed || lease.inFlight > 0) return undefined;
  if (lease.reported >= lease.seq) return 0;
  return Math.max((lease.drainsSince ?? clock.mono) + closeAnywayMs - clock.mono, 0);
}

/** Less than a part of the last growth is left, and growth was worth asking ahead for. */
export function isRefillDue(state: HolderState, lease: HeldLease): boolean {
  const free = freeOf(lease);
  return AMOUNTS.some(
    (name) =>
      isLimited(lease, name) &&
      lease.growth[name] >= 2 * state.lastWorst[name] &&
      free[name] * state.policy.refillParts < lease.growth[name],
  );
}
