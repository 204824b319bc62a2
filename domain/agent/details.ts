/** An agent's rules as Temporal's own UI shows them: Markdown for people, without our code. */
import { formatUtcMinute } from '../civil.js';
import type { AgentState } from './state.js';
import { agentStatusOf } from './status.js';

export function agentSummary({ agent }: Pick<AgentState, 'agent'>): string {
  return `${agent}: rules on its metrics`.slice(0, 200);
}

export function agentDetails(state: AgentState, now: number): string {
  const { rules, rejected } = agentStatusOf(state, now);
  const rows = rules.map(({ rule, name = `${rule} (removed)`, ...each }) => {
    const quiet = each.quietUntil === undefined ? '' : formatUtcMinute(each.quietUntil);
    const counts = [each.matches, each.held, each.alerts, each.openAlerts.length].map(String);
    return `| ${[name.replaceAll(/[|\n\r]/g, ' '), ...counts, quiet].join(' | ')} |`;
  });
  return [
    `## ${agentSummary(state)}`,
    '',
    '| rule | matches | held back | alerts | open | quiet until |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
    '',
    `Rules revision ${String(state.rev)}, ${String(rejected)} messages rejected.`,
  ].join('\n');
}

/** What the workflow's timer waits for. */
export function agentTimerSummary(state: AgentState): string {
  if (state.reloadAt !== undefined || state.republishAt !== undefined)
    return 'Try the ledger again';
  return 'End of a cooldown, or of the silence that ends an alert';
}
