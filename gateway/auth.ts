/**
 * Who is asking. A-1. A key is refused only after the ledger said that it does not know it; a
 * ledger in trouble is not a no (the Python SDK drops its events on a 401). The one exception is a
 * key whose own checksum says that it was mistyped: nobody can know it.
 * Keys live here as hashes only. A revoked one is refused within the time to live, one whose
 * grace is over at once.
 */
import type { MiddlewareHandler } from 'hono';
import type { ApiKey, Ledger } from '../ledger/ledger.js';
import { hashApiKey, isMistyped } from './api-key.js';
import type { Env } from './env.js';
import { Problem } from './problem.js';
import type { TellRefused } from './refused-keys.js';

export { hashApiKey } from './api-key.js';

const REMEMBERED_KEYS = 10_000;

/** Answers who the key is; throws a `Problem` (401), or what the ledger throws. */
export type Authenticate = (authorization: string | undefined) => Promise<ApiKey>;

/** Believes in a key it found for `ttlMs` without asking again. */
export function createAuthenticate(
  ledger: Pick<Ledger, 'apiKey'>,
  now: () => number,
  ttlMs: number,
  tellRefused: TellRefused = () => Promise.resolve(),
): Authenticate {
  const known = new Map<string, { readonly key: ApiKey; readonly until: number }>();
  return async (authorization) => {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized('Send your API key as `Authorization: Bearer <key>`.');
    }
    if (isMistyped(token)) {
      throw unauthorized('This API key is mistyped or cut off: its checksum does not fit.');
    }
    const hash = hashApiKey(token);
    const unlessOver = async (key: ApiKey): Promise<ApiKey> => {
      if (isOver(key, now())) await tellRefused(token);
      return valid(key, now());
    };
    const remembered = known.get(hash);
    if (remembered !== undefined && remembered.until > now()) return unlessOver(remembered.key);
    const key = await ledger.apiKey(hash);
    known.delete(hash);
    if (key === undefined) {
      await tellRefused(token);
      throw unauthorized('This API key is unknown or revoked.');
    }
    if (known.size >= REMEMBERED_KEYS) known.clear();
    known.set(hash, { key, until: now() + ttlMs });
    return unlessOver(key);
  };
}

/** What comes after it finds the key under `key`. */
export function requireKey(authenticate: Authenticate): MiddlewareHandler<Env> {
  return async (c, next) => {
    c.set('key', await authenticate(c.req.header('authorization')));
    await next();
  };
}

const isOver = ({ expiresAt }: ApiKey, now: number): boolean =>
  expiresAt !== undefined && now >= expiresAt;

function valid(key: ApiKey, now: number): ApiKey {
  if (!isOver(key, now)) return key;
  throw unauthorized(
    `The API key ${JSON.stringify(key.name)} (${key.id}) was rotated and its grace is over: use its successor.`,
  );
}

function unauthorized(detail: string): Problem {
  return new Problem({
    status: 401,
    title: 'Unauthorized',
    detail,
    headers: { 'www-authenticate': 'Bearer' },
  });
}
