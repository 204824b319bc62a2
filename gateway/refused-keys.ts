/**
 * Who comes with a key that is over: an SDK agent goes on without us then, and nobody would know.
 * RK-1. Told once a day and key: to the log, and, where the key was one of ours, to the operators
 *       (a key that never was one could be anybody's guess). A failure of it changes no answer.
 */
import { hashApiKey } from './api-key.js';
import type { Gateway } from './options.js';

const DAY_MS = 86_400_000;
/** Of keys in a day: guesses must not fill the log. */
const TOLD = 100;
/** As `kavach keys` shows them. */
const HINT = 7;

export type TellRefused = (token: string) => Promise<void>;

export function createTellRefused({
  ledger,
  log,
  now,
}: Pick<Gateway, 'ledger' | 'log' | 'now'>): TellRefused {
  const told = new Set<string>();
  let day = 0;
  return async (token) => {
    const today = Math.floor(now() / DAY_MS);
    if (today !== day) told.clear();
    day = today;
    const hash = hashApiKey(token);
    if (told.has(hash) || told.size >= TOLD) return;
    told.add(hash);
    log.warn({ key: `${token.slice(0, HINT)}…` }, 'an unknown or revoked API key is used');
    await ledger.keyRefused(hash, now()).catch(() => undefined);
  };
}
