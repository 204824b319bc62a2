/** Handing claimed rows to the relay. Not waited for: a lost one comes back when its lease ends. */
import type { ClaimedPeriod, TouchedPeriod } from '../ledger/ledger.js';
import type { Gateway } from './options.js';

export function deliverClaims(
  { relay, log }: Pick<Gateway, 'relay' | 'log'>,
  periods: readonly TouchedPeriod[],
): void {
  const claims = periods.flatMap(({ claim }) => (claim === undefined ? [] : [claim]));
  if (claims.length > 0) void deliver({ relay, log }, claims);
}

async function deliver(
  { relay, log }: Pick<Gateway, 'relay' | 'log'>,
  claims: readonly ClaimedPeriod[],
): Promise<void> {
  try {
    await relay.deliver(claims);
  } catch (error) {
    log.warn({ rows: claims.length, cause: String(error) }, 'claimed rows were not delivered');
  }
}
