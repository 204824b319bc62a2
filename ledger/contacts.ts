/**
 * How a recipient is reached: one address a channel, sealed as every destination is (L-5).
 * CO-1. Nothing but its code is sent to an address until somebody has read the code there.
 * CO-2. A code is taken once, until its time is over, and not after five that were wrong; how many
 *       are sent in a day is code-counts.ts's. Kept is a hash that only the ledger's own key can make.
 */
import { createHmac } from 'node:crypto';
import { audit, type AuditEntry } from './audit.js';
import { countCode } from './code-counts.js';
import type { Author } from './configuring.js';
import type { Database, Run } from './database.js';
import {
  destinationPlace,
  referenceKey,
  storedDestination,
  unsealDestination,
} from './destinations.js';
import { textArray } from './literals.js';
import type { CodeToSend, ContactRef, NewCode, Verification } from './recipient.js';
import { destinationReference, seal, type SealKeys } from './seal.js';
import { dropUnused } from './unused-destinations.js';

const MAX_TRIES = 5;

/** Another address than before has to be verified again. */
export function putContact(
  db: Database,
  keys: SealKeys,
  { org, id, channel, address }: ContactRef & { readonly address: string },
  { by, now }: Author,
): Promise<{ changed: boolean } | undefined> {
  return db.transaction(async (run) => {
    const known = await run('select id from recipient where org = $1 and id = $2 for update', [
      ...[org, id],
    ]);
    if (known.length === 0) return undefined;
    const reference = await putAddress(run, keys, { org, channel, address });
    const before = await contactOf(run, { org, id, channel });
    if (before?.reference === reference) return { changed: false };
    await run(
      `insert into contact (org, recipient, channel, reference, added_at)
       values ($1, $2, $3, $4, $5::bigint)
       on conflict (org, recipient, channel) do update set reference = excluded.reference,
         added_at = excluded.added_at, verified_at = null, code_hash = null, code_until = null,
         code_tries = 0`,
      [org, id, channel, reference, now],
    );
    if (before !== undefined) await dropUnused(run, org, textArray([before.reference]));
    await note(run, { org, id, channel }, { by, now }, 'contact_set');
    return { changed: true };
  });
}

export function removeContact(
  db: Database,
  ref: ContactRef,
  author: Author,
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const { org, id, channel } = ref;
    const [row] = await run(
      'delete from contact where org = $1 and recipient = $2 and channel = $3 returning reference',
      [org, id, channel],
    );
    if (row === undefined) return { changed: false };
    await dropUnused(run, org, textArray([String(row['reference'])]));
    await note(run, ref, author, 'contact_removed');
    return { changed: true };
  });
}

/** CO-2. Answers where it is to be sent. */
export function newCode(
  db: Database,
  keys: SealKeys,
  { code, until, now, ...ref }: NewCode,
): Promise<CodeToSend> {
  return db.transaction(async (run) => {
    const { org, id, channel } = ref;
    const contact = await contactOf(run, ref);
    if (contact === undefined) return { type: 'unknown' };
    if (contact.verified_at !== null) return { type: 'already_verified' };
    const destination = unsealDestination(keys, org, contact.reference, contact.sealed, now);
    const { address } = destination;
    const tooMany = await countCode(run, await referenceKey(run, keys), ref, { address, now });
    if (tooMany !== undefined) return { type: 'too_many', ...tooMany };
    await run(
      `update contact set code_hash = $4, code_until = $5::bigint, code_tries = 0
       where org = $1 and recipient = $2 and channel = $3`,
      [org, id, channel, await hashOf(run, keys, ref, code), until],
    );
    return { type: 'send', destination };
  });
}

export function verifyContact(
  db: Database,
  keys: SealKeys,
  ref: ContactRef,
  code: string,
  author: Author,
): Promise<Verification> {
  return db.transaction(async (run): Promise<Verification> => {
    const { org, id, channel } = ref;
    const contact = await contactOf(run, ref);
    if (contact === undefined) return { type: 'unknown' };
    if (contact.verified_at !== null) return { type: 'verified', changed: false };
    const { code_hash: hash, code_until: until, code_tries: tries } = contact;
    if (hash === null || until === null || until <= author.now || tries >= MAX_TRIES) {
      return { type: 'no_code' };
    }
    const one = [org, id, channel];
    if ((await hashOf(run, keys, ref, code)) !== hash) {
      await run(
        `update contact set code_tries = code_tries + 1
         where org = $1 and recipient = $2 and channel = $3`,
        one,
      );
      return { type: 'wrong', triesLeft: MAX_TRIES - tries - 1 };
    }
    await run(
      `update contact set verified_at = $4::bigint, code_hash = null, code_until = null
       where org = $1 and recipient = $2 and channel = $3`,
      [...one, author.now],
    );
    // C3. Its owner stands by it, which is more than an operator can.
    await run('update destination set verified = true where org = $1 and reference = $2', [
      ...[org, contact.reference],
    ]);
    await note(run, ref, author, 'contact_verified');
    return { type: 'verified', changed: true };
  });
}

/** What is known of the address, and the credentials it came with elsewhere, stay as they are. */
async function putAddress(
  run: Run,
  keys: SealKeys,
  { org, channel, address }: { org: string; channel: ContactRef['channel']; address: string },
): Promise<string> {
  const reference = destinationReference(await referenceKey(run, keys), [org, channel, address]);
  if ((await storedDestination(run, keys, org, reference)) !== undefined) return reference;
  const sealed = seal(keys, JSON.stringify({ address }), destinationPlace(org, reference));
  await run(
    `insert into destination (org, reference, channel, sealed, send_resolved, verified)
     values ($1, $2, $3, $4, false, false)
     on conflict (org, reference) do update set sealed = excluded.sealed`,
    [org, reference, channel, sealed],
  );
  await run(
    'insert into destination_pace (org, reference) values ($1, $2) on conflict do nothing',
    [org, reference],
  );
  return reference;
}

interface ContactRow {
  readonly reference: string;
  readonly sealed: string;
  readonly verified_at: number | null;
  readonly code_hash: string | null;
  readonly code_until: number | null;
  readonly code_tries: number;
}

/** Held until the transaction ends, so that tries at the same moment are counted one by one. */
async function contactOf(run: Run, { org, id, channel }: ContactRef) {
  const [row] = await run(
    `select c.reference, c.verified_at, c.code_hash, c.code_until, c.code_tries,
       d.sealed
     from contact c join destination d on d.org = c.org and d.reference = c.reference
     where c.org = $1 and c.recipient = $2 and c.channel = $3 for update of c`,
    [org, id, channel],
  );
  return row as ContactRow | undefined;
}

/** Six digits are soon tried through: without the ledger's key their hash says nothing. */
async function hashOf(
  run: Run,
  keys: SealKeys,
  { org, id, channel }: ContactRef,
  code: string,
): Promise<string> {
  const key = await referenceKey(run, keys);
  return createHmac('sha256', key)
    .update(JSON.stringify(['code', org, id, channel, code]))
    .digest('hex');
}

async function note(
  run: Run,
  { org, id, channel }: ContactRef,
  { by, now }: Author,
  what: AuditEntry['what'],
): Promise<void> {
  await audit(run, { org, subject: `recipient:${id}`, at: now, by, what, after: { channel } });
}
