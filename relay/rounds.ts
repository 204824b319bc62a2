/**
 * Work beside the relay's own that is done in rounds: what is due is claimed and done, then it is
 * looked again after a while, or at once where there may be more. A round that fails is said once
 * and tried again; nothing here throws, and the leases of what was claimed do the rest.
 */
import type { Log } from '../client/log.js';
import type { Timers } from '../client/timers.js';
import { createOutage } from './outage.js';

export interface Rounds {
  /** Twice is once. */
  start(): void;
  /** Begins no further round, and resolves when what is under way has ended. */
  stop(): Promise<void>;
}

export interface RoundsOptions {
  /** What has to answer for a round: `the ledger of callbacks`. */
  readonly subject: string;
  readonly log: Log;
  readonly timers: Timers;
  /** From a round that found nothing more to the next one, ms. */
  readonly pollMs: number;
  /** Answers whether there may be more to claim. */
  readonly claimDue: () => Promise<boolean>;
  /** What is done now and then beside it, after a round's claims; by default nothing. */
  readonly sweep?: { readonly everyMs: number; readonly run: () => Promise<unknown> };
}

export function createRounds(options: RoundsOptions): Rounds {
  const { subject, log, timers, pollMs, claimDue, sweep } = options;
  const outage = createOutage(subject, log);
  let isStopped = true;
  let cancel = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  let sweptAt = Number.NEGATIVE_INFINITY;

  const step = async (): Promise<boolean> => {
    if (!outage.isOver(timers.now())) return false;
    const hasMore = await claimDue();
    if (sweep !== undefined && timers.now() - sweptAt >= sweep.everyMs) {
      sweptAt = timers.now();
      await sweep.run();
    }
    outage.recovered();
    return hasMore;
  };
  const round = async (): Promise<void> => {
    let hasMore = false;
    try {
      hasMore = await step();
    } catch (error) {
      outage.failed(error instanceof Error ? error.message : 'unknown failure', timers.now());
    }
    if (!isStopped) wake(hasMore ? 0 : pollMs);
  };
  const wake = (ms: number): void => {
    cancel = timers.after(ms, () => {
      underWay = round();
    });
  };

  return {
    start: () => {
      if (!isStopped) return;
      isStopped = false;
      wake(0);
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await underWay;
    },
  };
}
