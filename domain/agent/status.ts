/** The answer to the `agentStatus` query, from the state alone. */
import { ruleAlertId } from '../ids.js';
import { quietUntil } from './decide.js';
import type { AgentState, RuleState } from './state.js';
import type { AgentStatus, RuleStatus } from './view.js';

export function agentStatusOf(state: AgentState, now: number): AgentStatus {
  const { org, agent, rev, rejected, lastRejection } = state;
  return {
    ...{ org, agent, rev, rejected },
    ...(lastRejection === undefined ? {} : { lastRejection }),
    rules: Object.values(state.rules).map((rule) => ruleStatusOf(state, rule, now)),
  };
}

/** The last so many of the open ones are named. */
const NAMED = 100;

function ruleStatusOf({ org, agent }: AgentState, rule: RuleState, now: number): RuleStatus {
  const { rule: id, definition, senders, held, alerts, over } = rule;
  const quiet = quietUntil(rule);
  const open = Math.min(alerts - over, NAMED);
  return {
    rule: id,
    ...(definition === undefined ? {} : { name: definition.name }),
    matches: Object.values(senders).reduce((sum, { matches }) => sum + matches, 0),
    ...{ held, alerts },
    openAlerts: Array.from({ length: open }, (_, i) =>
      ruleAlertId(org, id, agent, alerts - open + 1 + i),
    ),
    ...(quiet === undefined || quiet <= now ? {} : { quietUntil: quiet }),
  };
}
