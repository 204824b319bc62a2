/** Our activities without a ledger: what a workflow costs, and nothing beside it. */
import type { Activities } from '../activities/index.js';

export function standInActivities(): Activities {
  return {
    deliver: () =>
      Promise.resolve({ type: 'sent', outcome: { kind: 'accepted', reason: 'stand-in' } }),
    journal: () => Promise.resolve(),
    publishPeriod: () => Promise.resolve(),
    raiseAlert: () => Promise.resolve(),
    loadRules: () => Promise.resolve({ rev: 0, rules: [] }),
    publishRules: () => Promise.resolve(),
    planDigest: () => Promise.resolve({}),
    claimDigest: () => Promise.resolve({}),
    sendDigest: () => Promise.resolve({ type: 'suppressed', reason: 'no_destination' }),
    endDigest: () => Promise.resolve(),
    openPeriod: ({ key, window, name, limits }) =>
      Promise.resolve({
        ...{ key, window, name, limits },
        ...{ latches: {}, firingNo: 0, senders: {}, openAlerts: [] },
      }),
  };
}
