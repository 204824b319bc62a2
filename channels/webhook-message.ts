/**
 * The webhook's body. Its `timestamp` is the crossing's, not the attempt's, so that every attempt
 * sends the same bytes (A11). Amounts come twice: as integers of the named unit, and formatted.
 */
import type { Dimension } from '../domain/words.js';
import { templateVariables } from '../domain/template.js';
import { describeAlert } from './alert-title.js';
import type { AlertView } from './channel.js';

/** The unit of `spent`, `budget` and `remaining`. Exact integers: money is in nano-USD (B1). */
const RAW_UNITS: Readonly<Record<Dimension, string>> = {
  cost: 'nano_usd',
  tokens_total: 'tokens',
  calls: 'calls',
  duration: 'ms',
};

/** The exact body of the request. */
export function renderWebhook(view: AlertView): string {
  const { facts, state } = view;
  return JSON.stringify({
    id: view.alertId,
    type: state === 'resolved' ? 'budget.resolved' : 'budget.threshold_crossed',
    timestamp: new Date(facts.at).toISOString(),
    data: { ...namesOf(view), ...amountsOf(view) },
  });
}

function namesOf(view: AlertView): Record<string, unknown> {
  const { facts } = view;
  const variables = templateVariables(facts, view.dashboardUrl);
  return {
    title: describeAlert(view).title,
    state: view.state,
    kind: view.kind,
    org: facts.org,
    agent_name: facts.agentName,
    budget_type: facts.dimension,
    period: facts.cadence,
    severity: facts.severity,
    priority: facts.priority,
    level: variables['level'],
    // `null` rather than absent: a receiver sees that the budget has no such moment.
    resets_at: facts.resetsAt === undefined ? null : new Date(facts.resetsAt).toISOString(),
    time_zone: facts.zone,
    late: facts.late ?? false,
    kills: facts.kills ?? false,
    dashboard_url: view.dashboardUrl,
  };
}

function amountsOf({ facts, dashboardUrl }: AlertView): Record<string, unknown> {
  const variables = templateVariables(facts, dashboardUrl);
  return {
    threshold: facts.thresholdBps / 10_000,
    threshold_bps: facts.thresholdBps,
    pct: Number(variables['pct']),
    unit: RAW_UNITS[facts.dimension],
    spent: facts.spent,
    spent_fmt: variables['spent_fmt'],
    budget: facts.limit,
    budget_fmt: variables['budget_fmt'],
    remaining: Math.max(0, facts.limit - facts.spent),
    remaining_fmt: variables['remaining_fmt'],
    at: facts.at,
  };
}
