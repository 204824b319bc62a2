/** Which budgets a guard without a service keeps: what a service makes of the document it syncs. */
import type { Limit, Limits, Threshold } from '../../domain/budget/limits.js';
import {
  enforcementOf,
  mergeThresholds,
  sortThresholds,
} from '../../domain/configuration/thresholds.js';
import { usdToNanos } from '../../domain/money.js';
import { BPS_PER_ONE } from '../../domain/ratio.js';
import { isRefusal } from '../../domain/refusal.js';
import type { Cadence, Dimension } from '../../domain/words.js';
import type { Budget } from '../budget.js';
import type { ChannelConfig } from '../channel.js';
import type { Settings } from '../settings.js';

export interface BudgetPlan {
  readonly scope: 'agent' | 'org';
  readonly cadence: Cadence;
  /** Whose it is, for people. */
  readonly name: string;
  readonly limits: Limits;
}

type Planned = Pick<Settings, 'agentName' | 'budget' | 'orgBudget' | 'channels' | 'guardrails'>;

/** The agent's, the shared one, and the run's, as far as there are any. */
export function planBudgets(settings: Planned): readonly BudgetPlan[] {
  const { agentName: name, budget, orgBudget, channels, guardrails } = settings;
  const { maxTokens, maxCalls, maxRuntimeMs } = guardrails;
  const limit = (dimension: Dimension, amount: number | undefined): Limit[] =>
    amount === undefined ? [] : [limitOf(channels, dimension, amount)];
  const cost = (of: Budget): Limits => ({ rev: 1, limits: limit('cost', nanosOf(of)) });
  const ofRun = [
    ...limit('tokens_total', maxTokens),
    ...limit('calls', maxCalls),
    ...limit('duration', maxRuntimeMs),
  ].map(withoutLastKill);
  return [
    ...(budget === undefined
      ? []
      : [{ scope: 'agent' as const, cadence: budget.period, name, limits: cost(budget) }]),
    ...(orgBudget === undefined
      ? []
      : [
          {
            ...{ scope: 'org' as const, cadence: orgBudget.period, limits: cost(orgBudget) },
            name: `organisation (this process of ${name} alone)`,
          },
        ]),
    // A limit of a run without a channel is kept by the guard itself.
    ...(ofRun.every(
      ({ thresholds, enforcement }) => thresholds.length === 0 && enforcement === 'alert',
    )
      ? []
      : [
          {
            ...{ scope: 'agent' as const, cadence: 'run' as const, name },
            limits: { rev: 1, limits: ofRun },
          },
        ]),
  ];
}

/** Which of the channels a route means: the same target at several thresholds is one. */
export function referenceOf(channels: readonly ChannelConfig[], channel: ChannelConfig): string {
  return String(channels.findIndex((each) => targetOf(each) === targetOf(channel)));
}

function targetOf(channel: ChannelConfig): string {
  return JSON.stringify({ ...channel, threshold: 0, budgetType: 'cost' });
}

function limitOf(channels: readonly ChannelConfig[], dimension: Dimension, amount: number): Limit {
  const thresholds = sortThresholds(
    channels.reduce<Threshold[]>((merged, channel) => {
      if (channel.budgetType !== dimension) return merged;
      const { type, threshold } = channel;
      const route =
        type === 'kill'
          ? { channel: type }
          : { channel: type, destination: referenceOf(channels, channel) };
      const bps = Math.round(threshold * BPS_PER_ONE);
      return mergeThresholds(merged, [{ bps, routes: [route] }]);
    }, []),
  );
  return { dimension, amount, enforcement: enforcementOf(thresholds), thresholds };
}

/** At its limit the guard ends a run itself, and says so (guardrails.ts): a kill there is that one. */
function withoutLastKill(limit: Limit): Limit {
  const thresholds = limit.thresholds.flatMap(({ bps, routes }): Threshold[] => {
    const kept =
      bps === BPS_PER_ONE ? routes.filter(({ channel }) => channel !== 'kill') : [...routes];
    return kept.length === 0 ? [] : [{ bps, routes: kept }];
  });
  return { ...limit, thresholds };
}

function nanosOf({ limit }: Budget): number {
  const nanos = usdToNanos(limit);
  if (isRefusal(nanos)) throw new Error(nanos.message);
  return nanos;
}
