/**
 * One budget in this process, period after period, by the rules of its workflow (domain/budget):
 * thresholds, latches, cooldowns, kills.
 * KB-1. A call belongs to the period it was admitted in (B4): its end changes no other.
 * KB-2. T7. Totals, latches and kills end with their period; a clock that is set back opens none.
 */
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { ThresholdAlert } from '../../domain/alert/state.js';
import type { BudgetEffect, BudgetEvent } from '../../domain/budget/events.js';
import { beginBudget } from '../../domain/budget/input.js';
import type { PeriodKey, PeriodWindow } from '../../domain/budget/period-key.js';
import { budgetMachine } from '../../domain/budget/reduce.js';
import { LEDGER, type BudgetState } from '../../domain/budget/state.js';
import type { Spent } from '../../domain/budget/thresholds.js';
import { spentOf } from '../../domain/budget/sum.js';
import { addAmounts, NOTHING, subtractAmounts, type Amounts } from '../../domain/lease/amounts.js';
import { periodAt } from '../../domain/period.js';
import type { Clock, Timers } from '../engine/surroundings.js';
import { driveMachine, type Driven } from './drive.js';
import type { BudgetPlan } from './plan.js';

export interface KeptPeriod {
  readonly plan: BudgetPlan;
  readonly window: PeriodWindow;
  state(): BudgetState;
  spent(): Spent;
  /** Worst cases of calls under way. */
  reserved(): Amounts;
  reserve(worst: Amounts): void;
  release(worst: Amounts): void;
  count(actual: Amounts): void;
}

export interface KeptBudget {
  /** Of now: the next one where the last is over. */
  current(): KeptPeriod;
  stop(): void;
}

export interface KeptBudgetOptions {
  readonly plan: BudgetPlan;
  readonly agentName: string;
  readonly runId: string;
  readonly zone: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly raise: (input: ThresholdAlert) => void;
  readonly endAlert: (alertId: string, at: number) => void;
  /** Something has changed, perhaps by time alone. */
  readonly onChange: () => void;
}

/** Nobody else has an organisation here. */
const ORG = 'standalone';
/** Longer than any process: its run is open while it is there. */
const FOREVER_MS = 100 * 365 * 86_400_000;

/** No word comes after a period's end, so nothing waits for one. */
const POLICY: Policy = {
  ...DEFAULT_POLICY,
  ...{ closeGraceMs: 0, runSilenceMs: FOREVER_MS, runIdleMs: FOREVER_MS },
};

type Period = KeptPeriod & { readonly driven: Driven<BudgetState, BudgetEvent> };

export function keepBudget(options: KeptBudgetOptions): KeptBudget {
  const { clock } = options;
  let period = openPeriod(options);

  return {
    current() {
      const { endsAt } = period.window;
      if (endsAt !== undefined && endsAt <= clock.wall()) {
        period.driven.look();
        period.driven.stop();
        period = openPeriod(options);
      }
      return period;
    },
    stop() {
      period.driven.stop();
    },
  };
}

function openPeriod(options: KeptBudgetOptions): Period {
  const { plan, clock, timers, raise, endAlert, onChange } = options;
  const openedAt = clock.wall();
  const { key, window } = periodOf(options, openedAt);
  const { name, limits } = plan;
  const row = { key, window, name, limits, latches: {}, firingNo: 0, senders: {}, openAlerts: [] };
  const isRun = plan.cadence === 'run';
  let totals = NOTHING;
  let reserved = NOTHING;
  let seq = 0;

  const perform = (effect: BudgetEffect, tell: (event: BudgetEvent) => void): void => {
    switch (effect.type) {
      case 'raiseAlert':
        raise(effect.input);
        tell({ type: 'alertRaised', alertId: effect.input.id });
        return;
      case 'endAlert':
        endAlert(effect.alertId, effect.at);
        tell({ type: 'alertEnded', alertId: effect.alertId });
        return;
      case 'publish':
        // K3. There is no row to enforce it: the state itself does, from here on.
        tell({ type: 'published', mark: effect.mark, covers: effect.covers });
        return;
      case 'openPeriod':
        return;
      default:
        effect satisfies never;
    }
  };
  const begun = beginBudget({ kind: 'row', row, policy: POLICY });
  const driven = driveMachine(budgetMachine, begun, { clock, timers, perform, onChange });
  const report = (): void => {
    const now = clock.wall();
    seq += 1;
    driven.tell({
      type: 'reported',
      report: {
        ...{ sender: LEDGER, epoch: 1, seq, ...totals, firstAt: openedAt, lastAt: now },
        ...(isRun ? { run: { startedAt: openedAt, heardAt: now, open: true } } : {}),
      },
    });
  };
  driven.tell({ type: 'began' });
  if (isRun) report();

  return {
    ...{ plan, window, driven },
    state: driven.state,
    spent: () => spentOf(driven.state(), clock.wall()),
    reserved: () => reserved,
    reserve(worst) {
      reserved = addAmounts(reserved, worst);
    },
    release(worst) {
      reserved = subtractAmounts(reserved, worst);
    },
    count(actual) {
      totals = addAmounts(totals, actual);
      report();
    },
  };
}

function periodOf(
  { plan, agentName, runId, zone }: KeptBudgetOptions,
  at: number,
): { readonly key: PeriodKey; readonly window: PeriodWindow } {
  const { scope, cadence } = plan;
  const { period, ...window } =
    cadence === 'run' ? { period: runId, startsAt: at, zone } : periodAt(cadence, zone, at);
  const key = { org: ORG, cadence, period, generation: 1 };
  return { key: { ...key, scope: scope === 'org' ? scope : `agent:${agentName}` }, window };
}
