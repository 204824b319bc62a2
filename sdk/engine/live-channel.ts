/**
 * What the gateway says of its own accord: GET /v1/guard, server-sent events over fetch.
 * LC-1. It is a shortcut: whatever it says comes with the next answer, too, so its loss costs time.
 * LC-2. Silence of 25 s is a lost connection: the gateway speaks every 10 s.
 * LC-3. It ends only by `stop`, and keeps no process alive.
 */
import { createBackoff } from './backoff.js';
import { causeOf } from './cause.js';
import { createSseReader, type SentEvent } from './sse.js';
import type { Surroundings } from './surroundings.js';
import type { Transport } from './transport.js';

export interface LiveChannelOptions extends Pick<Surroundings, 'timers' | 'random' | 'logger'> {
  readonly transport: Pick<Transport, 'open'>;
  readonly agentName: string;
  readonly runId?: string;
  /** Every event whose data is JSON: `standing`, `limits`, `recall`, and what later ones say. */
  readonly onEvent: (name: string, data: unknown) => void;
  readonly policy?: Partial<ChannelPolicy>;
}

export interface ChannelPolicy {
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly mostRetryMs: number;
  /** After a refusal that another try does not change: an older gateway, a key not taken. */
  readonly deniedMs: number;
}

const DEFAULT_POLICY: ChannelPolicy = {
  ...{ silenceMs: 25_000, firstRetryMs: 500, mostRetryMs: 10_000, deniedMs: 60_000 },
};

export interface LiveChannel {
  /** It has said something since it was opened. */
  isOpen(): boolean;
  stop(): void;
}

export function openLiveChannel(options: LiveChannelOptions): LiveChannel {
  const { timers, logger } = options;
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  const backoff = createBackoff({
    ...{ firstMs: policy.firstRetryMs, mostMs: policy.mostRetryMs, random: options.random },
  });
  const path = pathOf(options);
  let isOpen = false;
  let isStopped = false;
  let cut = new AbortController();
  let cancelRetry = (): void => undefined;

  const tell = ({ name, data }: SentEvent): void => {
    isOpen = true;
    backoff.reset();
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      return;
    }
    options.onEvent(name, value);
  };

  const listen = async (body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> => {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const read = createSseReader();
    let cancelSilence = (): void => undefined;
    const watch = (): void => {
      cancelSilence();
      cancelSilence = timers.after(policy.silenceMs, () => {
        cut.abort();
      });
    };
    // A stream that was aborted between two reads would otherwise wait for the next piece.
    const end = (): void => void reader.cancel().catch(() => undefined);
    signal.addEventListener('abort', end, { once: true });
    try {
      while (!signal.aborted) {
        watch();
        const { done, value } = await reader.read();
        if (done) return;
        for (const event of read(decoder.decode(value, { stream: true }))) tell(event);
      }
    } finally {
      cancelSilence();
      end();
    }
  };

  /** Ms until the next try. */
  const connect = async (): Promise<number> => {
    cut = new AbortController();
    const { signal } = cut;
    const opened = await options.transport.open(path, signal);
    if (opened.type === 'stream') {
      await listen(opened.body, signal);
      return backoff.next();
    }
    if (opened.type === 'unreachable') return backoff.next();
    const isDenied = opened.status !== 429 && opened.status < 500;
    if (isDenied) logger.warn({ status: opened.status }, 'the gateway opens no live channel');
    return isDenied ? policy.deniedMs : backoff.next(opened.retryAfterMs);
  };

  const run = async (): Promise<void> => {
    let waitMs: number;
    try {
      waitMs = await connect();
    } catch (error) {
      if (!isStopped) logger.info({ cause: causeOf(error) }, 'the live channel broke off');
      waitMs = backoff.next();
    }
    isOpen = false;
    if (!isStopped) cancelRetry = timers.after(waitMs, () => void run());
  };

  void run();
  return {
    isOpen: () => isOpen,
    stop: () => {
      isStopped = true;
      isOpen = false;
      cancelRetry();
      cut.abort();
    },
  };
}

function pathOf({ agentName, runId }: LiveChannelOptions): string {
  const query = new URLSearchParams({ agent_name: agentName });
  if (runId !== undefined) query.set('run_id', runId);
  return `/v1/guard?${query.toString()}`;
}
