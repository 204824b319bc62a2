/** Writes back to the row what the period decided; fenced, so repeating it is harmless. */
import type { Published } from '../domain/budget/state.js';
import type { ActivityDependencies } from './index.js';

export function createPublishPeriod({
  ledger,
  now,
}: Pick<ActivityDependencies, 'ledger' | 'now'>): (published: Published) => Promise<void> {
  return async (published) => {
    // `stale` is success too: a newer publish is there already.
    await ledger.publish(published, now());
  };
}
