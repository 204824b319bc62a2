/**
 * Where alerts go. L-5: address, credentials and template are one sealed value, bound to the
 * organisation and the reference; nothing of it stands in a column, an index or an error.
 */
import { randomBytes } from 'node:crypto';
import type { OpenDestination } from '../domain/alert/message.js';
import type { ChannelName } from '../domain/words.js';
import { canonicalJson } from './canonical.js';
import type { Database, Run } from './database.js';
import type { NewDestination } from './ledger.js';
import { defaultDestinations, destinations, typed } from './schema.js';
import { destinationReference, seal, unseal, type SealKeys } from './seal.js';

const belongsTo = (org: string, reference: string): string => `destination ${reference} of ${org}`;
const KEY_PLACE = 'ledger_life.reference_key';

/** T7. Who is told that it is over unless it was said otherwise; PagerDuty is always. */
const TOLD_OF_RESOLUTION = new Set<ChannelName>(['webhook', 'pagerduty']);

/**
 * The same target is the same reference; its credentials are those stored last. A template is
 * part of the target: two templates for one address are two ways of telling.
 */
export function putDestinations(
  db: Database,
  keys: SealKeys,
  org: string,
  given: readonly NewDestination[],
): Promise<readonly string[]> {
  return db.transaction(async (run) => {
    const key = await referenceKey(run, keys);
    const references: string[] = [];
    for (const { channel, address, secrets, template, sendResolved } of given) {
      const target = [org, channel, address, ...(template ? [canonicalJson(template)] : [])];
      const reference = destinationReference(key, target);
      const open: OpenDestination = {
        address,
        ...(secrets === undefined ? {} : { secrets }),
        ...(template === undefined ? {} : { template }),
      };
      const sealed = seal(keys, JSON.stringify(open), belongsTo(org, reference));
      const told = sendResolved ?? TOLD_OF_RESOLUTION.has(channel);
      await typed(run)
        .insert(destinations)
        .values({ org, reference, channel, sealed, sendResolved: told })
        .onConflictDoUpdate({
          target: [destinations.org, destinations.reference],
          set: { sealed, sendResolved: told },
        });
      references.push(reference);
    }
    return references;
  });
}

/** L-5. The one place where an address is opened. */
export function unsealDestination(
  keys: SealKeys,
  org: string,
  reference: string,
  sealed: string,
): OpenDestination {
  return JSON.parse(unseal(keys, sealed, belongsTo(org, reference))) as OpenDestination;
}

/** C3. */
export async function setDefaultDestination(
  db: Database,
  org: string,
  channel: ChannelName,
  reference: string,
): Promise<void> {
  await typed(db.run)
    .insert(defaultDestinations)
    .values({ org, channel, reference })
    .onConflictDoUpdate({
      target: [defaultDestinations.org, defaultDestinations.channel],
      set: { reference },
    });
}

/** Made once in the ledger's life and kept sealed, so that references outlive a rotation of keys. */
async function referenceKey(run: Run, keys: SealKeys): Promise<Buffer> {
  const [row] = await run('select reference_key from ledger_life for update');
  const known = (row as { reference_key: string | null } | undefined)?.reference_key ?? undefined;
  const key =
    known === undefined ? randomBytes(32) : Buffer.from(unseal(keys, known, KEY_PLACE), 'base64');
  if (known?.startsWith(`${keys[0].id}:`) !== true) {
    const sealed = seal(keys, key.toString('base64'), KEY_PLACE);
    await run('update ledger_life set reference_key = $1', [sealed]);
  }
  return key;
}
