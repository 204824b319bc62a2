/**
 * The budgets of the demo's agent, and which of their thresholds the trace must pass.
 * What is expected is worked out here from sums alone (T2, T3), with BigInt and without
 *      `domain/budget`: a fault there would otherwise excuse itself.
 */
import type { ChannelName, Dimension } from '../../domain/words.js';
import type { PlannedRun, Sums } from './plan.js';

interface ThresholdWays {
  readonly bps: number;
  readonly channels: readonly ChannelName[];
}

export type DemoThreshold = ThresholdWays &
  (
    | { readonly dimension: 'cost'; readonly cadence: 'daily' }
    | { readonly dimension: 'tokens_total' | 'duration'; readonly cadence: 'run' }
  );

/** Ascending within each dimension. */
export const THRESHOLDS: readonly DemoThreshold[] = [
  { dimension: 'cost', cadence: 'daily', bps: 5_000, channels: ['slack'] },
  { dimension: 'cost', cadence: 'daily', bps: 8_000, channels: ['email', 'webhook'] },
  {
    dimension: 'cost',
    cadence: 'daily',
    bps: 10_000,
    channels: ['slack', 'email', 'webhook', 'kill'],
  },
  { dimension: 'tokens_total', cadence: 'run', bps: 8_000, channels: ['webhook'] },
  { dimension: 'tokens_total', cadence: 'run', bps: 10_000, channels: ['slack'] },
  { dimension: 'duration', cadence: 'run', bps: 10_000, channels: ['email', 'webhook'] },
];

/** One threshold of one period that must fire once. `run` is absent for the day. */
export type ExpectedCrossing = DemoThreshold & { readonly run?: string };

export interface CrossingRef {
  readonly dimension: Dimension;
  readonly bps: number;
  readonly run?: string | undefined;
}

/** `day/cost/5000`, `run-1a/tokens_total/10000`. */
export function crossingName({ run, dimension, bps }: CrossingRef): string {
  return `${run ?? 'day'}/${dimension}/${String(bps)}`;
}

export interface Forecast {
  readonly total: Sums;
  readonly runs: readonly PlannedRun[];
  readonly hungRun: string;
  readonly limits: { readonly cost: number; readonly tokens: number; readonly durationMs: number };
}

export function expectCrossings({ total, runs, hungRun, limits }: Forecast): ExpectedCrossing[] {
  return THRESHOLDS.flatMap((threshold): ExpectedCrossing[] => {
    const { dimension, bps, cadence } = threshold;
    const isPassed = (spent: number, limit: number): boolean =>
      BigInt(spent) * 10_000n >= BigInt(limit) * BigInt(bps);
    if (cadence === 'daily') return isPassed(total.cost, limits.cost) ? [threshold] : [];
    const passing = runs.filter((run) =>
      dimension === 'duration'
        ? isPassed(run.durationMs, limits.durationMs)
        : isPassed(run.tokens, limits.tokens),
    );
    // The hung run passes its time by the clock alone (B7).
    const ids = [...(dimension === 'duration' ? [hungRun] : []), ...passing.map(({ id }) => id)];
    return ids.map((run) => ({ ...threshold, run }));
  });
}
