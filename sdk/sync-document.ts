/** A guard's own layer of configuration, as `POST /v1/sync-config` takes it (C1, C2). Pure. */
import type { ChannelConfig } from './channel.js';
import type { Budget } from './budget.js';
import type { Settings } from './settings.js';

export interface SyncedBudget {
  readonly budget_type: 'cost' | 'tokens_total' | 'calls' | 'duration' | 'loops';
  readonly period: string;
  readonly limit_value: number;
  readonly unit: 'usd' | 'tokens' | 'calls' | 'ms' | 'loops';
}

export interface SyncedAlert {
  readonly channel: string;
  readonly threshold_pct: number;
  readonly budget_type: string;
  readonly target?: string;
  readonly secret?: string;
}

/** Holds secrets: never logged. */
export interface SyncDocument {
  readonly agent_name: string;
  readonly budgets: readonly SyncedBudget[];
  readonly alert_configs: readonly SyncedAlert[];
  /** Null: none, as the wire has it. */
  readonly org_budget: SyncedBudget | null;
  readonly org_alert_configs?: readonly SyncedAlert[];
}

/**
 * Every limit of the guard and every channel. With both a budget and a shared one, channels of
 * cost watch either: a kill makes both `block` (B9), where the Python SDK leaves the agent's own
 * without one.
 */
export function syncDocument(settings: Settings): SyncDocument {
  const { agentName, budget, orgBudget, channels } = settings;
  const ofCost = channels.filter(({ budgetType }) => budgetType === 'cost');
  const ofRuns = channels.filter(({ budgetType }) => budgetType !== 'cost');
  return {
    agent_name: agentName,
    budgets: [...(budget === undefined ? [] : [costBudget(budget)]), ...runBudgets(settings)],
    alert_configs: [...(budget === undefined ? [] : ofCost), ...ofRuns].map(alertOf),
    org_budget: orgBudget === undefined ? null : costBudget(orgBudget),
    ...(orgBudget === undefined ? {} : { org_alert_configs: ofCost.map(alertOf) }),
  };
}

function costBudget({ limit, period }: Budget): SyncedBudget {
  return { budget_type: 'cost', period, limit_value: limit, unit: 'usd' };
}

function runBudgets({ guardrails }: Settings): SyncedBudget[] {
  const { maxTokens, maxCalls, maxRuntimeMs, loopThreshold } = guardrails;
  const each = (
    budget_type: SyncedBudget['budget_type'],
    unit: SyncedBudget['unit'],
    limit_value: number | undefined,
  ): SyncedBudget[] =>
    limit_value === undefined ? [] : [{ budget_type, period: 'per_run', limit_value, unit }];
  return [
    ...each('tokens_total', 'tokens', maxTokens),
    ...each('calls', 'calls', maxCalls),
    ...each('duration', 'ms', maxRuntimeMs),
    ...each('loops', 'loops', loopThreshold),
  ];
}

function alertOf(channel: ChannelConfig): SyncedAlert {
  return {
    channel: channel.type,
    threshold_pct: channel.threshold,
    budget_type: channel.budgetType,
    ...targetOf(channel),
  };
}

function targetOf(channel: ChannelConfig): Pick<SyncedAlert, 'target' | 'secret'> {
  switch (channel.type) {
    case 'email':
      return { target: channel.to, ...secret(channel.apiKey) };
    case 'slack':
      return { target: channel.webhookUrl };
    case 'pagerduty':
      return { target: channel.routingKey };
    case 'webhook':
      return { target: channel.url, ...secret(channel.secret) };
    case 'kill':
      return {};
  }
}

function secret(value: string | undefined): { readonly secret?: string } {
  return value === undefined ? {} : { secret: value };
}
