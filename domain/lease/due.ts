/** When time alone changes something in a guard. */
import { msUntil, type Clock } from './clock.js';
import { hasFree, type HeldLease } from './held.js';
import { isResting, msUntilClose, msUntilRenewal, nextAheadOf } from './rest.js';
import type { HolderState } from './state.js';

/**
 * Ms until a tick is worth while, at least 1; undefined: nothing is waited for. A tick that comes
 * too early, or twice, does nothing.
 */
export function dueInMs(state: HolderState, clock: Clock): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  const within = (ms: number | undefined): void => {
    if (ms !== undefined && ms < least) least = ms;
  };
  const { pending, waiting, current, next, scarce } = state;
  const isFree = pending === undefined;
  if (pending?.sentAt !== undefined) within(pending.againAt - clock.mono);
  const head = waiting[0];
  if (head !== undefined) {
    within(head.until - clock.mono);
    if (isFree && scarce !== undefined) within(scarce.againAt - clock.mono);
  }
  if (current !== undefined) dueOfCurrent(state, current, clock, within);
  if (next !== undefined) within(next.validFrom - clock.mono);
  for (const lease of state.draining) {
    if (isFree) within(msUntilClose(lease, state.policy.closeAnywayMs, clock));
  }
  if (state.unlimitedUntil !== undefined) within(msUntil(state.unlimitedUntil, clock));
  return least === Number.POSITIVE_INFINITY ? undefined : Math.max(Math.ceil(least), 1);
}

function dueOfCurrent(
  state: HolderState,
  current: HeldLease,
  clock: Clock,
  within: (ms: number) => void,
): void {
  const { policy } = state;
  if (current.validFrom > clock.mono) within(current.validFrom - clock.mono);
  if (current.ends !== undefined) within(msUntil(current.ends, clock));
  if (state.pending !== undefined) return;
  within(msUntilRenewal(state, current, clock));
  if (current.ends !== undefined && state.next === undefined && !state.nextAsked) {
    const untilNext = msUntil(current.ends, clock) - nextAheadOf(state);
    if (untilNext > 0 || !isResting(state, current, clock)) within(untilNext);
  }
  if (state.waiting.length > 0 || !hasFree(current)) return;
  within(Math.max(state.startedAt, state.gaveBackAt) + policy.idleMs - clock.mono);
  if (state.wanted) within(state.gaveBackAt + policy.giveBackMs - clock.mono);
}
