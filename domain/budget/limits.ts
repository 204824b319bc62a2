/**
 * What a period is held to. Limits are frozen into a period's row and its workflow with a
 * revision: a higher revision replaces a lower one, never the other way round.
 */
import type { ChannelName, Dimension, Enforcement } from '../words.js';

/**
 * One way out for a crossing. `destination` is a reference into the ledger (never an address);
 * without one the organisation's default of that channel is meant (C3). `kill` has none.
 * `agents` narrows a `kill` on the organisation's budget to those that synced it (C2); without
 * it a kill stops everyone the period counts.
 */
export interface Route {
  readonly channel: ChannelName;
  readonly destination?: string;
  readonly agents?: readonly string[];
}

/** A ratio of the limit in basis points, 1 to 10,000 (T1), and where its crossing goes. */
export interface Threshold {
  readonly bps: number;
  readonly routes: readonly Route[];
}

/**
 * C1. Where a limit comes from, for people and for whom a block holds; periods do not read it.
 * `until` is when the next part of it ends by itself, epoch ms.
 */
export interface LimitOrigin {
  readonly layer: 'synced' | 'ceiling' | 'operator';
  /** What agents synced, where that is not what holds. */
  readonly synced?: number;
  /** What temporary raises add to the amount. */
  readonly raised?: number;
  readonly until?: number;
  /** An operator made it `block`: it stops everyone, whoever synced a kill (C2). */
  readonly blocksAll?: true;
}

/** One dimension's limit. `amount` is an integer: nano-USD, tokens, calls or milliseconds (B1). */
export interface Limit {
  readonly dimension: Dimension;
  readonly amount: number;
  readonly enforcement: Enforcement;
  /** Ascending by `bps`, each at most once; none means the limit is only shown and enforced. */
  readonly thresholds: readonly Threshold[];
  /** Absent: as an agent synced it. */
  readonly origin?: LimitOrigin;
}

/**
 * C1. A reset: limits count what is spent beyond these totals, which the period held at `at` (epoch
 * ms). The totals themselves stay what they are.
 */
export interface Base {
  readonly at: number;
  readonly cost?: number;
  readonly tokens_total?: number;
  readonly calls?: number;
}

/** All limits of one period, at most one a dimension. */
export interface Limits {
  readonly rev: number;
  readonly limits: readonly Limit[];
  /** Absent: nobody has reset the period. */
  readonly base?: Base;
}

/** What of a dimension's total was spent before its reset; 0 where there was none. */
export function baseOf({ base }: Pick<Limits, 'base'>, dimension: Dimension): number {
  return dimension === 'duration' ? 0 : (base?.[dimension] ?? 0);
}

/** Totals of a period -> what its limits count. */
export function sinceReset(
  limits: Pick<Limits, 'base'>,
  totals: Readonly<Record<Dimension, number>>,
): Readonly<Record<Dimension, number>> {
  const since = (dimension: Dimension): number =>
    Math.max(0, totals[dimension] - baseOf(limits, dimension));
  return {
    cost: since('cost'),
    tokens_total: since('tokens_total'),
    calls: since('calls'),
    duration: totals.duration,
  };
}
