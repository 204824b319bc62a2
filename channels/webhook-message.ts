/**
 * The webhook's body. Its `timestamp` is the crossing's, not the attempt's, so that every attempt
 * sends the same bytes (A11). Amounts come twice: as integers of the named unit, and formatted.
 */
import { isWorded, type ThresholdFacts, type WordedFacts } from '../domain/alert/facts.js';
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
    type: typeOf(facts, state),
    timestamp: new Date(facts.at).toISOString(),
    data: isWorded(facts)
      ? wordsOf(view, facts)
      : { ...namesOf(view, facts), ...amountsOf(facts, view.dashboardUrl) },
  });
}

function typeOf(facts: AlertView['facts'], state: AlertView['state']): string {
  if (facts.kind === 'notice') return `notice.${facts.topic}`;
  if (facts.kind === 'rule') return state === 'resolved' ? 'rule.resolved' : 'rule.matched';
  return state === 'resolved' ? 'budget.resolved' : 'budget.threshold_crossed';
}

function wordsOf(view: AlertView, facts: WordedFacts): Record<string, unknown> {
  const { title, lines } = describeAlert(view);
  const { kind, org, agentName, severity, priority } = facts;
  const { words } = view;
  return {
    ...{ title, state: view.state, kind },
    ...(facts.kind === 'notice' ? { topic: facts.topic } : { rule: facts.rule }),
    ...{ org, agent_name: agentName, severity, priority },
    ...(words === undefined ? { lines } : { body: words.body, metadata: words.metadata ?? {} }),
    dashboard_url: view.dashboardUrl,
  };
}

function namesOf(view: AlertView, facts: ThresholdFacts): Record<string, unknown> {
  const variables = templateVariables(facts, view.dashboardUrl);
  return {
    title: describeAlert(view).title,
    state: view.state,
    kind: 'threshold',
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
    dashboard_url: view.dashboardUrl === '' ? null : view.dashboardUrl,
  };
}

function amountsOf(facts: ThresholdFacts, dashboardUrl: string): Record<string, unknown> {
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
