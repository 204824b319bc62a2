import { describe, expect, test } from 'vitest';
import { formatAmount, plainAmount, unitOf } from '../../domain/amount.js';
import { formatDuration } from '../../domain/duration.js';

describe('durations for people', () => {
  test.each([
    [0, '0ms'],
    [850, '850ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [12_349, '12.3s'],
    [59_999, '59.9s'],
    [60_000, '1m'],
    [125_999, '2m 5s'],
    [1_800_000, '30m'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h'],
    [3_900_000, '1h 5m'],
    [360_000_000, '100h'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('amounts in their own units', () => {
  test.each([
    ['cost', 4_130_000_000, '$4.13', '4.13', 'USD'],
    ['tokens_total', 12_345, '12,345 tokens', '12345', 'tokens'],
    ['tokens_total', 1, '1 token', '1', 'tokens'],
    ['calls', 1_000_000, '1,000,000 calls', '1000000', 'calls'],
    ['calls', 1, '1 call', '1', 'calls'],
    ['calls', 0, '0 calls', '0', 'calls'],
    ['duration', 90_000, '1m 30s', '90000', 'ms'],
  ] as const)('%s of %d', (dimension, amount, text, plain, unit) => {
    expect(formatAmount(dimension, amount)).toBe(text);
    expect(plainAmount(dimension, amount)).toBe(plain);
    expect(unitOf(dimension)).toBe(unit);
  });

  test('the largest count keeps all its digits', () => {
    expect(plainAmount('tokens_total', Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
  });
});
