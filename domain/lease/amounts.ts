/**
 * What a lease speaks about, all three at once. Integers, never negative (B1); sums stay at
 * 2^53 - 1 once they are there.
 */

/** Nano-USD, tokens, calls. */
export interface Amounts {
  readonly cost: number;
  readonly tokens: number;
  readonly calls: number;
}

export const AMOUNTS = ['cost', 'tokens', 'calls'] as const;
export type AmountName = (typeof AMOUNTS)[number];

export const NOTHING: Amounts = { cost: 0, tokens: 0, calls: 0 };

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  return each((name) => Math.min(a[name] + b[name], Number.MAX_SAFE_INTEGER));
}

/** a - b, each at least 0. */
export function subtractAmounts(a: Amounts, b: Amounts): Amounts {
  return each((name) => Math.max(a[name] - b[name], 0));
}

/** The larger of each. */
export function maxAmounts(a: Amounts, b: Amounts): Amounts {
  return each((name) => Math.max(a[name], b[name]));
}

/** The smaller of each. */
export function minAmounts(a: Amounts, b: Amounts): Amounts {
  return each((name) => Math.min(a[name], b[name]));
}

/** Every one of `a` is at most that of `b`. */
export function fitsIn(a: Amounts, b: Amounts): boolean {
  return a.cost <= b.cost && a.tokens <= b.tokens && a.calls <= b.calls;
}

function each(read: (name: AmountName) => number): Amounts {
  return { cost: read('cost'), tokens: read('tokens'), calls: read('calls') };
}
