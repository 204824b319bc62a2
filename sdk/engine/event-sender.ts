/**
 * Usage on its way to the gateway.
 *
 * ES-1. An event gets its key once, when it happens; it is sent until it is stored, and a batch
 *       that was stored without our hearing of it is sent again and counts once (B5).
 * ES-2. Stored is what 200 or 202 says in the gateway's words, or a 429 with a reason (K3); a
 *       proxy's page with status 200 is not.
 * ES-3. Memory is bounded: while the gateway is away events go to the disk; what neither holds is
 *       counted as lost, and told.
 * ES-4. One batch is under way at a time. The first event goes at once, so that a program that
 *       ends after its only call has told it.
 */
import { createBackoff } from './backoff.js';
import { causeOf } from './cause.js';
import { createEventQueue } from './event-queue.js';
import { judgeReply, type RefusalListener } from './ingest-reply.js';
import type { Spool } from './spool.js';
import type { Surroundings } from './surroundings.js';
import type { Transport } from './transport.js';

export interface EventSenderOptions
  extends Pick<Surroundings, 'timers' | 'random' | 'logger'>, RefusalListener {
  readonly transport: Pick<Transport, 'post'>;
  /** While the disk is being opened, a promise; undefined: there is none. */
  readonly spool: Promise<Spool | undefined>;
  /** Events the gateway has counted, now or before. */
  readonly onStored: (events: readonly WireEvent[]) => void;
  readonly policy?: Partial<SenderPolicy>;
}

/** Nothing but JSON, with its key. */
export type WireEvent = Readonly<Record<string, unknown>>;

export interface SenderPolicy {
  readonly maxBatch: number;
  /** Between two batches, ms. */
  readonly paceMs: number;
  readonly firstRetryMs: number;
  readonly mostRetryMs: number;
  readonly timeoutMs: number;
  /** Held in memory. */
  readonly maxEvents: number;
  readonly maxChars: number;
}

const DEFAULT_POLICY: SenderPolicy = {
  ...{ maxBatch: 512, paceMs: 100, firstRetryMs: 500, mostRetryMs: 30_000, timeoutMs: 10_000 },
  ...{ maxEvents: 10_000, maxChars: 8 * 1_048_576 },
};

export interface EventSender {
  /** An event as the wire has it, with its key. Never throws. */
  add(event: WireEvent): void;
  /** Not stored yet. */
  waiting(): number;
  /** Events that neither memory nor disk had room for, or that the gateway will never take. */
  lost(): number;
  /** False while the gateway does not take usage. */
  isConnected(): boolean;
  /** Tries at once; resolves when all is stored, a try has failed, or `timeoutMs` have passed. */
  flush(timeoutMs: number): Promise<void>;
  /** Writes to the disk what waits, and ends. */
  stop(): Promise<void>;
}

interface Batch {
  readonly lines: readonly string[];
  /** Present: it lies on the disk, until this is called. */
  readonly remove?: () => Promise<void>;
}

