/**
 * A guard that starts again on the journal of one that died (L4, L5): it takes on its numbers and
 * closes its leases at their marks, so that only what may have been spent stays counted.
 */
import type { HolderRecord } from './events.js';
import { beginHolder, type HolderInput, type HolderState } from './state.js';

/**
 * The state to go on from. A record of another holder or agent is none of ours: its leases stay
 * counted until their own guard comes back.
 */
export function recoverHolder(input: HolderInput, record: HolderRecord | undefined): HolderState {
  const fresh = beginHolder(input);
  if (record === undefined || record.holder !== input.holder || record.agent !== input.agent) {
    return fresh;
  }
  return {
    ...fresh,
    // Above all that was used, so that no request of the dead one is taken for one of ours.
    n: record.n,
    orphans: record.leases,
    journal: { ...fresh.journal, n: record.n, ids: record.leases.map((lease) => lease.id) },
  };
}
