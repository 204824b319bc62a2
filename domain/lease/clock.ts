/**
 * The two clocks of a guard. The wall may be set in either direction, the monotonic one may stand
 * still while the machine sleeps: neither is trusted alone where money hangs on it (L5).
 */

/** Epoch ms, and ms of a clock that only goes forward. */
export interface Clock {
  readonly wall: number;
  readonly mono: number;
}

export function clockAfter(clock: Clock, ms: number): Clock {
  return { wall: clock.wall + ms, mono: clock.mono + ms };
}

/** L5. Over as soon as one of the two says so. */
export function isOver(end: Clock, now: Clock): boolean {
  return now.mono >= end.mono || now.wall >= end.wall;
}

/** How long until it is over, at least 0. */
export function msUntil(end: Clock, now: Clock): number {
  return Math.max(Math.min(end.mono - now.mono, end.wall - now.wall), 0);
}
