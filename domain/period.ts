/**
 * From an instant to the calendar period it belongs to (B2, B4). The only file that asks Intl:
 * time-zone data differs between Node versions, so no workflow and no `reduce.ts` imports it.
 * Where windows begin and end, once the offsets are known, is decided in calendar.ts.
 */
import { calendarWindow, type CalendarCadence, type OffsetAt } from './calendar.js';
import { DAY_MS, daysFromCivil, utcStamp } from './civil.js';
import type { PeriodWindow } from './budget/period-key.js';

export type { CalendarCadence };

/** A window with its id, which is its start: `20261121T000000Z`. */
export interface CalendarPeriod extends PeriodWindow {
  readonly period: string;
  readonly endsAt: number;
}

/** The one period of a `total`, which has no end. */
export interface TotalPeriod {
  readonly period: 'all';
  readonly startsAt: 0;
  readonly zone: string;
}

/** True for the IANA names this Node knows, and their aliases; false for bare offsets. */
export function isZone(name: string): boolean {
  return offsetsOf(name) !== undefined;
}

/**
 * The period that holds `at` (epoch ms). Throws a RangeError for an unknown zone: `isZone` is
 * asked where a zone is configured. For more than a few instants use `createPeriodFinder`.
 */
export function periodAt(cadence: CalendarCadence, zone: string, at: number): CalendarPeriod;
export function periodAt(cadence: 'total', zone: string, at: number): TotalPeriod;
export function periodAt(
  cadence: CalendarCadence | 'total',
  zone: string,
  at: number,
): CalendarPeriod | TotalPeriod;
export function periodAt(cadence: CalendarCadence | 'total', zone: string, at: number) {
  if (cadence === 'total') return { period: 'all', startsAt: 0, zone };
  return calendarPeriod(cadence, zone, requireOffsets(zone), at);
}

/**
 * Local wall clock time (as if it were UTC, epoch ms) -> the instant it means in a zone. A time that
 * the clock skips is as much later, of one that comes twice it is the first. Throws as `periodAt`.
 */
export function instantOf(zone: string, local: number): number {
  const offsetAt = requireOffsets(zone);
  // Of the offsets around it at most two are in question; the earlier instant that fits is meant.
  const before = local - offsetAt(local - DAY_MS);
  const after = local - offsetAt(local + DAY_MS);
  const fits = [Math.min(before, after), Math.max(before, after)].find(
    (at) => at + offsetAt(at) === local,
  );
  return fits ?? before;
}

/** The wall clock of a zone at an instant, as if it were UTC: what `instantOf` takes back. */
export function localOf(zone: string, at: number): number {
  return at + requireOffsets(zone)(at);
}

export interface PeriodFinder {
  (cadence: CalendarCadence, at: number): CalendarPeriod;
  (cadence: CalendarCadence | 'total', at: number): CalendarPeriod | TotalPeriod;
}

/** Enough for the current window, and for late events that take turns with it. */
const REMEMBERED = 4;

/**
 * `periodAt` for one zone that remembers its last windows, so that a hot caller pays a compare
 * of ranges. The same object is answered for the same window while it is remembered.
 */
export function createPeriodFinder(zone: string): PeriodFinder {
  const offsetAt = requireOffsets(zone);
  const total: TotalPeriod = { period: 'all', startsAt: 0, zone };
  const remembered: Record<CalendarCadence, CalendarPeriod[]> = {
    hourly: [],
    daily: [],
    weekly: [],
    monthly: [],
  };
  function find(cadence: CalendarCadence, at: number): CalendarPeriod;
  function find(cadence: CalendarCadence | 'total', at: number): CalendarPeriod | TotalPeriod;
  function find(cadence: CalendarCadence | 'total', at: number): CalendarPeriod | TotalPeriod {
    if (cadence === 'total') return total;
    const windows = remembered[cadence];
    for (const window of windows) {
      if (window.startsAt <= at && at < window.endsAt) return window;
    }
    const found = calendarPeriod(cadence, zone, offsetAt, at);
    windows.unshift(found);
    if (windows.length > REMEMBERED) windows.pop();
    return found;
  }
  return find;
}

export const MAX_AHEAD_MS = 5 * 60_000;
export const MAX_BEHIND_MS = 7 * DAY_MS;

/**
 * B4. The instant an event counts at: its own, or its receipt's where its own is no number, more
 * than 5 min ahead of the receipt or more than 7 days behind it; then flagged as `clamped`.
 */
export function placeEvent(
  at: number,
  receivedAt: number,
): { readonly at: number; readonly clamped: boolean } {
  const ahead = at - receivedAt;
  return ahead <= MAX_AHEAD_MS && -ahead <= MAX_BEHIND_MS
    ? { at, clamped: false }
    : { at: receivedAt, clamped: true };
}

function calendarPeriod(
  cadence: CalendarCadence,
  zone: string,
  offsetAt: OffsetAt,
  at: number,
): CalendarPeriod {
  const [startsAt, endsAt] = calendarWindow(cadence, offsetAt, at);
  return { period: utcStamp(startsAt), startsAt, endsAt, zone };
}

/** By lower-cased name, so that spellings do not make it grow: at most the zones there are. */
const readers = new Map<string, OffsetAt>();

function requireOffsets(zone: string): OffsetAt {
  const offsetAt = offsetsOf(zone);
  if (offsetAt === undefined) {
    throw new RangeError(
      `Time zone ${JSON.stringify(zone)} is unknown: use an IANA name such as Europe/Berlin.`,
    );
  }
  return offsetAt;
}

function offsetsOf(zone: string): OffsetAt | undefined {
  const key = zone.toLowerCase();
  const known = readers.get(key);
  if (known !== undefined) return known;
  if (!/^[a-z]/.test(key)) return undefined; // Newer Nodes take `+05:30`, which has no DST rules.
  try {
    const reader = readOffsets(zone);
    readers.set(key, reader);
    return reader;
  } catch {
    return undefined;
  }
}

/** Throws a RangeError where Intl does not know the zone. */
function readOffsets(zone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (format.resolvedOptions().timeZone === 'UTC') return () => 0;
  return (at) => {
    // `format` is a third of the price of `formatToParts`; en-US writes month, day, year, time.
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = (
      format.format(at).match(/\d+/g) ?? []
    ).map(Number);
    const local =
      daysFromCivil({ year, month, day }) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000;
    return local - Math.floor(at / 1_000) * 1_000;
  };
}
