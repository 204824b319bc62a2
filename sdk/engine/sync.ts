/**
 * POST /v1/sync-config: says what the guard was constructed with, and hears what stands (spec §7).
 * SY-1. Tried until it is answered; a document that the gateway refuses is told once, and not
 *       repeated. The same document changes nothing, so it serves to ask for the standing again.
 */
import { createBackoff } from './backoff.js';
import { textIn } from './ingest-reply.js';
import { readStanding, type StandingWord } from './standing-word.js';
import type { Surroundings } from './surroundings.js';
import type { Transport } from './transport.js';

export interface SyncOptions extends Pick<Surroundings, 'timers' | 'random' | 'logger'> {
  readonly transport: Pick<Transport, 'post'>;
  readonly document: unknown;
  /** It was taken. `word` is absent where something newer has been heard since it was sent. */
  readonly onSynced: (word: StandingWord | undefined) => void;
  /** The gateway does not take the key, or the document, in words. */
  readonly onRefused: (why: string) => void;
}

export interface Sync {
  /** Resolves when the first one was answered, whatever the answer. Never rejects. */
  readonly first: Promise<void>;
  /** Asks again, soon. */
  again(): void;
  /** Something newer was heard meanwhile: an answer that is under way is out of date. */
  outdate(): void;
  stop(): void;
}

/** Many refusals at once ask once. */
const SOON_MS = 50;
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 15_000;

export function startSync(options: SyncOptions): Sync {
  const { transport, timers, logger } = options;
  const backoff = createBackoff({
    ...{ firstMs: FIRST_RETRY_MS, mostMs: MOST_RETRY_MS, random: options.random },
  });
  let isStopped = false;
  let isAsking = false;
  let wishes = 0;
  let newer = 0;
  let cancel: (() => void) | undefined;
  let answered = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    answered = resolve;
  });

  const plan = (ms: number): void => {
    if (isStopped || cancel !== undefined) return;
    cancel = timers.after(ms, () => {
      cancel = undefined;
      void ask();
    });
  };

  /** Ms until it is to be tried again; undefined: it was answered. */
  const askOnce = async (): Promise<number | undefined> => {
    const before = newer;
    const reply = await transport.post('/v1/sync-config', options.document);
    if (isStopped) return undefined;
    if (reply.type === 'unreachable') {
      logger.warn({ cause: reply.why }, 'the configuration is not synced yet');
      return backoff.next();
    }
    const word = reply.type === 'answered' ? readStanding(reply.body) : undefined;
    if (reply.type === 'answered') {
      if (word === undefined || textIn(reply.body, 'status') !== 'ok') return backoff.next();
      backoff.reset();
      // What the channel has said since then is newer than this answer may be.
      options.onSynced(newer > before ? undefined : word);
      answered();
      return undefined;
    }
    const { status } = reply;
    if (status === 429 || status >= 500) return backoff.next(reply.retryAfterMs);
    const why = `HTTP ${String(status)}: ${textIn(reply.body, 'detail') ?? 'no reason given'}`;
    logger.error({ status }, `the gateway refuses the configuration: ${why}`);
    options.onRefused(why);
    answered();
    return undefined;
  };

  const ask = async (): Promise<void> => {
    if (isStopped) return;
    isAsking = true;
    const before = wishes;
    const waitMs = await askOnce();
    isAsking = false;
    if (waitMs !== undefined) plan(waitMs);
    else if (wishes > before) plan(SOON_MS);
  };

  void ask();
  return {
    first,
    again: () => {
      wishes += 1;
      if (!isAsking) plan(SOON_MS);
    },
    outdate: () => {
      newer += 1;
    },
    stop: () => {
      isStopped = true;
      cancel?.();
      answered();
    },
  };
}
