/** A reporter on virtual time, and a receiver that counts as a period does. */
import type { ReportAnswer } from '../../client/client.js';
import { createReporter, type Reporter, type ReporterOptions } from '../../client/reporter.js';
import type { ReporterPeriod } from '../../client/reporter-period.js';
import { applyReport } from '../../domain/budget/apply-report.js';
import { beginBudget } from '../../domain/budget/input.js';
import type { Report } from '../../domain/budget/report.js';
import type { BudgetState } from '../../domain/budget/state.js';
import { sumOf } from '../../domain/budget/sum.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { limitsOf, rowWith, T0 } from '../domain/budget-driver.js';
import { createVirtualTimers, type VirtualTimers } from '../support/virtual-timers.js';

export { T0 };
export const DAY = 86_400_000;

/** A day's budget of 1,000 nano-USD that tells at 80 %; `day` 0 is the one of `T0`. */
export function dayPeriod(day = 0, more: Partial<ReporterPeriod> = {}): ReporterPeriod {
  const { key, name, limits } = rowWith(limitsOf(1_000, [[8_000, 'slack']]));
  const startsAt = T0 + day * DAY;
  return {
    key: { ...key, period: `day-${String(day)}` },
    window: { startsAt, endsAt: startsAt + DAY, zone: 'UTC' },
    name,
    limits,
    ...more,
  };
}

export interface ReporterWorld {
  readonly timers: VirtualTimers;
  readonly reporter: Reporter;
  readonly sent: { readonly at: number; readonly period: string; readonly report: Report }[];
  readonly errors: string[];
  /** What happens to a report: by default it arrives. */
  transport: (period: ReporterPeriod, report: Report) => Promise<ReportAnswer>;
  /** The period takes it, as the workflow would. */
  arrive(period: ReporterPeriod, report: Report): void;
  /** What the period has counted, of all senders. */
  received(period: string): { cost: number; tokens: number; calls: number };
}

export async function createReporterWorld(
  options: Partial<ReporterOptions> = {},
  timers = createVirtualTimers(T0),
): Promise<ReporterWorld> {
  const states = new Map<string, BudgetState>();
  const world: ReporterWorld = {
    timers,
    reporter: createReporter({
      send: (period, report) => {
        world.sent.push({ at: timers.now(), period: period.key.period, report });
        return world.transport(period, report);
      },
      sender: 'bot-1f',
      periods: [dayPeriod()],
      timers,
      onError: (error) => {
        world.errors.push(error.message);
      },
      ...options,
    }),
    sent: [],
    errors: [],
    transport: (period, report) => {
      world.arrive(period, report);
      return Promise.resolve('delivered');
    },
    arrive: (period, report) => {
      const { key, window, name, limits } = period;
      const row = rowWith(limits, { key, window, name });
      const state =
        states.get(key.period) ?? beginBudget({ kind: 'row', row, policy: DEFAULT_POLICY });
      states.set(key.period, applyReport(state, report, timers.now()));
    },
    received: (period) => {
      const { cost, tokens, calls } = sumOf(
        Object.values(states.get(period)?.senders ?? {}),
      ).totals;
      return { cost, tokens, calls };
    },
  };
  await timers.settle();
  return world;
}
