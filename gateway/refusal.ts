/** How a stop or a kill reaches a running agent: a 429 whose reason the Python SDK knows. */
import type { ProblemInit } from './problem.js';
import type { UsageRefusal } from './verdict.js';

/** `more` says what was stored before the refusal. */
export function refusalProblem(
  { reason, agent, detail }: UsageRefusal,
  more: Readonly<Record<string, unknown>> = {},
): ProblemInit {
  return {
    status: 429,
    title: reason === 'tier_agent_limit' ? 'Agent stopped' : 'Budget exceeded',
    detail,
    more: {
      ...more,
      reason,
      ...(reason === 'tier_agent_limit' ? { rejected_agents: [agent] } : {}),
    },
  };
}
