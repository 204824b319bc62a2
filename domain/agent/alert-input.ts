/** What a match becomes: the frozen input of its alert. R3: its title carries no values. */
import type { NoticeLine } from '../alert/facts.js';
import type { RuleAlert } from '../alert/state.js';
import { agentWorkflowId, ruleAlertId } from '../ids.js';
import { ANY_AGENT, type Rule } from '../rule.js';
import type { Priority, Severity } from '../words.js';
import type { AgentState, Raising } from './state.js';

/** `no` numbers the alerts of a (rule, agent) from 1: it makes the alert's id, so twice is once. */
export function ruleAlertOf(
  { org, agent, policy }: Pick<AgentState, 'org' | 'agent' | 'policy'>,
  rule: Rule,
  { no, at, held }: Pick<Raising, 'no' | 'at' | 'held'>,
): RuleAlert {
  const { priority } = rule;
  return {
    id: ruleAlertId(org, rule.id, agent, no),
    org,
    kind: 'rule',
    subject: agentWorkflowId(org, agent),
    facts: {
      ...{ kind: 'rule', org, agentName: agent, rule: rule.id },
      title: `${agent}: ${rule.name}`,
      lines: linesOf(rule, { no, held }),
      ...{ severity: SEVERITIES[priority], priority, at },
    },
    // Resolved where it is started: recipients by their preferences, else the operators (R2).
    routes: [],
    audience: { recipients: rule.recipients, channels: rule.channels },
    policy,
  };
}

const SEVERITIES: Readonly<Record<Priority, Severity>> = {
  low: 'warning',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};

const SINCE = ' since the last alert';

function linesOf(
  { condition, agent, cooldownMs }: Rule,
  { no, held }: Pick<Raising, 'no' | 'held'>,
): NoticeLine[] {
  return [
    { label: 'Condition', value: condition },
    ...(agent === ANY_AGENT ? [{ label: 'Rule for', value: 'every agent' }] : []),
    ...(held === 0
      ? []
      : [{ label: 'Also matched', value: `${String(held)} more${no > 1 ? SINCE : ''}` }]),
    ...(cooldownMs === 0 ? [] : [{ label: 'Quiet for', value: spanText(cooldownMs) }]),
  ];
}

/** `300000 -> '5 min'`. */
function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${String(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${String(minutes)} min` : `${String(Math.round(minutes / 60))} h`;
}
