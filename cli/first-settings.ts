/** What a gateway sets in the ledger at its start: the first key, and what the environment names. */
import type { Guard } from '../channels/address-guard.js';
import { refuseTarget } from '../channels/target.js';
import { ensureFirstKey } from '../gateway/first-key.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Config, DefaultDestination } from '../worker/config.js';
import type { Logger } from '../worker/log.js';
import { keepApiKey, type KeptKey } from './key-files.js';

/** The organisation of whoever runs the service. */
export const DEFAULT_ORG = 'default';

export async function keepFirstKey(ledger: Ledger, config: Config): Promise<KeptKey> {
  await putDefaults(ledger, config);
  const adminKey = keepApiKey(config.dataDir);
  await ensureFirstKey({ ledger, file: adminKey.file, org: DEFAULT_ORG });
  return adminKey;
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
