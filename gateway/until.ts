/** Moments to come, as people write them. */
import { instantOf, periodAt } from '../domain/period.js';
import { unprocessable } from './schemas.js';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST_MS = 366 * UNITS.d;
const LOCAL = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?$/;
const ZONED = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})$/i;
const EXPECTED =
  'expected a moment to come: 2026-11-22T00:00 (local to the agent), 2026-11-22T00:00Z, midnight, or 90m, 2h, 3d';

/**
 * `midnight`, `2h`, `2026-11-22`, `2026-11-22T00:00` (in `zone`), `2026-11-22T00:00:00Z` -> epoch ms.
 * Throws a `Problem` (422) at `path` for anything else, for the past, and past 366 days.
 */
export function readUntil(text: string, zone: string, now: number, path: string): number {
  const at = momentOf(text.trim(), zone, now);
  if (at === undefined || !Number.isFinite(at)) throw unprocessable(path, EXPECTED);
  if (at <= now) throw unprocessable(path, 'is in the past');
  if (at > now + LONGEST_MS) throw unprocessable(path, 'is more than 366 days ahead');
  return at;
}

function momentOf(text: string, zone: string, now: number): number | undefined {
  if (text === 'midnight') return periodAt('daily', zone, now).endsAt;
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return now + Number(count) * UNITS[unit as keyof typeof UNITS];
  if (ZONED.test(text)) return Date.parse(text);
  if (!LOCAL.test(text)) return undefined;
  const local = Date.parse(`${text.replace(' ', 'T')}${text.includes(':') ? 'Z' : 'T00:00Z'}`);
  // JavaScript reads 30 February as 2 March.
  const isReal =
    Number.isFinite(local) && new Date(local).toISOString().startsWith(text.slice(0, 10));
  return isReal ? instantOf(zone, local) : undefined;
}
