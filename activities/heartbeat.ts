/**
 * Says that this process lives while an attempt takes its time: one whose worker was killed is
 * then known as lost after the heartbeat timeout, not after the longest an endpoint may take.
 */
import { heartbeat } from '@temporalio/activity';

const EVERY_MS = 500;

/** Quick work ends before the first beat and costs nothing. */
export async function whileBeating<T>(work: () => Promise<T>): Promise<T> {
  const beat = setInterval(beatOnce, EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

function beatOnce(): void {
  try {
    heartbeat();
  } catch {
    // Called by hand, outside a worker: nobody waits for it.
  }
}
