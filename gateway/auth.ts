/**
 * Who is asking. A-1. A key is refused only after the ledger said that it does not know it; a
 * ledger in trouble is not a no (the Python SDK drops its events on a 401).
 * Keys live here as hashes only. A revoked one is refused within the time to live.
 */
import { createHash } from 'node:crypto';
import type { ApiKey, Ledger } from '../ledger/ledger.js';
import { Problem } from './problem.js';

const REMEMBERED_KEYS = 10_000;

/** Lower-case hex of the SHA-256, as the ledger keeps it: keys are 256 bits, so no salt is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Answers the key's organisation and name; throws a `Problem` (401), or what the ledger throws. */
export type Authenticate = (authorization: string | undefined) => Promise<ApiKey>;

/** Believes in a key it found for `ttlMs` without asking again. */
export function createAuthenticate(
  ledger: Pick<Ledger, 'apiKey'>,
  now: () => number,
  ttlMs: number,
): Authenticate {
  const known = new Map<string, { readonly key: ApiKey; readonly until: number }>();
  return async (authorization) => {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized('Send your API key as `Authorization: Bearer <key>`.');
    }
    const hash = hashApiKey(token);
    const remembered = known.get(hash);
    if (remembered !== undefined && remembered.until > now()) return remembered.key;
    const key = await ledger.apiKey(hash);
    known.delete(hash);
    if (key === undefined) throw unauthorized('This API key is unknown or revoked.');
    if (known.size >= REMEMBERED_KEYS) known.clear();
    known.set(hash, { key, until: now() + ttlMs });
    return key;
  };
}

function unauthorized(detail: string): Problem {
  return new Problem({
    status: 401,
    title: 'Unauthorized',
    detail,
    headers: { 'www-authenticate': 'Bearer' },
  });
}
