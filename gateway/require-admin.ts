/** What not every key may do. */
import type { Context } from 'hono';
import type { ApiKey } from '../ledger/ledger.js';
import type { Env } from './env.js';
import type { Gateway } from './options.js';
import { Problem } from './problem.js';

/** The key of the request; throws a `Problem` (403) where it may not. `what`: `stop agents`. */
export function requireAdmin(gateway: Gateway, c: Context<Env>, what: string): ApiKey {
  const key = c.get('key');
  if (gateway.admin(key)) return key;
  throw new Problem({
    status: 403,
    title: 'Not allowed',
    detail: `The key ${JSON.stringify(key.name)} may not ${what}: use an admin key.`,
  });
}
