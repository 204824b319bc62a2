/**
 * Wakes the digests of recipients for whom something has begun to wait (P3): one signal for any
 * number of items, as their schedule sleeps only while there are none. What dies on the way is
 * found again by its lease, and a workflow that was lost by the moment its schedule is due.
 */
import type { KavachClient } from '../client/client.js';
import { describeFailure } from '../client/failure.js';
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { DueDigest, Ledger } from '../ledger/ledger.js';
import { backoffAfter } from './backoff.js';
import { createRounds, type Rounds } from './rounds.js';

export interface DigestRelayOptions {
  readonly ledger: Pick<Ledger, 'claimDigests' | 'digestWoken' | 'digestNotWoken'>;
  readonly client: Pick<KavachClient, 'wakeDigest'>;
  readonly log: Log;
  readonly timers?: Timers;
  /** @default 1,000 */
  readonly pollMs?: number;
}

/** Longer than a call to Temporal may take. */
const LEASE_MS = 10_000;
const BATCH = 10;
/** Its first plan comes long before, and says when it has to be looked after. */
const WATCH_MS = 5 * 60_000;

export function createDigestRelay(options: DigestRelayOptions): Rounds {
  const { ledger, client, log, timers = systemTimers, pollMs = 1_000 } = options;
  const now = (): number => timers.now();

  const wake = async (due: DueDigest): Promise<void> => {
    const { org, recipient, cadence, tries } = due;
    try {
      await client.wakeDigest({ org, recipient, cadence });
    } catch (error) {
      const { reason } = describeFailure(error);
      const backoffMs = backoffAfter(tries);
      if (tries === 0) log.warn({ org, reason }, 'relay: a digest waits and is woken again');
      await ledger.digestNotWoken(due, { now: now(), backoffMs, reason });
      return;
    }
    await ledger.digestWoken(due, now(), WATCH_MS);
  };

  return createRounds({
    ...{ subject: 'the ledger of digests', log, timers, pollMs },
    claimDue: async () => {
      const request = { now: now(), limit: BATCH, leaseMs: LEASE_MS };
      const claims = await ledger.claimDigests(request);
      await Promise.all(claims.map(wake));
      return claims.length === BATCH;
    },
  });
}
