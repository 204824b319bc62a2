/**
 * The budgets of the demo's agent, and which of their thresholds the trace must pass.
 * What is expected is worked out here from sums alone (T2, T3), with BigInt and without
 *      `domain/budget`: a fault there would otherwise excuse itself.
 */
import type { Cadence, ChannelName, Dimension } from '../../domain/words.js';
import type { PlannedRun, Sums } from './plan.js';

export interface DemoThreshold {
  readonly dimension: Dimension;
  readonly cadence: Extract<Cadence, 'daily' | 'run'>;
  readonly bps: number;
  readonly channels: readonly ChannelName[];
}

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
export interface ExpectedCrossing extends DemoThreshold {
  readonly run?: string;
}

export interface CrossingRef extends Pick<DemoThreshold, 'dimension' | 'bps'> {
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
    const passing = (spent: number, limit: number): boolean =>
      BigInt(spent) * 10_000n >= BigInt(limit) * BigInt(threshold.bps);
    switch (threshold.dimension) {
      case 'cost':
        return passing(total.cost, limits.cost) ? [threshold] : [];
      case 'tokens_total':
        return runs
          .filter((run) => passing(run.tokens, limits.tokens))
          .map((run) => ({ ...threshold, run: run.id }));
      default:
        // The hung run passes it by the clock alone (B7).
        return [
          { ...threshold, run: hungRun },
          ...runs
            .filter((run) => passing(run.durationMs, limits.durationMs))
            .map((run) => ({ ...threshold, run: run.id })),
        ];
    }
  });
}
