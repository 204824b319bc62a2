/** P3: the hours of digests, through every change of the clock. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, floorMod, HOUR_MS } from '../../domain/civil.js';
import { nextDigestAt } from '../../domain/digest/schedule.js';
import { localOf } from '../../domain/period.js';

const ZONES = ['Europe/London', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];
const at = (text: string): number => Date.parse(text);

describe('a daily digest', () => {
  test.each([
    ['an ordinary day', 'Europe/London', 8, '2026-06-10T08:00Z', '2026-06-11T07:00Z'],
    ['the hour itself is over', 'UTC', 8, '2026-06-10T08:00Z', '2026-06-11T08:00Z'],
    ['a moment before it', 'UTC', 8, '2026-06-10T07:59:59.999Z', '2026-06-10T08:00Z'],
    ['an hour that is skipped', 'Europe/London', 1, '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['and the day after it', 'Europe/London', 1, '2026-03-29T01:00Z', '2026-03-30T00:00Z'],
    ['an hour that comes twice', 'America/New_York', 1, '2026-10-31T12:00Z', '2026-11-01T05:00Z'],
    ['not in its second pass', 'America/New_York', 1, '2026-11-01T05:00Z', '2026-11-02T06:00Z'],
    ['a skipped half hour', 'Australia/Lord_Howe', 2, '2026-10-03T12:00Z', '2026-10-03T15:30Z'],
    ['a half-hour zone', 'Asia/Kolkata', 9, '2026-06-10T03:30Z', '2026-06-11T03:30Z'],
    ['a zone nobody knows', 'Mars/Olympus', 9, '2026-06-10T00:00Z', '2026-06-10T09:00Z'],
  ])('%s', (_what, zone, hour, after, expected) => {
    const next = nextDigestAt({ cadence: 'daily', zone, hour }, at(after));
    expect(new Date(next).toISOString()).toBe(new Date(at(expected)).toISOString());
  });
});

describe.each(ZONES)('in %s', (zone) => {
  const moment = fc.integer({ min: at('2024-01-01T00:00Z'), max: at('2031-01-01T00:00Z') });

  test('P3: an hourly digest is due when the local clock shows a full hour, and none is passed over', () => {
    fc.assert(
      fc.property(moment, (after) => {
        const next = nextDigestAt({ cadence: 'hourly', zone, hour: 0 }, after);
        expect(next).toBeGreaterThan(after);
        expect(floorMod(localOf(zone, next), HOUR_MS)).toBe(0);
        expect(next - after).toBeLessThanOrEqual(2 * HOUR_MS);
      }),
      { numRuns: 300 },
    );
  });

  test('P3: a daily digest is due once a local date, at its hour or where that is skipped after it', () => {
    for (const hour of [1, 2, 8]) {
      let last = at('2024-01-01T12:00Z');
      const dates = new Set<number>();
      while (last < at('2026-06-01T00:00Z')) {
        last = nextDigestAt({ cadence: 'daily', zone, hour }, last);
        const local = localOf(zone, last);
        const date = Math.floor(local / DAY_MS);
        expect(dates.has(date)).toBe(false);
        dates.add(date);
        const past = local - date * DAY_MS - hour * HOUR_MS;
        expect(past).toBeGreaterThanOrEqual(0);
        expect(past).toBeLessThanOrEqual(HOUR_MS);
      }
      const all = [...dates].sort((a, b) => a - b);
      expect(all.length).toBe(all.at(-1)! - all[0]! + 1);
    }
  });
});
