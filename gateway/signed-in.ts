/** Who is behind a request of a browser. */
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { ApiKey } from '../ledger/ledger.js';
import type { Env } from './env.js';
import type { Gateway } from './options.js';
import type { Session, Sessions } from './sessions.js';

export interface SignedIn {
  readonly session: Session;
  readonly key: ApiKey;
}

/** Undefined for nobody. SE-2: asks the ledger every time; what that throws is its trouble. */
export async function signedIn(
  { ledger, now }: Gateway,
  sessions: Sessions,
  c: Context<Env>,
): Promise<SignedIn | undefined> {
  const session = sessions.read(getCookie(c, sessions.cookie.name), now());
  if (session === undefined) return undefined;
  const key = await ledger.apiKey(session.keyHash);
  return key === undefined ? undefined : { session, key };
}

/** SE-3. */
export function isOwnOrigin(sessions: Sessions, c: Context<Env>): boolean {
  return sessions.isOwnOrigin({
    origin: c.req.header('origin'),
    site: c.req.header('sec-fetch-site'),
    host: c.req.header('host'),
  });
}
