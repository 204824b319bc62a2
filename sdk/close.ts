/** A guard's end: calls under way may finish, then what is not spent is given back. */
import type { Core } from './core.js';

/** Ends within `timeoutMs`. What is under way by half of it is settled at its reservation. */
export async function closeGuard(core: Core, timeoutMs: number): Promise<void> {
  core.closed = true;
  const from = core.elapsed();
  const underWay = [...core.open];
  if (underWay.length > 0) {
    const waited = new AbortController();
    const patience = core.sleep(timeoutMs / 2, waited.signal).catch(() => undefined);
    await Promise.race([Promise.all(underWay.map(({ ended }) => ended)), patience]);
    waited.abort();
  }
  for (const leave of [...core.open]) leave.settle(undefined, 'partial');
  const rest = Math.max(Math.round(timeoutMs - (core.elapsed() - from)), 0);
  await core.admission.close(rest);
}
