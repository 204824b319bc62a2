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
import { createOutage } from './outage.js';

export interface DigestRelayOptions {
  readonly ledger: Pick<Ledger, 'claimDigests' | 'digestWoken' | 'digestNotWoken'>;
  readonly client: Pick<KavachClient, 'wakeDigest'>;
  readonly log: Log;
  readonly timers?: Timers;
  /** @default 1,000 */
  readonly pollMs?: number;
}

export interface DigestRelay {
  start(): void;
  /** Claims nothing more, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Longer than a call to Temporal may take. */
const LEASE_MS = 10_000;
const BATCH = 10;
/** Its first plan comes long before, and says when it has to be looked after. */
const WATCH_MS = 5 * 60_000;
const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 60_000;

export function createDigestRelay(options: DigestRelayOptions): DigestRelay {
  const { ledger, client, log, timers = systemTimers, pollMs = 1_000 } = options;
  const now = (): number => timers.now();
  const outage = createOutage('the ledger of digests', log);
  let isStopped = true;
  let cancel = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();

  const wake = async (due: DueDigest): Promise<void> => {
    const { org, recipient, cadence, tries } = due;
    try {
      await client.wakeDigest({ org, recipient, cadence });
    } catch (error) {
      const { reason } = describeFailure(error);
      const backoffMs = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 16), LAST_WAIT_MS);
      if (tries === 0) log.warn({ org, reason }, 'relay: a digest waits and is woken again');
      await ledger.digestNotWoken(due, { now: now(), backoffMs, reason });
      return;
    }
    await ledger.digestWoken(due, now(), WATCH_MS);
  };
  const round = async (): Promise<void> => {
    let hasMore = false;
    try {
      if (outage.isOver(now())) {
        const request = { now: now(), limit: BATCH, leaseMs: LEASE_MS };
        const claims = await ledger.claimDigests(request);
        await Promise.all(claims.map(wake));
        outage.recovered();
        hasMore = claims.length === BATCH;
      }
    } catch (error) {
      outage.failed(error instanceof Error ? error.message : 'unknown failure', now());
    }
    if (!isStopped) later(hasMore ? 0 : pollMs);
  };
  const later = (ms: number): void => {
    cancel = timers.after(ms, () => {
      underWay = round();
    });
  };

  return {
    start: () => {
      if (!isStopped) return;
      isStopped = false;
      later(0);
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await underWay;
    },
  };
}
