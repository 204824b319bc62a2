/**
 * The guard's machine: calls in, leave, requests and marks out (L1, L4 to L6). Pure; the engine of
 * the SDK drives it.
 *
 * M-1. A call starts only under a lease that is in force, within what it grants and what the
 *      journal marks; or where nothing limits the agent; or, `open`, when nobody answers (L6).
 * M-2. After a Stop or kill no call starts, who waits is refused, and the leases go back (K1, K2).
 * M-3. One request is under way; late, doubled and foreign answers change nothing (L5).
 * M-4. State is sums, a bounded queue and the leases that calls are still under way in.
 */
import { addAmounts, NOTHING, subtractAmounts, type Amounts } from './amounts.js';
import { takeAnswer } from './answers.js';
import type { Clock } from './clock.js';
import type { HolderEffect, HolderEvent } from './events.js';
import { takeMarked } from './journal.js';
import type { ClosedLease } from './lease.js';
import { recheckHalt } from './plan.js';
import { answeredTo, requestFailed, requestStale } from './requests.js';
import { run } from './run.js';
import { refuseAll, takeCall } from './serve.js';
import type { HolderState } from './state.js';
import { takeReported } from './turn.js';
import { assertNever } from '../step.js';
import type { Step } from '../step.js';

export { dueInMs } from './due.js';
export { recoverHolder } from './recover.js';
export { settleCall, tryReserve, type Reserved, type Settled } from './reserve.js';
export { beginHolder, type HolderInput, type HolderState } from './state.js';

export function reduceHolder(
  before: HolderState,
  event: HolderEvent,
  clock: Clock,
): Step<HolderState, HolderEffect> {
  const out: HolderEffect[] = [];
  const { state, effects } = run(take(before, event, clock, out), clock, out);
  return [state, effects];
}

/** After `ended`: nothing is held, nothing under way, and the journal says so. */
export function isDone(state: HolderState): boolean {
  return (
    state.ended &&
    state.pending === undefined &&
    state.current === undefined &&
    state.next === undefined &&
    state.draining.length === 0 &&
    state.orphans.length === 0 &&
    state.journal.writing === undefined &&
    state.journal.ids.length === 0
  );
}

/** What is granted and not used, over all leases: reserved and free. Unlimited ones: 2^53 - 1. */
export function heldOf(state: HolderState): Amounts {
  const leases = state.current === undefined ? state.draining : [...state.draining, state.current];
  return leases
    .map((lease) => subtractAmounts(lease.granted, lease.used))
    .reduce(addAmounts, NOTHING);
}

function take(
  state: HolderState,
  event: HolderEvent,
  clock: Clock,
  out: HolderEffect[],
): HolderState {
  switch (event.type) {
    case 'callWanted': {
      const { id, worst } = event;
      return takeCall(recheckHalt(state, worst, clock), { id, worst }, clock, out);
    }
    case 'callForgotten':
      return { ...state, waiting: state.waiting.filter((call) => call.id !== event.id) };
    case 'answered':
      return takeAnswer(state, event.n, event.answer, clock, out);
    case 'closeAnswered':
      return takeClosed(state, event.n, event.closed);
    case 'requestFailed':
      return requestFailed(state, event.n, clock);
    case 'requestRejected':
      return takeRejected(state, event, clock, out);
    case 'requestStale':
      return requestStale(state, event.n);
    case 'marked':
      return takeMarked(state, event.rev);
    case 'reported':
      return takeReported(state, event.lease, event.upTo);
    case 'stood':
      return takeStanding(state, event, clock);
    case 'limitsChanged':
      return takeLimits(state, clock);
    case 'recalled':
      return takeRecall(state, event.why, clock);
    case 'ticked':
      return state;
    case 'ended':
      return withoutUnsent({ ...state, ended: true });
    default:
      return assertNever(event);
  }
}

function takeClosed(state: HolderState, n: number, closed: ClosedLease): HolderState {
  const { pending } = state;
  if (pending?.n !== n || pending.sentAt === undefined || pending.request.type !== 'close') {
    return state;
  }
  const { lease: id } = pending.request.close;
  return {
    ...answeredTo(state),
    orphans: state.orphans.filter((orphan) => orphan.id !== id),
    // `closing` waits for events that we still have: it stays in the journal until they are stored.
    draining: state.draining.flatMap((lease) => {
      if (lease.id !== id) return [lease];
      return closed.state === 'closing' ? [{ ...lease, closed: true }] : [];
    }),
  };
}

/** The service will never take it (a key that is wrong): who waits is told; later calls try anew. */
function takeRejected(
  state: HolderState,
  event: Extract<HolderEvent, { type: 'requestRejected' }>,
  clock: Clock,
  out: HolderEffect[],
): HolderState {
  const { pending } = state;
  if (pending?.n !== event.n) return state;
  const refused = refuseAll(state, { why: 'rejected', reason: event.detail }, out);
  const closing = pending.request.type === 'close' ? pending.request.close.lease : undefined;
  const tries = (state.scarce?.tries ?? 0) + 1;
  return {
    ...answeredTo(refused),
    orphans: state.orphans.filter((orphan) => orphan.id !== closing),
    draining: state.draining.filter((lease) => lease.id !== closing),
    scarce: { budget: undefined, tries, againAt: clock.mono + state.policy.retryMs, gaveUp: true },
  };
}

function takeStanding(
  state: HolderState,
  event: Extract<HolderEvent, { type: 'stood' }>,
  clock: Clock,
): HolderState {
  if (event.halt === undefined) return { ...state, halt: undefined };
  const recheckAt = clock.mono + state.policy.recheckMs;
  return withoutUnsent({ ...state, halt: { ...event.halt, sinceN: state.n, recheckAt } });
}

/** A request that the journal still has to cover was never sent: nothing is lost with it. */
function withoutUnsent(state: HolderState): HolderState {
  const { pending } = state;
  if (pending === undefined || pending.sentAt !== undefined) return state;
  if (pending.request.type === 'close') return state;
  return { ...state, pending: undefined };
}

/** Raised, lowered or a new budget: asked again, so that the lease counts in what is there now. */
function takeLimits(state: HolderState, clock: Clock): HolderState {
  const { scarce } = state;
  return {
    ...state,
    unlimitedUntil: undefined,
    refresh: state.current !== undefined,
    scarce: scarce && { ...scarce, againAt: clock.mono, gaveUp: false },
  };
}

function takeRecall(
  state: HolderState,
  why: 'overrun' | 'lowered' | 'wanted',
  clock: Clock,
): HolderState {
  const modestUntil = clock.mono + state.policy.strideMs;
  if (why === 'wanted' || state.current === undefined) {
    return { ...state, wanted: true, modestUntil };
  }
  // There is less than was granted: back at once, whenever it was done last.
  const gaveBackAt = Number.MIN_SAFE_INTEGER;
  return { ...state, wanted: true, modestUntil, gaveBackAt };
}
