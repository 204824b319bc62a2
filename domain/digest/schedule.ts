/**
 * When the next digest is due (P3): at a full hour of the recipient's own clock, through every
 * change of it. Asks Intl, so no workflow and no `reduce.ts` imports it.
 * DS-1. A daily digest is due once for each local date: an hour that is skipped is as much later,
 *       one that comes twice is the first.
 * DS-2. An hourly one is due whenever the local clock shows a full hour.
 */
import { DAY_MS, floorMod, HOUR_MS } from '../civil.js';
import { instantOf, isZone, localOf } from '../period.js';
import type { DigestPace } from './state.js';

export interface DigestHours {
  readonly cadence: DigestPace;
  readonly zone: string;
  /** Of `daily`: 0 to 23. */
  readonly hour: number;
  /** How long an hour of `hourly` is, ms. Default: by the clock; tests shorten it. */
  readonly hourMs?: number;
}

/** The first moment after `after`, epoch ms. A zone that is unknown here counts as UTC. */
export function nextDigestAt(
  { cadence, hour, hourMs = HOUR_MS, ...given }: DigestHours,
  after: number,
): number {
  const zone = isZone(given.zone) ? given.zone : 'UTC';
  if (cadence === 'daily') return nextDaily(zone, hour, after);
  return hourMs < HOUR_MS ? (Math.floor(after / hourMs) + 1) * hourMs : nextFullHour(zone, after);
}

/** DS-1. The date before and the two that follow: a zone may skip a whole one. */
function nextDaily(zone: string, hour: number, after: number): number {
  const local = localOf(zone, after);
  const midnight = local - floorMod(local, DAY_MS);
  const moments = [-1, 0, 1, 2, 3].map((days) =>
    instantOf(zone, midnight + days * DAY_MS + hour * HOUR_MS),
  );
  return Math.min(...moments.filter((at) => at > after));
}

/** DS-2. Every zone of today is whole quarters of an hour from UTC, and changes at one. */
function nextFullHour(zone: string, after: number): number {
  for (let at = (Math.floor(after / QUARTER_MS) + 1) * QUARTER_MS; ; at += QUARTER_MS) {
    if (floorMod(localOf(zone, at), HOUR_MS) === 0 || at > after + MOST_MS) return at;
  }
}

const QUARTER_MS = HOUR_MS / 4;
/** A zone of old, off by seconds, has no such quarter: it is told within this. */
const MOST_MS = 3 * HOUR_MS;
