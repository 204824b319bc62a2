/**
 * What an error of a provider's client says: whether the call may have been billed, and whether
 * trying again makes sense. Decided once, here.
 */
import { isFields } from './measure.js';

export interface ProviderFault {
  /** False: the provider was never asked, or said before any work that it would not. */
  readonly maybeBilled: boolean;
  readonly retryable: boolean;
  /** What the provider asks for, ms. */
  readonly retryAfterMs?: number;
}

/** The connection never came to be. */
const NEVER_CONNECTED = [
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_INVALID_URL'],
  'ERR_TLS_CERT_ALTNAME_INVALID',
];

/** `now` is epoch ms. `aborted`: its caller gave the call up. */
export function readFault(error: unknown, aborted: boolean, now: number): ProviderFault {
  if (typeof error !== 'object' || error === null) return { maybeBilled: true, retryable: false };
  const status = 'status' in error ? error.status : undefined;
  if (typeof status === 'number') return ofStatus(status, headersOf(error), aborted, now);
  const refused = codesOf(error).some((code) => NEVER_CONNECTED.includes(code));
  // The clients' connection errors and time-outs are API errors without a status.
  const isConnection = 'status' in error && !aborted;
  return { maybeBilled: !refused, retryable: isConnection };
}

function ofStatus(
  status: number,
  headers: ReadHeader,
  aborted: boolean,
  now: number,
): ProviderFault {
  const word = headers('x-should-retry');
  const usual = status === 408 || status === 409 || status === 429 || status >= 500;
  const retryAfterMs = readRetryAfter(headers, now);
  return {
    // 529: overloaded, said in place of an answer. Other 5xx may come after the work was done.
    maybeBilled: status === 408 || status === 409 || (status >= 500 && status !== 529),
    retryable: !aborted && (word === 'true' || (word !== 'false' && usual)),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

type ReadHeader = (name: string) => string | undefined;

function headersOf(error: object): ReadHeader {
  const headers = 'headers' in error ? error.headers : undefined;
  if (headers instanceof Headers) return (name) => headers.get(name) ?? undefined;
  return (name) => {
    const value = isFields(headers) ? headers[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date. */
function readRetryAfter(header: ReadHeader, now: number): number | undefined {
  const ms = Number.parseFloat(header('retry-after-ms') ?? '');
  if (ms >= 0) return ms;
  const after = header('retry-after');
  if (after === undefined) return undefined;
  const seconds = Number(after);
  const wait = Number.isNaN(seconds) ? Date.parse(after) - now : seconds * 1_000;
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

/** 0.5 s, doubled with every try up to 8 s, less up to a quarter by chance: the clients' own ladder. */
export function backoffMs(tries: number, random: number): number {
  return Math.min(500 * 2 ** tries, 8_000) * (1 - random * 0.25);
}

/** `code` of the error and of what caused it, and of what it stands for. */
function codesOf(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const code = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const cause = 'cause' in error ? codesOf(error.cause, depth + 1) : [];
  return [...code, ...cause];
}
