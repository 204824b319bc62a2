/** What a gateway sets in the ledger at its start: the first key, and what the environment names. */
import type { Guard } from '../channels/address-guard.js';
import { refuseTarget } from '../channels/target.js';
import { ensureFirstKey } from '../gateway/first-key.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Config, DefaultDestination } from '../worker/config.js';
import type { Logger } from '../worker/log.js';
import { apiKeyFile, keepApiKey, readKeyFile, type KeptKey } from './key-files.js';

/** The organisation of whoever runs the service. */
export const DEFAULT_ORG = 'default';

/**
 * Undefined: there is no file of this data folder, and the shared ledger has an admin key already.
 * Whoever may make keys makes another one; every empty folder making one would hand them around.
 */
export async function keepFirstKey(ledger: Ledger, config: Config): Promise<KeptKey | undefined> {
  await putDefaults(ledger, config);
  const isShared = config.databaseUrl !== undefined;
  const isKept = readKeyFile(apiKeyFile(config.dataDir)) !== undefined;
  if (isShared && !isKept && (await hasAdminKey(ledger))) return undefined;
  const adminKey = keepApiKey(config.dataDir);
  await ensureFirstKey({ ledger, file: adminKey.file, org: DEFAULT_ORG });
  return adminKey;
}

/** Where keys come from, for whoever starts a gateway that has made none. */
export const KEYS_ELSEWHERE =
  'This ledger has an admin key already, so none was made: set KAVACH_API_KEY to it; ' +
  '`kavach keys create` makes others';

async function hasAdminKey(ledger: Pick<Ledger, 'keys'>): Promise<boolean> {
  const now = Date.now();
  const keys = await ledger.keys({ org: DEFAULT_ORG, limit: 1_000 });
  return keys.some(
    ({ scopes, agent, revokedAt, expiresAt = Infinity }) =>
      scopes.includes('admin') && agent === undefined && revokedAt === undefined && expiresAt > now,
  );
}

/** C3, A5. What the environment names is set; what it does not name stays as it is. */
async function putDefaults(ledger: Ledger, config: Config): Promise<void> {
  const { destinations, operators, emailDomains } = config;
  const references = await ledger.putDestinations(DEFAULT_ORG, destinations);
  for (const [i, { channel }] of destinations.entries()) {
    const reference = references[i];
    if (reference !== undefined)
      await ledger.setDefaultDestination(DEFAULT_ORG, channel, reference);
  }
  if (operators !== undefined) {
    const stored = await ledger.putDestinations(DEFAULT_ORG, operators);
    const routes = operators.flatMap(({ channel }, i) => {
      const destination = stored[i];
      return destination === undefined ? [] : [{ channel, destination }];
    });
    await ledger.setOperators(DEFAULT_ORG, routes);
  }
  if (emailDomains !== undefined) await ledger.setAllowedEmailDomains(DEFAULT_ORG, emailDomains);
}

/** What is configured and will be refused by every attempt is told at the start, not with an alert. */
export function sayRefused(
  { destinations, operators = [] }: Config,
  guard: Guard,
  log: Pick<Logger, 'warn'>,
): void {
  const say = (whose: readonly DefaultDestination[], what: string): void => {
    for (const { channel, address } of whose) {
      const reason = refuseTarget(guard, channel, address);
      if (reason !== undefined) log.warn({ channel, reason }, `${what} gets nothing`);
    }
  };
  say(destinations, 'the default destination');
  say(operators, 'this address of the operators');
}
