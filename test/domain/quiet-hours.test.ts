import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, localOf } from '../../domain/period.js';
import { minuteOfDay, quietUntil } from '../../domain/quiet-hours.js';

const at = (text: string): number => Date.parse(text);
const night = { from: '22:00', to: '07:00' };

describe('quiet hours (P4)', () => {
  test.each([
    ['before they begin', '2026-11-21T21:59:59.999Z', undefined],
    ['from their first instant', '2026-11-21T22:00:00Z', '2026-11-22T07:00:00Z'],
    ['after midnight', '2026-11-22T03:00:00Z', '2026-11-22T07:00:00Z'],
    ['not at their end', '2026-11-22T07:00:00Z', undefined],
  ])('over midnight: %s', (_, now, end) => {
    expect(quietUntil(night, 'UTC', at(now))).toBe(end === undefined ? undefined : at(end));
  });

  test('within one day', () => {
    const noon = { from: '12:00', to: '13:30' };
    expect(quietUntil(noon, 'UTC', at('2026-11-21T12:30:00Z'))).toBe(at('2026-11-21T13:30:00Z'));
    expect(quietUntil(noon, 'UTC', at('2026-11-21T11:59:00Z'))).toBeUndefined();
  });

  test('they are local: ten at night in New York is three in the morning UTC', () => {
    const end = quietUntil(night, 'America/New_York', at('2026-11-21T03:00:00Z'));
    expect(end).toBe(at('2026-11-21T12:00:00Z'));
  });

  test('the night the clock is put forward is an hour shorter, the other one longer', () => {
    const length = (from: string): number => {
      const now = at(from);
      return ((quietUntil(night, 'Europe/Berlin', now) ?? 0) - now) / 3_600_000;
    };
    expect(length('2026-03-27T21:00:00Z')).toBe(9);
    expect(length('2026-03-28T21:00:00Z')).toBe(8);
    expect(length('2026-10-24T20:00:00Z')).toBe(10);
  });

  test('an end that comes twice ends them the first time', () => {
    const short = { from: '22:00', to: '02:30' };
    // 02:40 of the second pass: local time is within 22:00 and 02:30 of no night any more.
    expect(quietUntil(short, 'Europe/Berlin', at('2026-10-25T01:10:00Z'))).toBeUndefined();
    expect(quietUntil(short, 'Europe/Berlin', at('2026-10-25T00:10:00Z'))).toBe(
      at('2026-10-25T00:30:00Z'),
    );
  });

  test('an end that the clock skips comes as much later', () => {
    const short = { from: '22:00', to: '02:30' };
    expect(quietUntil(short, 'Europe/Berlin', at('2026-03-29T00:50:00Z'))).toBe(
      at('2026-03-29T01:30:00Z'),
    );
  });

  test('a zone that nobody knows here counts as UTC: an alert is never lost on it', () => {
    expect(quietUntil(night, 'Mars/Olympus', at('2026-11-21T23:00:00Z'))).toBe(
      at('2026-11-22T07:00:00Z'),
    );
  });

  test.each(['7:00', '24:00', '12:60', '', 'noon'])('%j is no time of day', (text) => {
    expect(minuteOfDay(text)).toBeUndefined();
  });

  test('P4: whenever it is, they end within a day and an hour, at their local end or as much later as the clock skips', () => {
    const two = (value: number): string => String(value).padStart(2, '0');
    const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([h, m]) => `${two(h)}:${two(m)}`);
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'];
    fc.assert(
      fc.property(
        time,
        time,
        fc.constantFrom(...zones),
        fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') }),
        (from, to, zone, now) => {
          const end = quietUntil({ from, to }, zone, now);
          if (end === undefined) return;
          expect(end).toBeGreaterThan(now);
          expect(end - now).toBeLessThanOrEqual(25 * 3_600_000);
          const local = localOf(zone, end);
          const minute = Math.floor((((local % 86_400_000) + 86_400_000) % 86_400_000) / 60_000);
          const late = (minute - (minuteOfDay(to) ?? 0) + 1_440) % 1_440;
          // On time, or by what the clock jumped over.
          expect([0, 30, 60]).toContain(late);
          expect(quietUntil({ from, to }, zone, end)).not.toBe(end);
          if (late === 0) expect(instantOf(zone, local)).toBe(end);
        },
      ),
      { numRuns: 500 },
    );
  });
});
