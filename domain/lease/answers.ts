/**
 * What an answer of the book changes. Only the request under way has one; expiry counts from the
 * first time it was sent, as a repeat gets the answer that was made then (L5).
 */
import type { AmountName } from './amounts.js';
import { clockAfter, type Clock } from './clock.js';
import type { HolderEffect } from './events.js';
import { freeOf, holdLease, isLimited, type HeldLease } from './held.js';
import type { GrantedLease, LeaseAnswer, LeaseAsk } from './lease.js';
import { answeredTo, pauseOf } from './requests.js';
import type { HolderState, WaitingCall } from './state.js';
import { drain } from './turn.js';

type Granted = Extract<LeaseAnswer, { type: 'granted' }>;
type Refused = Extract<LeaseAnswer, { type: 'refused' }>;

interface Answered {
  readonly ask: LeaseAsk;
  readonly n: number;
  readonly at: { readonly sentAt: Clock; readonly now: Clock };
}

export function takeAnswer(
  before: HolderState,
  n: number,
  answer: LeaseAnswer,
  now: Clock,
  out: HolderEffect[],
): HolderState {
  const { pending } = before;
  if (pending?.n !== n || pending.sentAt === undefined || pending.request.type !== 'ask') {
    return before;
  }
  const { ask } = pending.request;
  const answered: Answered = { ask, n, at: { sentAt: pending.sentAt, now } };
  const state = answeredTo(before);
  if (ask.startsNext === true) {
    return answer.type === 'granted'
      ? { ...state, next: holdLease(answer.lease, undefined, answered.at, state.policy) }
      : state;
  }
  switch (answer.type) {
    case 'granted':
      return takeGrant(state, answer, answered);
    case 'unlimited':
      return {
        ...lifted(drain(state, now), n),
        scarce: undefined,
        unlimitedUntil: clockAfter(answered.at.sentAt, answer.renewInMs),
      };
    case 'refused':
      return takeRefusal(state, answer, answered, out);
  }
}

function takeGrant(before: HolderState, answer: Granted, answered: Answered): HolderState {
  const state = withLease(lifted(before, answered.n), answer.lease, answered);
  const hasMore = state.current !== undefined && hasGrown(state.current);
  const modestUntil = answered.at.now.mono + state.policy.strideMs;
  return {
    ...state,
    unlimitedUntil: undefined,
    wanted: answer.wanted,
    modestUntil: answer.wanted ? modestUntil : state.modestUntil,
    scarce: hasMore ? undefined : state.scarce,
  };
}

function takeRefusal(
  state: HolderState,
  answer: Refused,
  answered: Answered,
  out: HolderEffect[],
): HolderState {
  const { now } = answered.at;
  switch (answer.why) {
    case 'stopped':
    case 'killed': {
      const halt = {
        why: answer.why,
        reason: answer.reason ?? `The agent is ${answer.why}.`,
        sinceN: state.n,
        recheckAt: now.mono + state.policy.recheckMs,
      };
      return { ...state, halt };
    }
    case 'ended':
      // An answer to a first ask would say it for ever: asked again like one without room.
      return answered.ask.lease === undefined
        ? becomeScarce(state, answer, now)
        : drain(state, now);
    case 'exhausted': {
      const standing =
        answer.lease === undefined ? state : withLease(state, answer.lease, answered);
      return refuseHopeless(becomeScarce(standing, answer, now), answer, now, out);
    }
  }
}

/** A late answer may speak of a lease that drains already: then it says nothing new. */
function withLease(state: HolderState, lease: GrantedLease, { ask, at }: Answered): HolderState {
  if (ask.lease === undefined) {
    // One that was promoted meanwhile makes way: what calls use is what was asked for last.
    return { ...drain(state, at.now), current: holdLease(lease, undefined, at, state.policy) };
  }
  if (state.current?.id !== lease.id) return state;
  return { ...state, current: holdLease(lease, state.current, at, state.policy) };
}

/** K4. What was asked after the halt was seen and is granted says that it is over. */
function lifted(state: HolderState, n: number): HolderState {
  if (state.halt === undefined || n <= state.halt.sinceN) return state;
  return { ...state, halt: undefined };
}

function becomeScarce(state: HolderState, answer: Refused, now: Clock): HolderState {
  const tries = (state.scarce?.tries ?? 0) + 1;
  return {
    ...state,
    scarce: {
      budget: answer.budget,
      tries,
      againAt: now.mono + pauseOf(state, tries),
      gaveUp: state.scarce?.gaveUp ?? false,
    },
  };
}

/**
 * Refuses at once what no waiting helps: more than is left, nothing that comes back from here or
 * from others. A call that waited in vain before makes the next ones take others' word no more.
 */
function refuseHopeless(
  state: HolderState,
  answer: Refused,
  now: Clock,
  out: HolderEffect[],
): HolderState {
  const { budget } = answer;
  if (budget === undefined || budget.dimension === 'duration') return state;
  const name: AmountName = budget.dimension === 'tokens_total' ? 'tokens' : budget.dimension;
  const mayComeBack =
    (state.current?.reserved[name] ?? 0) > 0 ||
    (answer.othersHold && state.scarce?.gaveUp !== true);
  if (mayComeBack) return state;
  const room = Math.max(budget.limit - budget.spent - budget.leased, 0);
  const free = state.current === undefined ? 0 : freeOf(state.current)[name];
  const kept: WaitingCall[] = [];
  for (const call of state.waiting) {
    if (call.worst[name] <= room + free) kept.push(call);
    else out.push({ type: 'refuse', id: call.id, refusal: { why: 'budget', budget } });
  }
  if (kept.length === state.waiting.length || state.scarce === undefined) return state;
  return { ...state, waiting: kept, scarce: { ...state.scarce, againAt: now.mono } };
}

function hasGrown(lease: HeldLease): boolean {
  return (
    (isLimited(lease, 'cost') && lease.growth.cost > 0) ||
    (isLimited(lease, 'tokens') && lease.growth.tokens > 0) ||
    (isLimited(lease, 'calls') && lease.growth.calls > 0)
  );
}
