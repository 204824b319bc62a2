/** Why `onKill` runs, in the words of the Python SDK; the service may add codes of its own. */
export type KillReason =
  | 'cost'
  | 'tokens'
  | 'calls'
  | 'duration'
  | 'loop'
  | 'tier_agent_limit'
  | 'daily_limit'
  | 'org_budget_exceeded'
  | 'backend_rejected'
  | 'internal_error'
  | (string & {});
