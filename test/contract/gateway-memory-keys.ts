/** Keys and answered writes for tests that are not about them: nothing is known, all is new. */
import type { GatewayLedger } from '../../gateway/options.js';

type KeyMethods = Pick<
  GatewayLedger,
  'createKey' | 'rotateKey' | 'revokeKey' | 'keys' | 'claimWrite' | 'finishWrite' | 'releaseWrite'
>;

export function createMemoryKeys(): KeyMethods {
  return {
    createKey: ({ hash, hint, name, scopes, by, now }) =>
      Promise.resolve({
        ...{ id: hash.slice(0, 16), hint, name, scopes, createdBy: by, createdAt: now },
      }),
    rotateKey: () => Promise.resolve({ type: 'unknown' }),
    revokeKey: () => Promise.resolve(undefined),
    keys: () => Promise.resolve([]),
    claimWrite: () => Promise.resolve({ type: 'claimed' }),
    finishWrite: () => Promise.resolve(),
    releaseWrite: () => Promise.resolve(),
  };
}
