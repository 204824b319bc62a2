/** What the benches' agents sync, in the words of the SDKs. */

export interface SyncOrder {
  readonly agent: string;
  /** Limits on cost, nano-USD, by the wire's word for the cadence. */
  readonly budgets: Readonly<Partial<Record<'per_run' | 'daily' | 'monthly', number>>>;
  /** Ratios; all go to one webhook. */
  readonly thresholds: readonly number[];
  readonly webhook: string;
  /** Nano-USD a month, of all agents together. */
  readonly orgBudget?: number;
}

export function syncDocument(order: SyncOrder): object {
  const budget = (period: string, nanos: number) => ({
    ...{ budget_type: 'cost', period, limit_value: nanos / 1e9, unit: 'usd' },
  });
  const alerts = order.thresholds.map((ratio) => ({
    ...{ channel: 'webhook', threshold_pct: ratio, budget_type: 'cost', target: order.webhook },
  }));
  return {
    agent_name: order.agent,
    budgets: Object.entries(order.budgets).map(([period, nanos]) => budget(period, nanos)),
    alert_configs: alerts,
    org_budget: order.orgBudget === undefined ? null : budget('monthly', order.orgBudget),
    ...(order.orgBudget === undefined ? {} : { org_alert_configs: alerts }),
  };
}
