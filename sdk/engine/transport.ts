/**
 * Requests to the gateway.
 * TR-1. Nothing throws: an answer, a refusal and silence are values.
 * TR-2. The key goes to the configured endpoint only (no redirects), and into no text: the words
 *       of a failed fetch may quote a header, so only its name and code are told.
 * TR-3. Every request ends within its time-out, its answer's body included.
 */
import { readAtMost } from './read-body.js';
import { packBody } from './pack-body.js';
import { quietSocket } from './quiet-socket.js';
import type { Surroundings } from './surroundings.js';

export type Reply =
  /** 2xx with JSON. */
  | { readonly type: 'answered'; readonly status: number; readonly body: unknown }
  /** Any other status; `body` where it was JSON. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly body: unknown;
      readonly retryAfterMs?: number;
    }
  /** No answer, or one that is none. `why` is for people. */
  | { readonly type: 'unreachable'; readonly why: string };

export type Opened =
  | { readonly type: 'stream'; readonly body: ReadableStream<Uint8Array> }
  | Exclude<Reply, { type: 'answered' }>;

export interface Transport {
  /** @default timeoutMs 10 s */
  post(path: string, body: unknown, options?: { timeoutMs?: number }): Promise<Reply>;
  /** A stream of text that stays open; the time-out is for its beginning. */
  open(path: string, signal: AbortSignal, timeoutMs?: number): Promise<Opened>;
}

export interface TransportOptions extends Pick<Surroundings, 'fetch' | 'clock' | 'timers'> {
  /** `https://kavach.example`, with or without a slash at its end. */
  readonly endpoint: string;
  readonly apiKey: string;
}

const LATE = 'late';
const TIMEOUT_MS = 10_000;
const ANSWER_BYTES = 4 * 1_048_576;
/** A gateway that names more is not waited for longer. */
const MOST_RETRY_AFTER_MS = 60_000;

export function createTransport(options: TransportOptions): Transport {
  const base = options.endpoint.replace(/\/+$/, '');
  const basePath = new URL(base).pathname.replace(/\/$/, '');
  const { timers, clock } = options;

  const request = async (path: string, init: RequestInit): Promise<Response> => {
    // The global one wants to be called as a function of its own, not as a method.
    const { fetch } = options;
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${options.apiKey}`);
    return fetch(`${base}${path}`, { ...init, headers, redirect: 'error' });
  };

  const refusalOf = async (response: Response): Promise<Exclude<Reply, { type: 'answered' }>> => {
    const retryAfterMs = retryAfterOf(response.headers.get('retry-after'), clock.wall());
    return {
      ...{ type: 'refused', status: response.status },
      body: parse(await readAtMost(response.body, ANSWER_BYTES)),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  };

  const post = async (path: string, body: unknown, signal: AbortSignal): Promise<Reply> => {
    const packed = await packBody(JSON.stringify(body));
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const response = await request(path, {
      ...{ method: 'POST', signal, body: packed.body },
      headers:
        packed.encoding === undefined
          ? headers
          : { ...headers, 'content-encoding': packed.encoding },
    });
    if (!response.ok) return await refusalOf(response);
    const answer = parse(await readAtMost(response.body, ANSWER_BYTES));
    if (typeof answer !== 'object' || answer === null) {
      return {
        type: 'unreachable',
        why: `HTTP ${String(response.status)} without a readable answer`,
      };
    }
    return { type: 'answered', status: response.status, body: answer };
  };

  return {
    post: async (path, body, { timeoutMs = TIMEOUT_MS } = {}) => {
      const cut = new AbortController();
      const cancel = timers.after(timeoutMs, () => {
        cut.abort();
      });
      try {
        return await post(path, body, cut.signal);
      } catch (error) {
        return { type: 'unreachable', why: cut.signal.aborted ? late(timeoutMs) : wordsOf(error) };
      } finally {
        cancel();
      }
    },
    open: async (path, signal, timeoutMs = TIMEOUT_MS) => {
      const cut = new AbortController();
      const stop = (): void => {
        cut.abort();
      };
      const cancel = timers.after(timeoutMs, () => {
        cut.abort(LATE);
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      const quiet = quietSocket(`${basePath}${path}`);
      try {
        const headers = { accept: 'text/event-stream' };
        const response = await request(path, { signal: cut.signal, headers });
        if (!response.ok) return await refusalOf(response);
        const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
        if (response.body !== null && isStream === true)
          return { type: 'stream', body: response.body };
        await response.body?.cancel();
        return { type: 'unreachable', why: 'the answer is no stream of events' };
      } catch (error) {
        return {
          type: 'unreachable',
          why: cut.signal.reason === LATE ? late(timeoutMs) : wordsOf(error),
        };
      } finally {
        quiet();
        cancel();
      }
    },
  };
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const late = (timeoutMs: number): string => `no answer within ${String(timeoutMs / 1_000)} s`;

/** TR-2. `fetch failed` says nothing; the code of its cause does (ECONNREFUSED). */
function wordsOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code =
    typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  if (typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code)) return code;
  return error instanceof Error ? error.name.slice(0, 40) : 'no answer';
}

/** Seconds or a date -> ms from now. */
function retryAfterOf(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MOST_RETRY_AFTER_MS);
}
