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
  return {
    cost: Math.min(a.cost + b.cost, Number.MAX_SAFE_INTEGER),
    tokens: Math.min(a.tokens + b.tokens, Number.MAX_SAFE_INTEGER),
    calls: Math.min(a.calls + b.calls, Number.MAX_SAFE_INTEGER),
  };
}

/** a - b, each at least 0. */
export function subtractAmounts(a: Amounts, b: Amounts): Amounts {
  return {
    cost: Math.max(a.cost - b.cost, 0),
    tokens: Math.max(a.tokens - b.tokens, 0),
    calls: Math.max(a.calls - b.calls, 0),
  };
}

/** The larger of each. */
export function maxAmounts(a: Amounts, b: Amounts): Amounts {
  return eachAmount((name) => Math.max(a[name], b[name]));
}

/** The smaller of each. */
export function minAmounts(a: Amounts, b: Amounts): Amounts {
  return eachAmount((name) => Math.min(a[name], b[name]));
}

/** Every one of `a` is at most that of `b`. */
export function fitsIn(a: Amounts, b: Amounts): boolean {
  return a.cost <= b.cost && a.tokens <= b.tokens && a.calls <= b.calls;
}

/** All three, each read by its name. */
export function eachAmount(read: (name: AmountName) => number): Amounts {
  return { cost: read('cost'), tokens: read('tokens'), calls: read('calls') };
}
