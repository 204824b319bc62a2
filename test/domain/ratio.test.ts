import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRatio, pctUsed, thresholdAmount } from '../../domain/ratio.js';
import { isRefusal } from '../../domain/refusal.js';

describe('a threshold is a ratio in (0, 1] with at most four decimals (T1)', () => {
  test.each([
    [0.7, 7_000],
    [0.9, 9_000],
    [1, 10_000],
    [0.0001, 1],
    [0.9999, 9_999],
    [0.07, 700],
    [0.5501, 5_501],
  ])('%d is %d basis points', (ratio, bps) => {
    expect(parseRatio(ratio)).toBe(bps);
  });

  test.each([
    ['zero', 0, 'ratio_out_of_range'],
    ['minus zero', -0, 'ratio_out_of_range'],
    ['a negative ratio', -0.5, 'ratio_out_of_range'],
    ['a percentage', 80, 'ratio_out_of_range'],
    ['one and a bit', 1.0001, 'ratio_out_of_range'],
    ['infinity', Infinity, 'ratio_out_of_range'],
    ['five decimals', 0.12345, 'ratio_too_precise'],
    ['the smallest double', 5e-324, 'ratio_too_precise'],
    ['a float that only looks like 0.3', 0.1 + 0.2, 'ratio_too_precise'],
    ['NaN', NaN, 'ratio_not_a_number'],
    ['a string', '0.8', 'ratio_not_a_number'],
    ['true', true, 'ratio_not_a_number'],
    ['a bigint', 1n, 'ratio_not_a_number'],
    ['an array of one', [0.8], 'ratio_not_a_number'],
  ])('refuses %s', (_, ratio, code) => {
    expect(parseRatio(ratio)).toMatchObject({ code });
  });

  test('T1: every four-decimal ratio is its basis points, however it was written', () => {
    for (let bps = 1; bps <= 10_000; bps += 1) {
      expect(parseRatio(bps / 10_000)).toBe(bps);
      expect(parseRatio(Number((bps / 10_000).toFixed(4)))).toBe(bps);
    }
  });

  test('T1: any double is taken exactly when it has at most four decimals', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (ratio) => {
        const isTaken = ratio > 0 && Number(ratio.toFixed(4)) === ratio;
        expect(isRefusal(parseRatio(ratio))).toBe(!isTaken);
      }),
    );
  });
});

describe('the amount of a threshold (B1)', () => {
  test.each([
    ['a round one', 5_000_000_000, 8_000, 4_000_000_000],
    ['a fraction counts up', 3, 5_000, 2],
    ['the whole limit', 9_007_199_000_000_000, 10_000, 9_007_199_000_000_000],
    ['past the reach of doubles', 9_007_198_999_999_999, 9_999, 9_006_298_280_100_000],
    ['a limit of nothing', 0, 5_000, 0],
  ])('%s', (_, limit, bps, amount) => {
    expect(thresholdAmount(limit, bps)).toBe(amount);
  });

  test('B1: it is the least integer amount that reaches the ratio', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 10_000 }), (limit, bps) => {
        const reaches = (spent: number) => BigInt(spent) * 10_000n >= BigInt(limit) * BigInt(bps);
        const amount = thresholdAmount(limit, bps);
        expect(reaches(amount)).toBe(true);
        expect(amount > 0 && reaches(amount - 1)).toBe(false);
      }),
    );
  });
});

describe('usage in percent', () => {
  test.each([
    ['4.13 of 5.00 is 82', 4_130_000_000, 5_000_000_000, 82],
    ['almost all is not all', 4_999_999_999, 5_000_000_000, 99],
    ['all is 100', 5, 5, 100],
    ['past the limit', 12, 5, 240],
    ['nothing', 0, 5, 0],
    ['of a limit of nothing nothing is left', 0, 0, 100],
    ['past the reach of doubles', 9_007_199_254_740_990, 9_007_199_254_740_991, 99],
  ])('%s', (_, spent, limit, pct) => {
    expect(pctUsed(spent, limit)).toBe(pct);
  });
});
