/**
 * Where alerts go. L-5: address, credentials and template are one sealed value, bound to the
 * organisation and the reference; nothing of it stands in a column, an index or an error.
 */
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { TOLD_OF_RESOLUTION } from '../domain/alert/sequels.js';
import type { OpenDestination } from '../domain/alert/message.js';
import type { ChannelName } from '../domain/words.js';
import { audit } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Author } from './configuring.js';
import type { Database, Run } from './database.js';
import type { NewDestination } from './ledger.js';
import { destinationPaces, destinations, typed } from './schema.js';
import { destinationReference, seal, unseal, type SealKeys } from './seal.js';
import { openAt, rotated, type SealedDestination } from './secrets.js';

/** What a sealed destination, and the key of references, are bound to. */
export const destinationPlace = (org: string, reference: string): string =>
  `destination ${reference} of ${org}`;
export const REFERENCE_KEY_PLACE = 'ledger_life.reference_key';

/**
 * The same target is the same reference; its credentials are those stored last, and for a while
 * also a webhook's old secret. A template is part of the target: two templates for one address are
 * two ways of telling. What is known of a target, its health and that somebody stands by it (C3),
 * outlives a sync that brings it again.
 */
export function putDestinations(
  db: Database,
  { keys, graceMs }: { keys: SealKeys; graceMs: number },
  org: string,
  given: readonly NewDestination[],
  now: number,
): Promise<readonly string[]> {
  return db.transaction(async (run) => {
    const key = await referenceKey(run, keys);
    const references: string[] = [];
    for (const { channel, address, secrets, template, sendResolved, verified = true } of given) {
      const target = [org, channel, address, ...(template ? [canonicalJson(template)] : [])];
      const reference = destinationReference(key, target);
      const open: OpenDestination = {
        address,
        ...(secrets === undefined ? {} : { secrets }),
        ...(template === undefined ? {} : { template }),
      };
      const before =
        channel === 'webhook' ? await storedDestination(run, keys, org, reference) : undefined;
      const whole = rotated(before, open, now, graceMs);
      const sealed = seal(keys, JSON.stringify(whole), destinationPlace(org, reference));
      const told = sendResolved ?? TOLD_OF_RESOLUTION.has(channel);
      await typed(run)
        .insert(destinations)
        .values({ org, reference, channel, sealed, sendResolved: told, verified })
        .onConflictDoUpdate({
          target: [destinations.org, destinations.reference],
          set: {
            ...{ sealed, sendResolved: told },
            verified: sql`${destinations.verified} or excluded.verified`,
          },
        });
      await typed(run).insert(destinationPaces).values({ org, reference }).onConflictDoNothing();
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
  now: number,
): OpenDestination {
  return openAt(parsed(keys, org, reference, sealed), now);
}

function parsed(keys: SealKeys, org: string, reference: string, sealed: string): SealedDestination {
  return JSON.parse(unseal(keys, sealed, destinationPlace(org, reference))) as SealedDestination;
}

/** What a target was until now. One that does not open any more is put anew: that mends it. */
export async function storedDestination(
  run: Run,
  keys: SealKeys,
  org: string,
  reference: string,
): Promise<SealedDestination | undefined> {
  const [row] = await run('select sealed from destination where org = $1 and reference = $2', [
    org,
    reference,
  ]);
  if (row === undefined) return undefined;
  try {
    return parsed(keys, org, reference, String(row['sealed']));
  } catch {
    return undefined;
  }
}

/** C3. An operator stands by a target whose domain is not on the list. */
export function confirmDestination(
  db: Database,
  org: string,
  reference: string,
  { by, now }: { by: string; now: number },
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const rows = await run(
      `update destination set verified = true
       where org = $1 and reference = $2 and not verified returning reference`,
      [org, reference],
    );
    const changed = rows.length === 1;
    if (changed) {
      const subject = `destination:${reference}`;
      await audit(run, { org, subject, at: now, by, what: 'destination_confirmed' });
    }
    return { changed };
  });
}

/**
 * C3. Without an author it is the environment's word, which changes nothing that a person has set.
 */
export function setDefaultDestination(
  db: Database,
  org: string,
  { channel, reference }: { readonly channel: ChannelName; readonly reference: string },
  author?: Author,
): Promise<void> {
  return db.transaction(async (run) => {
    const [before] = await run(
      'select reference, set_by from default_destination where org = $1 and channel = $2 for update',
      [org, channel],
    );
    const isOthers = before !== undefined && before['set_by'] !== 'environment';
    if (author === undefined && isOthers) return;
    await run(
      `insert into default_destination (org, channel, reference, set_by) values ($1, $2, $3, $4)
       on conflict (org, channel) do update
         set reference = excluded.reference, set_by = excluded.set_by`,
      [org, channel, reference, author?.by ?? 'environment'],
    );
    if (author === undefined || before?.['reference'] === reference) return;
    const entry = { org, subject: 'organisation', at: author.now, by: author.by };
    await audit(run, {
      ...{ ...entry, what: 'default_destination_set' },
      ...(before === undefined ? {} : { before: { channel, destination: before['reference'] } }),
      after: { channel, destination: reference },
    });
  });
}

/** Made once in the ledger's life and kept sealed, so that references outlive a rotation of keys. */
export async function referenceKey(run: Run, keys: SealKeys): Promise<Buffer> {
  const [row] = await run('select reference_key from ledger_life for update');
  const known = (row as { reference_key: string | null } | undefined)?.reference_key ?? undefined;
  const key =
    known === undefined
      ? randomBytes(32)
      : Buffer.from(unseal(keys, known, REFERENCE_KEY_PLACE), 'base64');
  if (known?.startsWith(`${keys[0].id}:`) !== true) {
    const sealed = seal(keys, key.toString('base64'), REFERENCE_KEY_PLACE);
    await run('update ledger_life set reference_key = $1', [sealed]);
  }
  return key;
}
