/**
 * T8. How fast a period is spent, and when its limit would be reached at that pace.
 * Integers only (B1): rates are per hour, products go through BigInt.
 */
import { HOUR_MS } from '../civil.js';
import { mulDivCeil, mulDivFloor } from '../money.js';

/** The stretch whose spend `recent` is. */
export const RECENT_MS = 15 * 60_000;
/** Before this share of a period has passed, a projection would be noise. */
const SETTLED_BPS = 500n;

/** All of one dimension of one period, in the dimension's unit; instants are epoch ms. */
export interface BurnInput {
  readonly spent: number;
  /** Spent in the last 15 min, where it is known. */
  readonly recent?: number;
  readonly limit: number;
  /** The period's start; of a run or a `total` its first event, as they have no other. */
  readonly beganAt: number;
  readonly endsAt?: number;
  readonly now: number;
}

export interface Burn {
  /** Units per hour: the larger of the last 15 min and the period so far. */
  readonly perHour: number;
  /** Absent: too early to say, nothing is being spent, or it lasts until the period's end. */
  readonly exhaustsAt?: number;
  /** The limit is reached already. */
  readonly exhausted: boolean;
}

/** The pace of a period and its projected end. Nothing has been spent before `beganAt`. */
export function burnOf(input: BurnInput): Burn {
  const { spent, recent, limit, beganAt, endsAt, now } = input;
  // A closed period is looked at as of its end, else its pace would fade for ever.
  const elapsed = Math.min(now, endsAt ?? now) - beganAt;
  if (elapsed <= 0) return { perHour: 0, exhausted: spent >= limit };
  const soFar = mulDivFloor(spent, HOUR_MS, elapsed);
  const lately = mulDivFloor(recent ?? 0, HOUR_MS, Math.min(elapsed, RECENT_MS));
  const perHour = Math.max(soFar, lately);
  if (spent >= limit) return { perHour, exhausted: true };
  const exhaustsAt = now + mulDivCeil(limit - spent, HOUR_MS, Math.max(perHour, 1));
  const lasts = perHour === 0 || exhaustsAt >= (endsAt ?? Number.MAX_SAFE_INTEGER);
  return isSettled(beganAt, endsAt, elapsed) && !lasts
    ? { perHour, exhaustsAt, exhausted: false }
    : { perHour, exhausted: false };
}

/** Where no end is known the 15 min stand in for the 5 %. */
function isSettled(beganAt: number, endsAt: number | undefined, elapsed: number): boolean {
  if (endsAt === undefined) return elapsed >= RECENT_MS;
  return BigInt(elapsed) * 10_000n >= BigInt(endsAt - beganAt) * SETTLED_BPS;
}
