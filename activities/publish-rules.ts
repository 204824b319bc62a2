/** Writes back what an agent's rules have come to; fenced by its order, so repeating it is harmless. */
import type { PublishedRules } from '../domain/agent/state.js';
import type { ActivityDependencies } from './index.js';

export function createPublishRules({
  ledger,
}: Pick<ActivityDependencies, 'ledger'>): (published: PublishedRules) => Promise<void> {
  return (published) => ledger.publishRules(published);
}
