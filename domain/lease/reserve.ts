/**
 * The fast path: a call that the lease has room for starts and ends without a request, a wait or
 * a list that grows. Some microseconds each.
 */
import type { Amounts } from './amounts.js';
import { isOver, type Clock } from './clock.js';
import type { HolderEffect } from './events.js';
import { hasRoom, isInForce, isMarked, reserve } from './held.js';
import { isMarkOff } from './journal.js';
import { isRefillDue } from './rest.js';
import { run } from './run.js';
import type { HolderState } from './state.js';
import { settleOn } from './turn.js';

const NO_EFFECTS: readonly HolderEffect[] = [];

export interface Reserved {
  readonly state: HolderState;
  readonly effects: readonly HolderEffect[];
  /** Absent: nothing limits the agent; the event names no lease. */
  readonly lease?: string;
}

/**
 * Leave for a call of at most `worst`, from what is held; undefined: none at hand, dispatch
 * `callWanted`.
 */
export function tryReserve(state: HolderState, worst: Amounts, clock: Clock): Reserved | undefined {
  if (state.halt !== undefined || state.ended || state.waiting.length > 0) return undefined;
  const { current, unlimitedUntil } = state;
  if (unlimitedUntil !== undefined && !isOver(unlimitedUntil, clock)) {
    const used = { ...state, startedAt: clock.mono, lastWorst: worst };
    return { state: used, effects: NO_EFFECTS };
  }
  if (current === undefined || !isInForce(current, clock)) return undefined;
  if (!hasRoom(current, worst) || !isMarked(current, worst)) return undefined;
  const after: HolderState = {
    ...state,
    current: reserve(current, worst),
    startedAt: clock.mono,
    lastWorst: worst,
  };
  return { ...followUp(after, clock), lease: current.id };
}

export interface Settled {
  readonly state: HolderState;
  readonly effects: readonly HolderEffect[];
  /** `lease_seq` of its event; absent: nothing was spent, or the lease is not known. */
  readonly seq?: number;
}

/**
 * The end of a call under a lease. `actual` is what it was billed, counted as it is; undefined:
 * it was never made.
 */
export function settleCall(
  state: HolderState,
  call: { readonly lease: string; readonly worst: Amounts },
  actual: Amounts | undefined,
  clock: Clock,
): Settled {
  const settled = settleOn(state, call, actual);
  if (settled === undefined) return { state, effects: NO_EFFECTS };
  const { lease } = settled;
  const seq = actual === undefined ? undefined : lease.seq;
  const isDrained = lease.drainsSince !== undefined && lease.inFlight === 0;
  const after =
    isDrained || state.waiting.length > 0
      ? run(settled.state, clock)
      : followUp(settled.state, clock);
  return { ...after, ...(seq !== undefined && { seq }) };
}

/** Growth and marks ahead, only where they are due. */
function followUp(
  state: HolderState,
  clock: Clock,
): { state: HolderState; effects: readonly HolderEffect[] } {
  const { current, journal, pending } = state;
  if (current === undefined) return { state, effects: NO_EFFECTS };
  const isDue =
    (pending === undefined && isRefillDue(state, current)) ||
    (journal.writing === undefined && isMarkOff(state, current));
  return isDue ? run(state, clock) : { state, effects: NO_EFFECTS };
}
