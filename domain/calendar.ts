/**
 * Where calendar windows begin and end, given the offsets of a zone (B2).
 * P-1. Consecutive windows of one cadence and zone tile time: no gap, no overlap, none empty.
 * P-2. A day starts at the first instant whose local date is that day or later, so a skipped
 *      midnight, a repeated one and a day that never was all have one answer.
 * P-3. Hours start at the local full hour and at every change of the offset, so that the two
 *      passes through a repeated hour are two hours.
 */
import { civilFromDays, DAY_MS, daysFromCivil, floorMod, HOUR_MS, mondayOf } from './civil.js';
import type { Cadence } from './words.js';

/** The cadences whose periods the calendar decides. */
export type CalendarCadence = Exclude<Cadence, 'run' | 'total'>;
type DayCadence = Exclude<CalendarCadence, 'hourly'>;

/** Offset of local time from UTC in ms, to the second, at an instant in epoch ms. */
export type OffsetAt = (at: number) => number;

/** `[startsAt, endsAt)` of the window that holds `at`, epoch ms. */
export function calendarWindow(
  cadence: CalendarCadence,
  offsetAt: OffsetAt,
  at: number,
): [startsAt: number, endsAt: number] {
  return cadence === 'hourly' ? hourAt(offsetAt, at) : daysAt(cadence, offsetAt, at);
}

function hourAt(offsetAt: OffsetAt, at: number): [number, number] {
  const offset = offsetAt(at);
  const startsAt = at - floorMod(at + offset, HOUR_MS);
  const endsAt = startsAt + HOUR_MS;
  return [
    offsetAt(startsAt) === offset ? startsAt : offsetChange(offsetAt, startsAt, at),
    offsetAt(endsAt - 1) === offset ? endsAt : offsetChange(offsetAt, at, endsAt - 1),
  ];
}

function daysAt(cadence: DayCadence, offsetAt: OffsetAt, at: number): [number, number] {
  let first = firstDay(cadence, Math.floor((at + offsetAt(at)) / DAY_MS));
  let startsAt = startOfDay(offsetAt, first);
  for (;;) {
    const next = nextFirstDay(cadence, first);
    const endsAt = startOfDay(offsetAt, next);
    if (at < endsAt) return [startsAt, endsAt];
    // The clock was put back over midnight and `at` is in the second pass, or a day was skipped.
    [first, startsAt] = [next, endsAt];
  }
}

function firstDay(cadence: DayCadence, day: number): number {
  if (cadence === 'daily') return day;
  return cadence === 'weekly' ? mondayOf(day) : daysFromCivil({ ...civilFromDays(day), day: 1 });
}

function nextFirstDay(cadence: DayCadence, first: number): number {
  if (cadence === 'daily') return first + 1;
  // 31 days after the first of a month the next one has begun, and is not over.
  return cadence === 'weekly' ? first + 7 : firstDay(cadence, first + 31);
}

/** No zone was ever as far as 16 h from UTC. */
const REACH_MS = 16 * HOUR_MS;
/** Below the shortest time between two changes of an offset. */
const STRIDE_MS = 8 * HOUR_MS;

/** P-2. Walks over the stretches of equal offset around local midnight; the first hit is it. */
function startOfDay(offsetAt: OffsetAt, day: number): number {
  const midnight = day * DAY_MS;
  let from = midnight - REACH_MS;
  for (;;) {
    const offset = offsetAt(from);
    const ahead = from + STRIDE_MS;
    const to = offsetAt(ahead) === offset ? ahead : offsetChange(offsetAt, from, ahead);
    const start = Math.max(midnight - offset, from);
    if (start < to) return start;
    from = to;
  }
}

/** The first instant after `low` with another offset than at `low`; at `high` it is another. */
function offsetChange(offsetAt: OffsetAt, low: number, high: number): number {
  const offset = offsetAt(low);
  let [same, changed] = [low, high];
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (offsetAt(middle) === offset) same = middle;
    else changed = middle;
  }
  return changed;
}
