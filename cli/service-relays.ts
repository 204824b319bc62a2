/** What runs beside the relay: callbacks, push, digests, the ends of silences, and retention. */
import type { KavachClient } from '../client/client.js';
import type { Ledger } from '../ledger/ledger.js';
import {
  createCallbackRelay,
  createDigestRelay,
  createRetention,
  createSilenceRelay,
  startPushRelay,
} from '../relay/index.js';
import type { Config } from '../worker/config.js';
import type { Logger } from '../worker/log.js';

/** Starts all of it; answers what stops it, each part whether or not another one fails to. */
export function startBesideRelay(given: {
  readonly ledger: Ledger;
  readonly client: KavachClient;
  readonly log: Logger;
  readonly config: Config;
}): () => Promise<void> {
  const { ledger, client, log, config } = given;
  const parts = [
    createCallbackRelay({ ledger, client, log }),
    createSilenceRelay({ ledger, client, log }),
    createDigestRelay({ ledger, client, log }),
    createRetention({ ledger, retention: config.retention, log }),
  ];
  for (const part of parts) part.start();
  const stopPush = startPushRelay({ ledger, client, log });
  return async () => {
    const ends = await Promise.allSettled([...parts.map((part) => part.stop()), stopPush()]);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
}
