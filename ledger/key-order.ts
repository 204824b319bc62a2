/** Reading in the order of an index, whatever the planner believes. */
import type { Run } from './database.js';

/**
 * For the rest of the transaction. A page of a large table is found by its index or costs as much
 * as all that follows it: without statistics (the embedded database gathers none) the planner
 * collects and sorts everything for every page.
 */
export async function inKeyOrder(run: Run): Promise<void> {
  const off = ['sort', 'bitmapscan', 'seqscan'].map(
    (each) => `set_config('enable_${each}', 'off', true)`,
  );
  await run(`select ${off.join(', ')}`);
}
