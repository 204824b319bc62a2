/** What a guard asks for next. One request at a time, what lets calls go on first. */
import { addAmounts, eachAmount, maxAmounts, NOTHING, type Amounts } from './amounts.js';
import { isOver, msUntil, type Clock } from './clock.js';
import { committedOf, hasFree, hasRoom, isInForce, isLimited, type HeldLease } from './held.js';
import type { LeaseAsk, LeaseClose } from './lease.js';
import { openRequest } from './requests.js';
import { isRefillDue, isResting, msUntilClose, nextAheadOf } from './rest.js';
import type { HolderState } from './state.js';

export function planRequest(state: HolderState, clock: Clock): HolderState {
  if (state.pending !== undefined) return state;
  return (
    closeOrphan(state) ??
    askForWaiting(state, clock) ??
    closeDrained(state, clock) ??
    keepLease(state, clock) ??
    state
  );
}

/** A call came while a halt stands: the book is asked whether it still does, now and then (K4). */
export function recheckHalt(state: HolderState, worst: Amounts, clock: Clock): HolderState {
  const { halt, pending } = state;
  if (halt === undefined || pending !== undefined || clock.mono < halt.recheckAt) return state;
  const recheckAt = clock.mono + state.policy.recheckMs;
  return ask({ ...state, halt: { ...halt, recheckAt } }, { need: worst, want: worst });
}

function closeOrphan(state: HolderState): HolderState | undefined {
  const [orphan] = state.orphans;
  return orphan && close(state, orphan.id, { mark: orphan.mark });
}

function closeDrained(state: HolderState, clock: Clock): HolderState | undefined {
  const due = state.draining.find(
    (lease) => msUntilClose(lease, state.policy.closeAnywayMs, clock) === 0,
  );
  return due && close(state, due.id, { lastSeq: due.seq });
}

function askForWaiting(state: HolderState, clock: Clock): HolderState | undefined {
  const [head] = state.waiting;
  const { current, scarce } = state;
  if (head === undefined || state.unlimitedUntil !== undefined) return undefined;
  if (scarce !== undefined && clock.mono < scarce.againAt) return undefined;
  if (current === undefined) return grow(state, undefined, head.worst, clock);
  // It begins in a moment, or only the disk is waited for.
  if (clock.mono < current.validFrom) return undefined;
  if (isInForce(current, clock) && hasRoom(current, head.worst)) return undefined;
  return grow(state, current, head.worst, clock);
}

/** Rollover, renewal, growth ahead and giving back, of a lease that calls start under. */
function keepLease(state: HolderState, clock: Clock): HolderState | undefined {
  const { current, policy } = state;
  if (state.halt !== undefined || state.ended) return undefined;
  if (current === undefined) return renewUnlimited(state, clock);
  const isIdle = clock.mono - state.startedAt >= policy.idleMs;
  if (!isResting(state, current, clock) && isNextDue(state, current, clock)) return askNext(state);
  if (msUntil(current.expires, clock) <= policy.renewAheadMs || state.refresh) {
    return renew(state, current);
  }
  if (isRefillDue(state, current)) return grow(state, current, undefined, clock);
  if (isGiveBackDue(state, current, isIdle, clock)) return giveBack(state, current, clock);
  return undefined;
}

function isNextDue(state: HolderState, current: HeldLease, clock: Clock): boolean {
  if (current.ends === undefined || state.next !== undefined || state.nextAsked) return false;
  return msUntil(current.ends, clock) <= nextAheadOf(state);
}

function askNext(state: HolderState): HolderState {
  const want = addAmounts(state.lastWorst, times(state.lastWorst, state.stride));
  return ask({ ...state, nextAsked: true }, { need: state.lastWorst, want, startsNext: true });
}

function renew(state: HolderState, current: HeldLease): HolderState {
  return ask({ ...state, refresh: false }, { need: NOTHING, want: keptOf(current) }, current);
}

