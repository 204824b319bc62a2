/**
 * One POST to somebody else's server, bounded in time and size (C-3). Never throws.
 *
 * H-1. A connection serves one request: nothing is pooled, so a reset is always about this request.
 * H-2. No redirect is followed and no proxy is taken from the environment.
 * H-3. `sent` is false only where no byte of the request can have reached the server.
 * H-4. The guard decides which addresses are connected to (address-guard.ts).
 */
import { performance } from 'node:perf_hooks';
import { Agent, type Dispatcher } from 'undici';
import { OPERATORS_OWN, REFUSED_ADDRESS, type Guard } from './address-guard.js';

/** What is read of an answer; the rest is dropped with the connection (C-3). */
export const ANSWER_LIMIT_BYTES = 65_536;

export interface PostRequest {
  /** Already checked by `parseTarget`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the start of the connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** H-4. `OPERATORS_OWN` for an address of the service's own configuration, and for no other. */
  readonly guard: Guard;
  /** @default ANSWER_LIMIT_BYTES */
  readonly answerLimitBytes?: number;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `answerLimitBytes` of it. */
  readonly body: string;
}

export interface HttpFault {
  /** `denied`: the guard refused to connect. */
  readonly kind: 'refused' | 'dns' | 'tls' | 'reset' | 'timeout' | 'denied';
  /** Could the request have reached the server (H-3)? */
  readonly sent: boolean;
  /** Where the status line came but the rest of the answer did not. */
  readonly status?: number;
}

export type HttpResult = HttpAnswer | HttpFault;

/** A connection for one attempt, and whether it ever stood. Also lent to provider packages. */
export interface AttemptConnection {
  readonly dispatcher: Agent;
  readonly signal: AbortSignal;
  isConnected(): boolean;
  /** Why connecting failed, for `faultOf`. */
  connectError(): unknown;
  close(): void;
}

/** Lent to provider packages, whose addresses are the operator's own (H-4). */
export function openConnection(
  timeoutMs: number,
  maxResponseSize = -1,
  guard: Guard = OPERATORS_OWN,
): AttemptConnection {
  // `pipelining: 0` switches keep-alive off (H-1).
  const dispatcher = new Agent({ pipelining: 0, maxResponseSize, connect: guard.connect });
  let connected = false;
  let failure: unknown;
  dispatcher.on('connect', () => {
    connected = true;
  });
  dispatcher.on('connectionError', (_origin, _targets, error) => {
    failure = error;
  });
  return {
    dispatcher,
    signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
    isConnected: () => connected,
    connectError: () => failure,
    // Not awaited: a socket that hangs in its TLS handshake must not hold the outcome.
    close: () => void dispatcher.destroy().catch(() => undefined),
  };
}

/** Sends one POST. 3xx come back as answers, and are failures for every channel (C-3). */
export async function post(request: PostRequest): Promise<HttpResult> {
  const { url, headers, body, answerLimitBytes = ANSWER_LIMIT_BYTES } = request;
  const connection = openConnection(request.timeoutMs, -1, request.guard);
  const path = `${url.pathname}${url.search}`;
  const sent = { origin: url.origin, path, method: 'POST', headers, body } as const;
  return exchange(connection, sent, (answer) => readCapped(answer, answerLimitBytes));
}

/** One request on a connection of its own, which it closes. Never throws. */
export async function exchange(
  connection: AttemptConnection,
  request: Dispatcher.RequestOptions,
  read: (body: Dispatcher.ResponseData['body']) => Promise<string>,
): Promise<HttpResult> {
  const { dispatcher, signal } = connection;
  let status: number | undefined;
  try {
    const answer = await dispatcher.request({ ...request, signal });
    status = answer.statusCode;
    const body = await read(answer.body);
    return { kind: 'answer', status, headers: singleValues(answer.headers), body };
  } catch (error) {
    const fault = faultOf(error, connection);
    return status === undefined ? fault : { ...fault, status };
  } finally {
    connection.close();
  }
}

/** Names a failure by its code; its text is never used, as it may hold an address (C-4). */
export function faultOf(error: unknown, connection: AttemptConnection): HttpFault {
  const sent = connection.isConnected();
  if (connection.signal.aborted) return { kind: 'timeout', sent };
  if (sent) return { kind: 'reset', sent };
  const code = codeOf(connection.connectError() ?? error);
  if (code === REFUSED_ADDRESS) return { kind: 'denied', sent };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { kind: 'dns', sent };
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return { kind: 'timeout', sent };
  return { kind: isTlsCode(code) ? 'tls' : 'refused', sent };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_)/.test(code);
}

async function readCapped(body: AsyncIterable<unknown>, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the connection.
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}

function singleValues(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) single[name] = first;
  }
  return single;
}

/** Milliseconds left of a time-out that began at `startedAt` (both of the monotonic clock). */
export function startClock(timeoutMs: number): { leftMs(): number } {
  const startedAt = performance.now();
  return { leftMs: () => timeoutMs - (performance.now() - startedAt) };
}
