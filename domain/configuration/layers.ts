/**
 * C1. Two layers decide what a scope is held to: what agents synced, and what an operator set.
 * `effectiveBudgets` is the whole rule, a pure function of both and the time.
 *
 * L-1. A `limit` stands in the place of whatever was synced for its cadence and dimension: amount,
 *      enforcement and thresholds. No synced alert applies to it.
 * L-2. A `ceiling` lets the synced limit hold up to its amount; where none was synced it is the
 *      limit itself. `thresholds` bound nothing. Both add their thresholds to the synced ones, and
 *      `block` where the operator says so: kills and destinations that no sync takes away.
 * L-3. Of two entries for one cadence and dimension the one with an end stands while it lasts;
 *      the other holds again after it.
 * L-4. Raises add up, on top of whatever holds, each until its own end.
 * L-5. An end is exact: at `until` it does not hold any more.
 */
import type { Limit, LimitOrigin, Threshold } from '../budget/limits.js';
import type { Budget } from '../configuration.js';
import { addSaturating } from '../money.js';
import { CADENCES, DIMENSIONS, type Cadence, type Dimension, type Enforcement } from '../words.js';
import { mergeThresholds, sortThresholds } from './thresholds.js';

/** Who set it, when, why, and until when; epoch ms. */
export interface Authored {
  readonly by: string;
  readonly at: number;
  readonly reason?: string;
  readonly until?: number;
}

/** What an operator set for one cadence and dimension. Amounts as in `Limit`. */
export type OperatorLimit = Authored & {
  readonly cadence: Cadence;
  readonly dimension: Dimension;
  readonly enforcement: Enforcement;
  readonly thresholds: readonly Threshold[];
} & (
    | { readonly kind: 'limit' | 'ceiling'; readonly amount: number }
    | { readonly kind: 'thresholds' }
  );

/** So much more until its end, and why. */
export interface Raise extends Required<Authored> {
  readonly id: string;
  readonly cadence: Cadence;
  readonly dimension: Dimension;
  readonly amount: number;
}

export interface OperatorLayer {
  readonly limits: readonly OperatorLimit[];
  readonly raises: readonly Raise[];
}

export const NO_LAYER: OperatorLayer = { limits: [], raises: [] };

/** What holds at `now`, in the order of the cadences and dimensions. */
export function effectiveBudgets(
  synced: readonly Budget[],
  operator: OperatorLayer,
  now: number,
): readonly Budget[] {
  const { limits, raises } = withoutEnded(operator, now);
  if (limits.length + raises.length === 0) return synced;
  return CADENCES.flatMap((cadence): Budget[] => {
    const own = synced.find((budget) => budget.cadence === cadence)?.limits ?? [];
    const held = DIMENSIONS.flatMap((dimension): Limit[] => {
      const given = own.find((each) => each.dimension === dimension);
      const entry = standing(limits, cadence, dimension);
      const held = entry === undefined ? given : underEntry(given, entry);
      if (held === undefined) return [];
      const concerned = raises.filter((each) => concerns(each, cadence, dimension));
      return [concerned.length === 0 ? held : raised(held, concerned)];
    });
    return held.length === 0 ? [] : [{ cadence, limits: held }];
  });
}

/** L-5. What is over is gone. The same object where nothing is. */
export function withoutEnded(operator: OperatorLayer, now: number): OperatorLayer {
  const holds = ({ until }: Authored): boolean => until === undefined || until > now;
  const limits = operator.limits.filter(holds);
  const raises = operator.raises.filter(holds);
  const isSame =
    limits.length === operator.limits.length && raises.length === operator.raises.length;
  return isSame ? operator : { limits, raises };
}

/** When the next part of the layer ends by itself, be it over already; undefined: never. */
export function nextEndOf({ limits, raises }: OperatorLayer): number | undefined {
  return [...limits, ...raises].reduce<number | undefined>(
    (least, { until }) => earlier(least, until),
    undefined,
  );
}

/** L-3. The entry that decides, of those that have not ended. */
export function standing(
  limits: readonly OperatorLimit[],
  cadence: Cadence,
  dimension: Dimension,
): OperatorLimit | undefined {
  const concerned = limits.filter((each) => concerns(each, cadence, dimension));
  return concerned.find(({ until }) => until !== undefined) ?? concerned[0];
}

export function concerns(
  each: { readonly cadence: Cadence; readonly dimension: Dimension },
  cadence: Cadence,
  dimension: Dimension,
): boolean {
  return each.cadence === cadence && each.dimension === dimension;
}

function underEntry(given: Limit | undefined, entry: OperatorLimit): Limit | undefined {
  const { dimension, enforcement, thresholds, until } = entry;
  const blocks = enforcement === 'block' ? { blocksAll: true as const } : {};
  const ends = until === undefined ? {} : { until };
  const own = { dimension, enforcement, thresholds: sortThresholds(thresholds) };
  if (entry.kind === 'limit') {
    const synced = given === undefined || given.amount === entry.amount ? {} : syncedOf(given);
    const origin: LimitOrigin = { layer: 'operator', ...synced, ...blocks, ...ends };
    return { ...own, amount: entry.amount, origin };
  }
  if (given === undefined) {
    if (entry.kind === 'thresholds') return undefined;
    return { ...own, amount: entry.amount, origin: { layer: 'ceiling', ...blocks, ...ends } };
  }
  const isCut = entry.kind === 'ceiling' && given.amount > entry.amount;
  const origin: LimitOrigin = {
    layer: isCut ? 'ceiling' : 'synced',
    ...(isCut ? syncedOf(given) : {}),
    ...blocks,
    ...ends,
  };
  return {
    dimension,
    amount: isCut ? entry.amount : given.amount,
    enforcement: enforcement === 'block' ? enforcement : given.enforcement,
    thresholds: sortThresholds(mergeThresholds(given.thresholds, thresholds)),
    origin,
  };
}

function syncedOf({ amount }: Limit): Pick<LimitOrigin, 'synced'> {
  return { synced: amount };
}

function raised(limit: Limit, raises: readonly Raise[]): Limit {
  const added = raises.reduce((sum, { amount }) => addSaturating(sum, amount).value, 0);
  const { layer = 'synced', until, ...rest }: Partial<LimitOrigin> = limit.origin ?? {};
  const ends = raises.reduce((least, each) => earlier(least, each.until), until);
  return {
    ...limit,
    amount: addSaturating(limit.amount, added).value,
    origin: { ...rest, layer, raised: added, ...(ends === undefined ? {} : { until: ends }) },
  };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