function isGiveBackDue(
  state: HolderState,
  current: HeldLease,
  isIdle: boolean,
  clock: Clock,
): boolean {
  if (state.waiting.length > 0 || !hasFree(current)) return false;
  const since = clock.mono - state.gaveBackAt;
  return (
    (isIdle && since >= state.policy.idleMs) || (state.wanted && since >= state.policy.giveBackMs)
  );
}

function giveBack(state: HolderState, current: HeldLease, clock: Clock): HolderState {
  const want = committedOf(current);
  // From this moment on no call may start in what is on its way back.
  const granted = eachAmount((name) =>
    isLimited(current, name) ? Math.min(current.granted[name], want[name]) : current.granted[name],
  );
  return ask(
    {
      ...state,
      current: { ...current, granted, growth: NOTHING },
      wanted: false,
      gaveBackAt: clock.mono,
      stride: state.policy.strideCalls,
    },
    { need: NOTHING, want },
    current,
  );
}

/** `worst` is what the first waiting call needs; without one it is growth ahead, which nothing needs. */
function grow(
  before: HolderState,
  current: HeldLease | undefined,
  worst: Amounts | undefined,
  clock: Clock,
): HolderState {
  const state = withStride(before, clock);
  const committed = current === undefined ? NOTHING : committedOf(current);
  const need = worst === undefined ? NOTHING : addAmounts(committed, worst);
  let waiting = committed;
  for (const call of state.waiting) waiting = addAmounts(waiting, call.worst);
  const one = maxAmounts(state.lastWorst, worst ?? NOTHING);
  const stride = clock.mono < state.modestUntil ? 0 : state.stride;
  const wish = addAmounts(waiting, times(one, stride));
  const want = current === undefined ? wish : maxAmounts(wish, keptOf(current));
  return ask(state, { need, want: maxAmounts(want, need) }, current);
}

/** Doubles while growth follows growth, so that a busy guard asks seldom. */
function withStride(state: HolderState, clock: Clock): HolderState {
  const { policy } = state;
  const isBusy = clock.mono - state.grewAt < policy.strideMs;
  const stride = isBusy
    ? Math.min(state.stride * 2, policy.strideMaxCalls)
    : Math.max(Math.floor(state.stride / 2), policy.strideCalls);
  return { ...state, stride, grewAt: clock.mono };
}

/** What is unlimited for its agent is asked for again ahead, while calls are made. */
function renewUnlimited(state: HolderState, clock: Clock): HolderState | undefined {
  const { unlimitedUntil } = state;
  if (unlimitedUntil === undefined || isOver(unlimitedUntil, clock)) return undefined;
  if (clock.mono - state.startedAt >= state.policy.idleMs) return undefined;
  if (msUntil(unlimitedUntil, clock) > state.policy.idleMs) return undefined;
  return ask(state, { need: state.lastWorst, want: state.lastWorst });
}

function ask(
  state: HolderState,
  wish: { need: Amounts; want: Amounts; startsNext?: true },
  lease?: HeldLease,
): HolderState {
  return openRequest(state, (n) => {
    const asked: LeaseAsk = {
      holder: state.holder,
      n,
      agent: state.agent,
      ...(state.run !== undefined && { run: state.run }),
      ...(lease !== undefined && { lease: lease.id }),
      ...wish,
    };
    return { type: 'ask', ask: asked };
  });
}

function close(state: HolderState, lease: string, end: LeaseClose['end']): HolderState {
  return openRequest(state, (n) => ({
    type: 'close',
    close: { holder: state.holder, n, agent: state.agent, lease, end },
  }));
}

/** What it stands at, as the book counts: what nothing limits is only as much as is used. */
function keptOf(lease: HeldLease): Amounts {
  const committed = committedOf(lease);
  return eachAmount((name) =>
    isLimited(lease, name) ? Math.max(lease.granted[name], committed[name]) : committed[name],
  );
}

function times(amounts: Amounts, factor: number): Amounts {
  return eachAmount((name) => Math.min(amounts[name] * factor, Number.MAX_SAFE_INTEGER));
}
