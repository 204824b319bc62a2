import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { burnOf, RECENT_MS } from '../../domain/budget/burn.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const USD = 1_000_000_000;
const day = { beganAt: 0, endsAt: DAY, limit: 100 * USD };

describe('T8 burn rate and projection', () => {
  test('the period so far, where the last 15 minutes were slower', () => {
    expect(burnOf({ ...day, spent: 10 * USD, recent: 0, now: 5 * HOUR })).toEqual({
      perHour: 2 * USD,
      exhausted: false,
    });
  });

  test('the last 15 minutes, where they were faster', () => {
    const burn = burnOf({ ...day, spent: 10 * USD, recent: 5 * USD, now: 5 * HOUR });
    expect(burn.perHour).toBe(20 * USD);
    expect(burn.exhaustsAt).toBe(5 * HOUR + 4.5 * HOUR);
  });

  test('no projection before 5 % of the period has passed', () => {
    const early = { ...day, spent: 50 * USD, recent: 50 * USD };
    expect(burnOf({ ...early, now: DAY / 20 - 1 }).exhaustsAt).toBeUndefined();
    expect(burnOf({ ...early, now: DAY / 20 }).exhaustsAt).toBeDefined();
  });

  test('a period younger than 15 minutes counts its own length', () => {
    expect(burnOf({ ...day, spent: USD, recent: USD, now: 60_000 }).perHour).toBe(60 * USD);
  });

  test('what lasts until the end is not exhausted, and what is exhausted is not projected', () => {
    expect(burnOf({ ...day, spent: 50 * USD, now: 12 * HOUR }).exhaustsAt).toBeUndefined();
    expect(burnOf({ ...day, spent: 100 * USD, now: 12 * HOUR })).toMatchObject({ exhausted: true });
    expect(burnOf({ ...day, spent: 200 * USD, now: 12 * HOUR }).exhaustsAt).toBeUndefined();
  });

  test('a total has no end: it is projected after 15 minutes', () => {
    const total = { beganAt: 0, limit: 100 * USD, spent: USD };
    expect(burnOf({ ...total, now: RECENT_MS - 1 }).exhaustsAt).toBeUndefined();
    expect(burnOf({ ...total, now: RECENT_MS }).exhaustsAt).toBe(100 * RECENT_MS);
  });

  test('nothing spent, nothing passed: no rate, no division by zero', () => {
    expect(burnOf({ ...day, spent: 0, now: 0 })).toEqual({ perHour: 0, exhausted: false });
    expect(burnOf({ ...day, spent: 0, now: HOUR * 2 })).toEqual({ perHour: 0, exhausted: false });
  });

  test('T8: answers are safe integers, and a projection lies between now and the end', () => {
    const amount = fc.maxSafeNat();
    fc.assert(
      fc.property(amount, amount, amount, fc.nat(40 * DAY), (spent, recent, limit, now) => {
        const burn = burnOf({ spent, recent, limit, beganAt: 0, endsAt: 30 * DAY, now });
        expect(Number.isSafeInteger(burn.perHour)).toBe(true);
        if (burn.exhaustsAt === undefined) return;
        expect(Number.isSafeInteger(burn.exhaustsAt)).toBe(true);
        expect(burn.exhaustsAt).toBeGreaterThan(now);
        expect(burn.exhaustsAt).toBeLessThan(30 * DAY);
      }),
    );
  });
});
