/**
 * The one request a guard has under way (L5): sent when the journal covers it, repeated as it is
 * until it is answered, then forgotten. So whatever comes late or twice answers nothing.
 */
import type { Clock } from './clock.js';
import type { HolderEffect } from './events.js';
import { isJournaled } from './journal.js';
import type { PendingRequest, HolderState } from './state.js';

/** After a 409 numbers go on well above whatever was used. */
const STALE_JUMP = 1_000;

export function openRequest(
  state: HolderState,
  make: (n: number) => PendingRequest['request'],
): HolderState {
  const n = state.n + 1;
  return { ...state, n, pending: { n, request: make(n), sentAt: undefined, againAt: 0, tries: 0 } };
}

/** Sends what waits for it: for the first time, or once more when its time has come. */
export function sendRequest(state: HolderState, clock: Clock, out: HolderEffect[]): HolderState {
  const { pending } = state;
  if (pending === undefined || !isJournaled(state, pending)) return state;
  if (pending.sentAt !== undefined && clock.mono < pending.againAt) return state;
  const { request } = pending;
  const isRepeat = pending.sentAt !== undefined;
  out.push(
    request.type === 'ask'
      ? { type: 'ask', ask: request.ask }
      : { type: 'close', close: request.close },
  );
  return {
    ...state,
    pending: {
      ...pending,
      sentAt: pending.sentAt ?? clock,
      againAt: clock.mono + state.policy.answerMs,
      tries: pending.tries + 1,
    },
    // A repeat that nobody told us to make: the time for an answer has passed.
    unreachableAt: isRepeat ? (state.unreachableAt ?? clock.mono) : state.unreachableAt,
  };
}

export function requestFailed(state: HolderState, n: number, clock: Clock): HolderState {
  const { pending } = state;
  if (pending?.n !== n || pending.sentAt === undefined) return state;
  return {
    ...state,
    pending: { ...pending, againAt: clock.mono + pauseOf(state, pending.tries) },
    unreachableAt: state.unreachableAt ?? clock.mono,
  };
}

/** Asked anew, with a number that nobody used. */
export function requestStale(state: HolderState, n: number): HolderState {
  if (state.pending?.n !== n) return state;
  return { ...answeredTo(state), n: state.n + STALE_JUMP };
}

/** The request under way is over. */
export function answeredTo(state: HolderState): HolderState {
  return { ...state, pending: undefined, unreachableAt: undefined };
}

/** Doubles with each try, and differs from holder to holder by up to half of itself. */
export function pauseOf(state: HolderState, tries: number): number {
  const { retryMs, retryMaxMs } = state.policy;
  const pause = Math.min(retryMs * 2 ** Math.min(Math.max(tries - 1, 0), 20), retryMaxMs);
  return Math.ceil(pause * (1 - state.spread / 2));
}
