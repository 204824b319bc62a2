import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  civilFromDays,
  daysFromCivil,
  formatUtcMinute,
  mondayOf,
  utcStamp,
} from '../../domain/civil.js';

const instant = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});

describe('calendar arithmetic without Intl', () => {
  test('days, dates, stamps and minutes agree with the platform from year 1 to 9999', () => {
    fc.assert(
      fc.property(instant, (date) => {
        const iso = date.toISOString();
        const days = Math.floor(date.getTime() / 86_400_000);
        const civil = civilFromDays(days);
        expect(civil).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        });
        expect(daysFromCivil(civil)).toBe(days);
        expect(utcStamp(date.getTime())).toBe(iso.replace(/[-:]|\.\d+/g, ''));
        expect(formatUtcMinute(date.getTime())).toBe(`${iso.slice(0, 16).replace('T', ' ')} UTC`);
      }),
    );
  });

  test('the Monday of a day is a Monday, at most six days before', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (day) => {
        const monday = mondayOf(day);
        expect(new Date(monday * 86_400_000).getUTCDay()).toBe(1);
        expect(day - monday).toBeGreaterThanOrEqual(0);
        expect(day - monday).toBeLessThan(7);
      }),
    );
  });

  test.each([
    ['a period of this day', '2026-11-21T00:00:00Z', '20261121T000000Z'],
    ['a leap day', '2028-02-29T23:59:59Z', '20280229T235959Z'],
    ['a century without one', '2100-03-01T00:00:00Z', '21000301T000000Z'],
    ['before 1970', '1969-12-31T23:59:59Z', '19691231T235959Z'],
  ])('the stamp of %s', (_, iso, stamp) => {
    expect(utcStamp(Date.parse(iso))).toBe(stamp);
  });
});
