import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addSaturating,
  formatMoney,
  MAX_NANOS,
  mulDivCeil,
  mulDivFloor,
  plainMoney,
  usdToNanos,
} from '../../domain/money.js';
import { isRefusal } from '../../domain/refusal.js';

describe('USD from JSON becomes integer nano-USD (B1)', () => {
  test.each([
    ['whole dollars', 5, 5_000_000_000],
    ['cents that no double holds exactly', 4.13, 4_130_000_000],
    ['a sum that shows its float', 0.1 + 0.2, 300_000_000],
    ['nine decimals', 1.123456789, 1_123_456_789],
    ['half a nano rounds up', 5e-10, 1],
    ['half a nano above a dollar rounds up', 1.0000000005, 1_000_000_001],
    ['just below half a nano rounds down', 4.999999999e-10, 0],
    ['an exponent with a fraction', 1.5e-7, 150],
    ['the smallest double there is', 5e-324, 0],
    ['zero', 0, 0],
    ['minus zero', -0, 0],
    ['the largest amount', 9_007_199, MAX_NANOS],
    ['cents near the largest amount', 9_007_198.99, 9_007_198_990_000_000],
  ])('%s', (_, usd, nanos) => {
    expect(usdToNanos(usd)).toBe(nanos);
  });

  test.each([
    ['NaN', NaN, 'money_not_a_number'],
    ['infinity', Infinity, 'money_not_a_number'],
    ['minus infinity', -Infinity, 'money_not_a_number'],
    ['a string for a number', '4.13', 'money_not_a_number'],
    ['nothing', undefined, 'money_not_a_number'],
    ['a negative amount', -0.01, 'money_negative'],
    ['a cent past the largest amount', 9_007_199.01, 'money_too_large'],
    ['1e308', 1e308, 'money_too_large'],
  ])('refuses %s', (_, usd, code) => {
    expect(usdToNanos(usd)).toMatchObject({ code });
    expect(isRefusal(usdToNanos(usd))).toBe(true);
  });

  test('B1: every amount of whole nanos up to 4 million USD comes back as it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000 * 10 ** 9 }), (nanos) => {
        expect(usdToNanos(nanos / 10 ** 9)).toBe(nanos);
      }),
    );
  });

  test('B1: any double is an integer within the bound or a refusal', () => {
    fc.assert(
      fc.property(fc.double(), (usd) => {
        const nanos = usdToNanos(usd);
        if (isRefusal(nanos)) return;
        expect(Number.isSafeInteger(nanos)).toBe(true);
        expect(nanos).toBeLessThanOrEqual(MAX_NANOS);
        expect(Object.is(nanos, -0)).toBe(false);
      }),
    );
  });
});

const amount = fc.maxSafeNat();

describe('sums and products stay exact (B1)', () => {
  test('B1: a sum is exact, or held at 2^53 - 1 and flagged', () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const exact = BigInt(a) + BigInt(b);
        const saturated = exact > BigInt(Number.MAX_SAFE_INTEGER);
        const value = saturated ? Number.MAX_SAFE_INTEGER : Number(exact);
        expect(addSaturating(a, b)).toEqual({ value, saturated });
      }),
    );
  });

  test('a sum of exactly 2^53 - 1 is not flagged', () => {
    expect(addSaturating(Number.MAX_SAFE_INTEGER, 0).saturated).toBe(false);
    expect(addSaturating(Number.MAX_SAFE_INTEGER, 1).saturated).toBe(true);
  });

  test('B1: a quotient rounded up is the smallest integer that is enough', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 10_000 }), (a, bps) => {
        const enough = BigInt(mulDivCeil(a, bps, 10_000)) * 10_000n;
        const product = BigInt(a) * BigInt(bps);
        expect(enough >= product && enough - product < 10_000n).toBe(true);
        expect(BigInt(mulDivFloor(a, bps, 10_000)) * 10_000n <= product).toBe(true);
      }),
    );
  });

  test('a quotient past 2^53 is held there', () => {
    expect(mulDivCeil(Number.MAX_SAFE_INTEGER, 2, 1)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('money for people', () => {
  test.each([
    ['dollars have two decimals', 4_130_000_000, '$4.13'],
    ['half a cent rounds up', 4_125_000_000, '$4.13'],
    ['trailing zeros stay up to the second', 5_000_000_000, '$5.00'],
    ['thousands are grouped', 1_234_500_000_000, '$1,234.50'],
    ['the largest amount', MAX_NANOS, '$9,007,199.00'],
    ['a saturated total', Number.MAX_SAFE_INTEGER, '$9,007,199.25'],
    ['below a dollar zeros past the second are dropped', 870_000_000, '$0.87'],
    ['one zero is kept', 500_000_000, '$0.50'],
    ['below a dollar four decimals', 123_456_789, '$0.1235'],
    ['a cent', 10_000_000, '$0.01'],
    ['below a cent six decimals', 1_234_567, '$0.001235'],
    ['below a hundredth of a cent eight decimals', 12_345, '$0.00001235'],
    ['one nano is shown as nothing', 1, '$0.00'],
    ['nothing', 0, '$0.00'],
    ['rounding up to a dollar looks like a dollar', 999_960_000, '$1.00'],
    ['rounding up to a cent looks like a cent', 9_999_999, '$0.01'],
  ])('%s', (_, nanos, text) => {
    expect(formatMoney(nanos)).toBe(text);
    expect(plainMoney(nanos)).toBe(text.replace(/[$,]/g, ''));
  });

  test('formats: what is shown is within half of its last digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000 * 10 ** 9 }), (nanos) => {
        expect(plainMoney(nanos)).toMatch(/^\d+\.\d{2,8}$/);
        const shown = usdToNanos(Number(plainMoney(nanos)));
        const step = nanos >= 1e9 ? 1e7 : nanos >= 1e7 ? 1e5 : nanos >= 1e5 ? 1e3 : 10;
        expect(Math.abs(Number(shown) - nanos)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });
});
