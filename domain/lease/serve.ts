/**
 * Calls that could not start at once: first come, first served. While the book has no room, what
 * fits may pass what does not, so that the last of a budget is used.
 */
import type { Clock } from './clock.js';
import type { HolderEffect, HolderRefusal } from './events.js';
import { hasRoom, isInForce, isMarked, reserve } from './held.js';
import type { HolderState, WaitingCall } from './state.js';

export function takeCall(
  state: HolderState,
  call: Omit<WaitingCall, 'until'>,
  clock: Clock,
  out: HolderEffect[],
): HolderState {
  if (state.waiting.length >= state.policy.queueMax) {
    out.push({ type: 'refuse', id: call.id, refusal: { why: 'full' } });
    return state;
  }
  const { unreachableAt, policy } = state;
  // Who waited as long already found nobody: the next one is told at once (L6).
  const isLongGone = unreachableAt !== undefined && clock.mono - unreachableAt >= policy.waitMs;
  const until = clock.mono + (isLongGone ? 0 : policy.waitMs);
  return { ...state, waiting: [...state.waiting, { ...call, until }] };
}

/** Admits what may start, refuses what may not or has waited long enough. */
export function serveWaiting(before: HolderState, clock: Clock, out: HolderEffect[]): HolderState {
  if (before.waiting.length === 0) return before;
  if (before.ended) return refuseAll(before, { why: 'closed' }, out);
  if (before.halt !== undefined) {
    const { why, reason } = before.halt;
    return refuseAll(before, { why, reason }, out);
  }
  let state = before;
  const kept: WaitingCall[] = [];
  let isHeldUp = false;
  for (const call of before.waiting) {
    const served = isHeldUp ? undefined : serveOne(state, call, clock, out);
    if (served !== undefined) state = served;
    else kept.push(call);
    // Without scarcity nobody passes the first: the book has room for it.
    if (served === undefined && state.scarce === undefined) isHeldUp = true;
  }
  return kept.length === before.waiting.length ? state : { ...state, waiting: kept };
}

/** The state after it was admitted or refused; undefined: it waits on. */
function serveOne(
  state: HolderState,
  call: WaitingCall,
  clock: Clock,
  out: HolderEffect[],
): HolderState | undefined {
  const { current } = state;
  if (state.unlimitedUntil !== undefined) {
    out.push({ type: 'admit', id: call.id });
    return state;
  }
  if (current !== undefined && isInForce(current, clock) && hasRoom(current, call.worst)) {
    if (isMarked(current, call.worst)) {
      out.push({ type: 'admit', id: call.id, lease: current.id });
      return {
        ...state,
        current: reserve(current, call.worst),
        startedAt: clock.mono,
        lastWorst: call.worst,
      };
    }
  }
  const isLate = clock.mono >= call.until;
  if (goesOn(state, isLate)) {
    out.push({ type: 'admit', id: call.id });
    return state;
  }
  if (!isLate) return undefined;
  out.push({ type: 'refuse', id: call.id, refusal: refusalOf(state) });
  const { scarce } = state;
  return scarce === undefined || scarce.gaveUp
    ? state
    : { ...state, scarce: { ...scarce, gaveUp: true } };
}

/** L6. `open`: nobody answers, so the call is made and reported. */
function goesOn(state: HolderState, isLate: boolean): boolean {
  if (state.policy.unreachable !== 'open') return false;
  return state.unreachableAt !== undefined || (isLate && state.scarce === undefined);
}

function refusalOf(state: HolderState): HolderRefusal {
  const { scarce } = state;
  if (state.unreachableAt !== undefined || scarce === undefined) return { why: 'unreachable' };
  return { why: 'budget', ...(scarce.budget !== undefined && { budget: scarce.budget }) };
}

export function refuseAll(
  state: HolderState,
  refusal: HolderRefusal,
  out: HolderEffect[],
): HolderState {
  for (const call of state.waiting) out.push({ type: 'refuse', id: call.id, refusal });
  return { ...state, waiting: [] };
}
