/**
 * What a bench says: figures with their spread, and checks that nothing was lost or doubled.
 * F-1. A ratio is taken inside one pair of runs, then the median over the pairs: what slows the
 *      machine for a while slows both arms of a pair.
 */

/** One number per pair or repetition, and what is made of them. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
  /** What it has to reach; absent where the figure only informs. */
  readonly bound?: { readonly atLeast: number } | { readonly atMost: number };
}

/** An account that has to balance. */
export interface Check {
  readonly what: string;
  readonly expected: number | string;
  readonly actual: number | string;
}

export interface Report {
  readonly figures: readonly Figure[];
  readonly checks: readonly Check[];
  /** One sentence each: sizes, and what the reader must know to read the figures right. */
  readonly notes: readonly string[];
}

/** Throws a RangeError without samples: a figure of nothing is a fault of the bench. */
export function figure(
  name: string,
  unit: string,
  samples: readonly number[],
  bound?: Figure['bound'],
): Figure {
  if (samples.length === 0) throw new RangeError(`${name} has no samples`);
  return {
    ...{ name, unit, median: quantile(samples, 0.5) },
    ...{ min: Math.min(...samples), max: Math.max(...samples), samples: samples.length },
    ...(bound === undefined ? {} : { bound }),
  };
}

/** Linear between the two nearest samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function reaches({ median, bound }: Figure): boolean {
  if (bound === undefined) return true;
  return 'atLeast' in bound ? median >= bound.atLeast : median <= bound.atMost;
}

export function balances({ expected, actual }: Check): boolean {
  return expected === actual;
}

/** Runs both arms `pairs` times in the order A B B A A B …, so that a drift favours neither. */
export async function interleave<A, B>(
  pairs: number,
  first: (pair: number) => Promise<A>,
  second: (pair: number) => Promise<B>,
): Promise<{ readonly a: A; readonly b: B }[]> {
  const runs: { a: A; b: B }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    if (pair % 2 === 0) {
      const a = await first(pair);
      runs.push({ a, b: await second(pair) });
    } else {
      const b = await second(pair);
      runs.push({ a: await first(pair), b });
    }
  }
  return runs;
}
