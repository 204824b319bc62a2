/** Recipients and what they want (P1, P2): each change with its audit entry, the same is no change. */
import { DEFAULT_PREFERENCES, type Preferences } from '../domain/preferences.js';
import { maskAddress } from '../domain/mask.js';
import { audit, type AuditEntry } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Author } from './configuring.js';
import type { Database, Run } from './database.js';
import type { Health } from './delivery.js';
import { unsealDestination } from './destinations.js';
import { jsonText, textArray } from './literals.js';
import type {
  ContactChannel,
  ContactView,
  NewPreferences,
  RecipientRef,
  RecipientView,
} from './recipient.js';
import type { SealKeys } from './seal.js';
import { dropUnused } from './unused-destinations.js';

interface ListedRow {
  readonly id: string;
  readonly name: string | null;
  readonly preferences: Partial<Preferences>;
  readonly created_at: number;
  readonly changed_at: number;
  readonly contacts: readonly ContactRow[] | null;
}

interface ContactRow {
  readonly channel: ContactChannel;
  readonly reference: string;
  readonly sealed: string | null;
  readonly health: Health | null;
  readonly verified_at: number | null;
  readonly code_until: number | null;
}

const LIST = `
select r.id, r.name, r.preferences, r.created_at, r.changed_at,
  (select json_agg(json_build_object('channel', c.channel, 'reference', c.reference,
      'sealed', d.sealed, 'health', d.health, 'verified_at', c.verified_at,
      'code_until', c.code_until) order by c.channel)
    from contact c left join destination d on d.org = c.org and d.reference = c.reference
    where c.org = r.org and c.recipient = r.id) as contacts
from recipient r
where r.org = $1 and ($2::text is null or r.id = $2) and ($3::text is null or r.id > $3)
order by r.id limit $4::bigint`;

export async function listRecipients(
  db: Database,
  keys: SealKeys,
  query: { org: string; id?: string; after?: string; limit: number },
): Promise<readonly RecipientView[]> {
  const { org, id, after, limit } = query;
  const rows = await db.run(LIST, [org, id, after, limit]);
  return (rows as unknown as readonly ListedRow[]).map((row) => ({
    id: row.id,
    ...(row.name === null ? {} : { name: row.name }),
    preferences: { ...DEFAULT_PREFERENCES, ...row.preferences },
    contacts: (row.contacts ?? []).map((contact) => contactOf(keys, org, contact)),
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }));
}

function contactOf(keys: SealKeys, org: string, row: ContactRow): ContactView {
  const { channel, reference, verified_at: verifiedAt, code_until: codeUntil } = row;
  return {
    ...{ channel, destination: reference, masked: maskedOf(keys, org, row) },
    health: row.health ?? 'gone',
    ...(verifiedAt === null ? {} : { verifiedAt }),
    ...(codeUntil === null ? {} : { codeUntil }),
  };
}

function maskedOf(keys: SealKeys, org: string, { channel, reference, sealed }: ContactRow): string {
  try {
    const { address } = unsealDestination(keys, org, reference, sealed ?? '', 0);
    return maskAddress(channel, address);
  } catch {
    return 'unreadable';
  }
}

export function putRecipient(
  db: Database,
  { org, id, name }: RecipientRef & { readonly name?: string },
  { by, now }: Author,
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const added = await run(
      `insert into recipient (org, id, name, preferences, created_at, changed_at)
       values ($1, $2, $3, $4::jsonb, $5::bigint, $5::bigint) on conflict do nothing returning id`,
      [org, id, name, jsonText(DEFAULT_PREFERENCES), now],
    );
    const entry = { ...{ org, subject: `recipient:${id}`, at: now, by }, after: { name } };
    if (added.length > 0) {
      await audit(run, { ...entry, what: 'recipient_added' });
      return { changed: true };
    }
    const [row] = await run('select name from recipient where org = $1 and id = $2 for update', [
      ...[org, id],
    ]);
    const before = row?.['name'];
    if (name === undefined || before === name) return { changed: false };
    await run(
      'update recipient set name = $3, changed_at = $4::bigint where org = $1 and id = $2',
      [org, id, name, now],
    );
    await audit(run, {
      ...entry,
      what: 'recipient_renamed',
      before: { name: before ?? undefined },
    });
    return { changed: true };
  });
}

/** What was decided about them before stays recorded (A10). */
export function removeRecipient(
  db: Database,
  { org, id }: RecipientRef,
  { by, now }: Author,
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const one = [org, id];
    const gone = await run('delete from recipient where org = $1 and id = $2 returning id', one);
    if (gone.length === 0) return { changed: false };
    const contacts = await run(
      'delete from contact where org = $1 and recipient = $2 returning reference',
      one,
    );
    await run('delete from digest_item where org = $1 and recipient = $2 and digest is null', one);
    await dropUnused(run, org, textArray(contacts.map(({ reference }) => String(reference))));
    const subject = `recipient:${id}`;
    await audit(run, { org, subject, at: now, by, what: 'recipient_removed' });
    return { changed: true };
  });
}

export function setPreferences(
  db: Database,
  ref: RecipientRef,
  given: NewPreferences,
  author: Author,
): Promise<{ changed: boolean } | undefined> {
  return change(db, ref, author, 'preferences_set', ({ unsubscribed }) => ({
    ...{ ...given, unsubscribed: given.unsubscribed ?? unsubscribed },
  }));
}

export function unsubscribe(
  db: Database,
  ref: RecipientRef,
  author: Author,
): Promise<{ changed: boolean } | undefined> {
  return change(db, ref, author, 'unsubscribed', (before) => ({ ...before, unsubscribed: true }));
}

function change(
  db: Database,
  { org, id }: RecipientRef,
  { by, now }: Author,
  what: AuditEntry['what'],
  next: (before: Preferences) => Preferences,
): Promise<{ changed: boolean } | undefined> {
  return db.transaction(async (run) => {
    const before = await preferencesOf(run, org, id);
    if (before === undefined) return undefined;
    const after = next(before);
    if (canonicalJson(before) === canonicalJson(after)) return { changed: false };
    await run(
      `update recipient set preferences = $3::jsonb, changed_at = $4::bigint
       where org = $1 and id = $2`,
      [org, id, jsonText(after), now],
    );
    await audit(run, { org, subject: `recipient:${id}`, at: now, by, what, before, after });
    return { changed: true };
  });
}

/** Held until the transaction ends. */
async function preferencesOf(run: Run, org: string, id: string): Promise<Preferences | undefined> {
  const [row] = await run(
    'select preferences from recipient where org = $1 and id = $2 for update',
    [org, id],
  );
  if (row === undefined) return undefined;
  return { ...DEFAULT_PREFERENCES, ...(row['preferences'] as Partial<Preferences>) };
}
