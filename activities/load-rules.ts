/** Reads what the ledger knows of an agent's rules: their definitions, and what earlier lives left. */
import type { LoadedRules } from '../domain/agent/state.js';
import type { ActivityDependencies } from './index.js';

export function createLoadRules({
  ledger,
}: Pick<ActivityDependencies, 'ledger'>): (
  org: string,
  agent: string,
  rules: readonly string[],
) => Promise<LoadedRules> {
  return (org, agent, rules) => ledger.loadRules(org, agent, rules);
}
