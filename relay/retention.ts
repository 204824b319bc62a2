/**
 * Retention as work beside the relay's: what is older than it is kept for goes in small batches,
 * with a pause after each, so that usage and crossings never queue behind it. Any number of
 * relays may do it on one ledger: what one has locked the others pass by.
 */
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { Ledger } from '../ledger/ledger.js';
import {
  DAY_MS,
  RETENTION_KINDS,
  type Pruned,
  type Retention,
  type RetentionKind,
} from '../ledger/retention-policy.js';

export interface RetentionOptions {
  readonly ledger: Pick<Ledger, 'prune'>;
  readonly retention: Retention;
  readonly log: Log;
  readonly timers?: Timers;
  /** From the start to the first pass, and between two. @default 60,000 and 3,600,000 */
  readonly firstMs?: number;
  readonly everyMs?: number;
  /** Rows a batch. @default 500 */
  readonly batch?: number;
  /** After each batch. @default 100 */
  readonly pauseMs?: number;
}

export interface RunningRetention {
  start(): void;
  /** Resolves when the batch under way has ended. Twice is once. */
  stop(): Promise<void>;
}

export function createRetention(options: RetentionOptions): RunningRetention {
  const { ledger, retention, log, timers = systemTimers } = options;
  const { firstMs = 60_000, everyMs = 3_600_000, batch = 500, pauseMs = 100 } = options;
  let isOver = false;
  let cancel = (): void => undefined;
  let endPause = (): void => undefined;
  let pass: Promise<void> = Promise.resolve();

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const stopTimer = timers.after(pauseMs, resolve);
      endPause = () => {
        stopTimer();
        resolve();
      };
    });

  const pruneKind = async (kind: RetentionKind, days: number): Promise<number> => {
    const before = timers.now() - days * DAY_MS;
    let removed = 0;
    let after: Pruned['next'];
    while (!isOver) {
      const request = { before, limit: batch, ...(after === undefined ? {} : { after }) };
      const pruned = await ledger.prune(kind, request);
      removed += pruned.removed;
      if (pruned.next === undefined) break;
      after = pruned.next;
      await pause();
    }
    return removed;
  };

  /** A kind that fails is left for the next pass, and keeps no other. */
  const runPass = async (): Promise<void> => {
    for (const kind of RETENTION_KINDS) {
      const days = retention[kind];
      if (days === undefined || isOver) continue;
      try {
        const removed = await pruneKind(kind, days);
        if (removed > 0) log.info({ kind, removed, days }, 'retention: old records were removed');
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown failure';
        log.warn({ kind, reason }, 'retention: left for the next pass');
      }
    }
    if (!isOver) schedule(everyMs);
  };

  const schedule = (ms: number): void => {
    cancel = timers.after(ms, () => {
      pass = runPass();
    });
  };

  return {
    start: () => {
      if (!isOver) schedule(firstMs);
    },
    stop: async () => {
      isOver = true;
      cancel();
      endPause();
      await pass;
    },
  };
}