export function createEventSender(options: EventSenderOptions): EventSender {
  const { transport, timers, logger } = options;
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  const backoff = createBackoff({
    ...{ firstMs: policy.firstRetryMs, mostMs: policy.mostRetryMs, random: options.random },
  });
  const queue = createEventQueue(policy);
  let underWay: readonly string[] = [];
  let lost = 0;
  let isAway = false;
  let isStopped = false;
  /** Somebody waits: no pace is kept, and a failed try is the last. */
  let isHurried = false;
  let isSavingSoon = false;
  let spool: Spool | undefined;
  let working: Promise<void> | undefined;
  let wake = (): void => undefined;

  const ready = options.spool.then(
    (opened) => {
      spool = opened;
    },
    (error: unknown) => {
      forgetSpool(error);
    },
  );

  const forgetSpool = (error: unknown): void => {
    logger.warn({ cause: causeOf(error) }, 'usage cannot be kept on disk: it waits in memory');
    spool = undefined;
  };

  const lose = (count: number, why: string): void => {
    lost += count;
    logger.error({ lost, why }, `usage of ${String(count)} calls will not be counted: ${why}`);
  };

  const pause = async (ms: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      const cancel = timers.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    wake = () => undefined;
  };

  /** ES-3. What the disk does not take stays in memory. */
  const save = async (lines: readonly string[]): Promise<void> => {
    if (lines.length === 0) return;
    let saved = 0;
    try {
      saved = (await spool?.put(lines)) ?? 0;
    } catch (error) {
      forgetSpool(error);
    }
    if (saved < lines.length) queue.putBack(lines.slice(saved));
  };

  const saveSoon = (): void => {
    if (isSavingSoon || spool === undefined) return;
    isSavingSoon = true;
    timers.after(policy.paceMs, () => {
      isSavingSoon = false;
      if (isAway) void save(queue.take(policy.maxBatch));
    });
  };

  /** What waits on the disk is older. */
  const nextBatch = async (): Promise<Batch | undefined> => {
    if (isStopped) return undefined;
    try {
      const oldest = await spool?.first();
      if (oldest !== undefined) return oldest;
    } catch (error) {
      forgetSpool(error);
    }
    const lines = queue.take(policy.maxBatch);
    return lines.length === 0 ? undefined : { lines };
  };

  /** Ms after which it is to be sent again; undefined: it is stored, or never will be. */
  const send = async (lines: readonly string[]): Promise<number | undefined> => {
    const events = lines.map((line) => JSON.parse(line) as WireEvent);
    const words = options.words();
    const verdict = judgeReply(
      await transport.post('/v1/ingest', { events }, { timeoutMs: policy.timeoutMs }),
    );
    switch (verdict.type) {
      case 'stored':
        if (verdict.rejected > 0) lose(verdict.rejected, 'the gateway found them faulty');
        else options.onStored(events);
        if (verdict.refusal !== undefined) options.onRefused(verdict.refusal, words);
        return undefined;
      case 'tooLarge': {
        const half = Math.ceil(lines.length / 2);
        if (half < lines.length) {
          return (await send(lines.slice(0, half))) ?? (await send(lines.slice(half)));
        }
        lose(1, 'the gateway finds the event too large');
        return undefined;
      }
      case 'faulty':
        lose(lines.length, `the gateway refused the batch (${verdict.why})`);
        return undefined;
      case 'again':
        if (!isAway)
          logger.warn({ cause: verdict.why }, 'usage waits: the gateway did not take it');
        return backoff.next(verdict.retryAfterMs);
    }
  };

  /** Sends what there is. Ends when nothing waits, or when whoever is in a hurry has his answer. */
  const work = async (): Promise<void> => {
    await ready;
    for (let batch = await nextBatch(); batch !== undefined; batch = await nextBatch()) {
      underWay = batch.remove === undefined ? batch.lines : [];
      const waitMs = await send(batch.lines);
      if (waitMs !== undefined && batch.remove === undefined) queue.putBack(batch.lines);
      underWay = [];
      if (waitMs === undefined) {
        if (isAway) logger.info({}, 'the gateway takes usage again');
        isAway = false;
        backoff.reset();
        await batch.remove?.().catch(forgetSpool);
      } else {
        isAway = true;
        if (spool !== undefined) await save(queue.take(policy.maxEvents));
      }
      if (isStopped || (isHurried && waitMs !== undefined)) return;
      if (waitMs !== undefined) await pause(waitMs);
      else if (!isHurried && queue.size() < policy.maxBatch) await pause(policy.paceMs);
    }
  };

  const start = (): Promise<void> => {
    working ??= work()
      .catch((error: unknown) => {
        logger.error({ cause: causeOf(error) }, 'usage could not be sent');
      })
      .finally(() => {
        working = undefined;
        // It came after the last look.
        if (queue.size() > 0 && !isStopped && !isHurried) void start();
      });
    return working;
  };

  void ready.then(() => {
    if ((spool?.waiting() ?? 0) > 0) void start();
  });

  return {
    add: (event) => {
      if (isStopped) lose(1, 'the guard is closed');
      else if (!queue.push(JSON.stringify(event)))
        lose(1, 'the gateway is away, and memory is full');
      else {
        void start();
        if (isAway) saveSoon();
      }
    },
    waiting: () => queue.size() + underWay.length + (spool?.waiting() ?? 0),
    lost: () => lost,
    isConnected: () => !isAway,
    flush: async (timeoutMs) => {
      isHurried = true;
      wake();
      let cancel = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        cancel = timers.after(timeoutMs, resolve);
      });
      // One that was under way may have ended its last look before this.
      await Promise.race([start().then(() => start()), late]);
      cancel();
      isHurried = false;
      if (!isStopped && queue.size() + (spool?.waiting() ?? 0) > 0) void start();
    },
    stop: async () => {
      isStopped = true;
      wake();
      await ready;
      // One under way may be stored without our hearing of it: its keys make it count once.
      await save([...underWay, ...queue.take(Infinity)]);
      await spool?.close().catch(forgetSpool);
    },
  };
}
