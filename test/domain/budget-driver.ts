/** Drives the budget machine by hand: effects are kept, and performed when a test says so. */
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { ThresholdAlert } from '../../domain/alert/state.js';
import type { BudgetEffect, BudgetEvent } from '../../domain/budget/events.js';
import { beginBudget, type PeriodRow } from '../../domain/budget/input.js';
import type { Limit, Limits, Threshold } from '../../domain/budget/limits.js';
import { budgetMachine } from '../../domain/budget/reduce.js';
import type { Report } from '../../domain/budget/report.js';
import type { BudgetState, Published } from '../../domain/budget/state.js';
import type { ChannelName, Dimension } from '../../domain/words.js';

export const T0 = Date.UTC(2026, 10, 21);

export function limitsOf(
  amount: number,
  thresholds: readonly (readonly [number, ...ChannelName[]])[],
  rev = 1,
  dimension: Dimension = 'cost',
): Limits {
  return { rev, limits: [limitOf(amount, thresholds, dimension)] };
}

export function limitOf(
  amount: number,
  thresholds: readonly (readonly [number, ...ChannelName[]])[],
  dimension: Dimension = 'cost',
): Limit {
  return {
    dimension,
    amount,
    enforcement: 'alert',
    thresholds: thresholds.map(([bps, ...channels]): Threshold => ({
      bps,
      routes: channels.map((channel) => ({ channel })),
    })),
  };
}

export function rowWith(limits: Limits, more: Partial<PeriodRow> = {}): PeriodRow {
  return {
    key: {
      org: 'default',
      scope: 'agent:bot',
      cadence: 'daily',
      period: '20261121T000000Z',
      generation: 1,
    },
    window: { startsAt: T0, endsAt: T0 + 86_400_000, zone: 'UTC' },
    name: 'bot',
    limits,
    latches: {},
    firingNo: 0,
    senders: {},
    openAlerts: [],
    ...more,
  };
}

export function totals(seq: number, cost: number, more: Partial<Report> = {}): Report {
  return { sender: 'ledger', epoch: 1, seq, cost, tokens: 0, calls: 0, limitsRev: 1, ...more };
}

export interface BudgetDriver {
  readonly state: BudgetState;
  readonly alerts: readonly ThresholdAlert[];
  readonly ended: readonly string[];
  readonly published: readonly Published[];
  now: number;
  /** While true, publishes stay under way until `release`. */
  holdPublishes: boolean;
  /** So many starts of alerts fail from now on. */
  failRaises: number;
  send(event: BudgetEvent): void;
  report(report: Report): void;
  /** Lets time pass, ticking at every due moment on the way. */
  pass(ms: number): void;
  release(how?: 'published' | 'publishFailed'): void;
}

/** `rotate`: after every event the state goes through JSON, as a rotation would carry it. */
export function driveBudget(
  row: PeriodRow,
  policy: Partial<Policy> = {},
  rotate = false,
): BudgetDriver {
  let state = beginBudget({ kind: 'row', row, policy: { ...DEFAULT_POLICY, ...policy } });
  const alerts: ThresholdAlert[] = [];
  const ended: string[] = [];
  const published: Published[] = [];
  const held: Extract<BudgetEffect, { type: 'publish' }>[] = [];
  const driver: BudgetDriver = {
    get state() {
      return state;
    },
    alerts,
    ended,
    published,
    now: T0,
    holdPublishes: false,
    failRaises: 0,
    send: (event) => {
      const [next, effects] = budgetMachine.reduce(state, event, driver.now);
      state = rotate ? (JSON.parse(JSON.stringify(next)) as BudgetState) : next;
      for (const effect of effects) perform(effect);
    },
    report: (report) => {
      driver.send({ type: 'reported', report });
    },
    pass: (ms) => {
      const until = driver.now + ms;
      for (let ticks = 0; ; ticks += 1) {
        const due = budgetMachine.dueAt(state);
        if (due === undefined || due > until) break;
        if (ticks > 1_000) throw new Error(`the timer spins at ${String(due)}`);
        driver.now = Math.max(driver.now, due);
        driver.send({ type: 'ticked' });
      }
      driver.now = until;
    },
    release: (how = 'published') => {
      for (const effect of held.splice(0)) {
        if (how === 'published') confirm(effect);
        else driver.send({ type: 'publishFailed' });
      }
    },
  };

  function confirm(effect: Extract<BudgetEffect, { type: 'publish' }>): void {
    published.push(effect.published);
    driver.send({ type: 'published', mark: effect.mark, covers: effect.covers });
  }

  function perform(effect: BudgetEffect): void {
    switch (effect.type) {
      case 'publish':
        if (driver.holdPublishes) held.push(effect);
        else confirm(effect);
        break;
      case 'raiseAlert':
        if (driver.failRaises > 0) {
          driver.failRaises -= 1;
          driver.send({ type: 'raiseFailed', alertId: effect.input.id });
          break;
        }
        alerts.push(effect.input);
        driver.send({ type: 'alertRaised', alertId: effect.input.id });
        break;
      case 'endAlert':
        ended.push(effect.alertId);
        driver.send({ type: 'alertEnded', alertId: effect.alertId });
        break;
      case 'openPeriod':
        break;
    }
  }

  driver.send({ type: 'began' });
  return driver;
}
