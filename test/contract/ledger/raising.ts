/** What the ledger writes for the relay to start, in short words. */
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { AlertInput } from '../../../domain/alert/state.js';
import type { Bed } from './bed.js';

export function raisingOf(bed: Bed) {
  /** The alerts that nobody has taken yet. */
  const claimed = async (now: number): Promise<AlertInput[]> => {
    const alerts = await bed.ledger().claimAlerts({ now, limit: 99, leaseMs: 1e12 });
    return alerts.map(({ input }) => input);
  };
  /** Raises what is due, and answers it. */
  const raised = async (now: number): Promise<AlertInput[]> => {
    await bed.ledger().raiseNotices(DEFAULT_POLICY, now);
    return claimed(now);
  };
  return { claimed, raised };
}
