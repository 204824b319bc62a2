/**
 * Money is an integer of nano-USD, 1 USD = 10^9 (B1).
 * M-1. A float is read once, at the edge, by its decimal digits; nothing here multiplies one.
 * M-2. A sum never passes 2^53 - 1: it stays there and says so.
 * M-3. A product that could pass 2^53 is computed with BigInt.
 */
import { refuse, type Refusal } from './refusal.js';

export const NANOS_PER_USD = 1_000_000_000;

/** 9,007,199 USD, the largest amount that is taken. */
export const MAX_NANOS = 9_007_199 * NANOS_PER_USD;

/**
 * USD as it stands in JSON -> nano-USD, rounded half up to the nano: `4.13 -> 4_130_000_000`.
 * Refuses what is no finite number from 0 to 9,007,199. `-0` is 0.
 */
export function usdToNanos(usd: unknown): number | Refusal {
  if (typeof usd !== 'number' || !Number.isFinite(usd)) {
    const seen = typeof usd === 'number' ? String(usd) : typeof usd;
    return refuse('money_not_a_number', `An amount in USD must be a finite number, not ${seen}.`);
  }
  if (usd < 0) {
    return refuse(
      'money_negative',
      `An amount in USD must not be negative, but ${String(usd)} is.`,
    );
  }
  if (usd > MAX_NANOS / NANOS_PER_USD) {
    return refuse(
      'money_too_large',
      `An amount in USD must be at most 9,007,199, but ${String(usd)} was given; use a smaller one.`,
    );
  }
  return nanosFromDecimal(String(usd));
}

/** `text` as JavaScript writes a number: `12.5`, `1e-7`, `1.5e-7`. */
function nanosFromDecimal(text: string): number {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  const shift = 9 + Number(exponent) - fraction.length;
  if (shift >= 0) return Number(digits * 10n ** BigInt(shift));
  const divisor = 10n ** BigInt(-shift);
  return Number((digits * 2n + divisor) / (divisor * 2n));
}

/** Sum of two non-negative safe integers, held at 2^53 - 1 and flagged where it would pass it. */
export function addSaturating(
  a: number,
  b: number,
): { readonly value: number; readonly saturated: boolean } {
  return a > Number.MAX_SAFE_INTEGER - b
    ? { value: Number.MAX_SAFE_INTEGER, saturated: true }
    : { value: a + b, saturated: false };
}

/**
 * `ceil(a × b / c)` of non-negative safe integers, exact, held at 2^53 - 1.
 * Throws a RangeError for `c` = 0: that is a bug of the caller.
 */
export function mulDivCeil(a: number, b: number, c: number): number {
  const divisor = BigInt(c);
  return fromBigInt((BigInt(a) * BigInt(b) + divisor - 1n) / divisor);
}

/** `floor(a × b / c)`, else as `mulDivCeil`. */
export function mulDivFloor(a: number, b: number, c: number): number {
  return fromBigInt((BigInt(a) * BigInt(b)) / BigInt(c));
}

function fromBigInt(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** Nano-USD for people (spec §4): `$4.13`, `$1,234.50`, `$0.87`, `$0.0123`, `$0.00000004`. */
export function formatMoney(nanos: number): string {
  const [whole = '', fraction = ''] = plainMoney(nanos).split('.');
  return `$${groupDigits(whole)}.${fraction}`;
}

/** The same digits without sign and separators, for templates: `4.13`, `1234.50`. */
export function plainMoney(nanos: number): string {
  const decimals = decimalsFor(nanos);
  const unit = 10 ** (9 - decimals);
  const rounded = quotient(nanos + unit / 2, unit);
  const scale = 10 ** decimals;
  const fraction = String(rounded % scale).padStart(decimals, '0');
  return `${String(quotient(rounded, scale))}.${fraction.replace(/(?<=^\d\d.*?)0+$/, '')}`;
}

function decimalsFor(nanos: number): number {
  if (nanos >= NANOS_PER_USD) return 2;
  if (nanos >= NANOS_PER_USD / 100) return 4;
  return nanos >= NANOS_PER_USD / 10_000 ? 6 : 8;
}

/** Exact where `Math.floor(a / b)` is not: near 2^53 the division itself rounds up. */
function quotient(a: number, b: number): number {
  return (a - (a % b)) / b;
}

/** `"12345" -> "12,345"`. */
export function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ',');
}
