/**
 * What is done beside the relay's own work, in every process that has one: words of providers and
 * of devices are carried out, digests are woken, ends of silences are told, and what is older than it
 * is kept for is taken away.
 */
import type { KavachClient } from '../client/client.js';
import type { Log } from '../client/log.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Retention } from '../ledger/retention-policy.js';
import { createCallbackRelay } from './callbacks.js';
import { createDigestRelay } from './digests.js';
import { createPushRelay } from './push.js';
import { createRetention } from './retention.js';
import { createSilenceRelay } from './silences.js';

export interface ErrandsOptions {
  readonly ledger: Ledger;
  readonly client: KavachClient;
  readonly log: Log;
  readonly retention: Retention;
}

/** Starts them; `stop` resolves when what is under way has ended. */
export function startErrands({ ledger, client, log, retention }: ErrandsOptions): {
  stop(): Promise<void>;
} {
  const errands = [
    createCallbackRelay({ ledger, client, log }),
    createDigestRelay({ ledger, client, log }),
    createPushRelay({ ledger, client, log }),
    createSilenceRelay({ ledger, client, log }),
    createRetention({ ledger, retention, log }),
  ];
  for (const each of errands) each.start();
  return {
    stop: async () => {
      await Promise.all(errands.map((each) => each.stop()));
    },
  };
}
