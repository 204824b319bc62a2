/** The configuration the demo's agent syncs, in the words of the SDKs. */
import type { Dimension } from '../../domain/words.js';
import { THRESHOLDS } from './expectation.js';
import type { Plan } from './plan.js';

export interface Targets {
  readonly slack: string;
  readonly webhook: string;
  readonly webhookSecret: string;
}

/** Emails have no target: they go to the organisation's default destination (C3). */
export function syncDocument(plan: Plan, targets: Targets): object {
  const { agent, limits } = plan;
  const budget = (type: Dimension, period: string, limit: number, unit: string) => ({
    ...{ budget_type: type, period, limit_value: limit, unit },
  });
  return {
    agent_name: agent,
    budgets: [
      budget('cost', 'daily', limits.cost / 1e9, 'usd'),
      budget('tokens_total', 'per_run', limits.tokens, 'tokens'),
      budget('duration', 'per_run', limits.durationMs, 'ms'),
    ],
    alert_configs: THRESHOLDS.flatMap(({ dimension, bps, channels }) =>
      channels.map((channel) => ({
        channel,
        threshold_pct: bps / 10_000,
        budget_type: dimension,
        ...(channel === 'slack' ? { target: targets.slack } : {}),
        ...(channel === 'webhook'
          ? { target: targets.webhook, secret: targets.webhookSecret }
          : {}),
      })),
    ),
    org_budget: null,
  };
}
