/** API keys, known by the SHA-256 of what their holder shows; every change has its audit entry. */
import { and, asc, desc, eq, gt, isNull, lt, or } from 'drizzle-orm';
import { KEY_SCOPES, type KeyScope } from '../domain/words.js';
import type { ApiKey, KeyQuery, KeyRotation, KeyView, NewKey, RotatedKey } from './api-key.js';
import { audit } from './audit.js';
import type { Database, Run } from './database.js';
import { apiKeys, typed } from './schema.js';

type KeyRow = typeof apiKeys.$inferSelect;

export async function findApiKey(db: Database, hash: string): Promise<ApiKey | undefined> {
  const [row] = await typed(db.run)
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)));
  return row === undefined ? undefined : { org: row.org, ...rightsOf(row) };
}

/** Whose key it was or is, revoked ones included; undefined: never one of ours. */
export async function ownerOfKey(
  db: Database,
  hash: string,
): Promise<{ org: string; id: string; name: string } | undefined> {
  const [row] = await typed(db.run).select().from(apiKeys).where(eq(apiKeys.hash, hash));
  return row === undefined ? undefined : { org: row.org, id: row.id ?? '', name: row.name };
}

/** A key that is there stays as it is: a revoked one does not come back. */
export function putApiKey(
  db: Database,
  hash: string,
  key: { org: string; name: string; scopes?: readonly KeyScope[]; agent?: string },
  now: number,
): Promise<void> {
  const { org, name, scopes = KEY_SCOPES, agent } = key;
  return db.transaction(async (run) => {
    const [row] = await typed(run)
      .insert(apiKeys)
      .values({
        ...{ hash, org, name, scopes: scopes.join(' '), createdAt: now, createdBy: 'kavach' },
        ...(agent === undefined ? {} : { agent }),
      })
      .onConflictDoNothing()
      .returning();
    if (row === undefined) return;
    await write(run, 'key_created', { org, by: 'kavach', now }, { after: keyViewOf(row) });
  });
}

export function createKey(db: Database, key: NewKey): Promise<KeyView> {
  return db.transaction(async (run) => {
    const view = await insert(run, key);
    await write(run, 'key_created', key, { after: view });
    return view;
  });
}

/** The row is locked first: of two rotations at once the second finds a key that has ended. */
export function rotateKey(db: Database, rotation: KeyRotation): Promise<RotatedKey> {
  const { org, id, now, graceMs } = rotation;
  return db.transaction(async (run) => {
    const row = await locked(run, org, id);
    if (row === undefined) return { type: 'unknown' };
    if (row.revokedAt !== null || row.replacedBy !== null) {
      return { type: 'ended', old: keyViewOf(row) };
    }
    const { name, scopes, agent } = rightsOf(row);
    const rights = { name, scopes, ...(agent === undefined ? {} : { agent }) };
    const key = await insert(run, { ...rotation, ...rights });
    const [changed] = await typed(run)
      .update(apiKeys)
      .set({ replacedBy: key.id, expiresAt: now + graceMs })
      .where(eq(apiKeys.hash, row.hash))
      .returning();
    const old = keyViewOf(changed ?? row);
    await write(run, 'key_rotated', { ...rotation, id }, { before: old, after: key });
    return { type: 'rotated', key, old };
  });
}

export function revokeKey(
  db: Database,
  org: string,
  id: string,
  by: string,
  now: number,
): Promise<{ changed: boolean; key: KeyView } | undefined> {
  return db.transaction(async (run) => {
    const row = await locked(run, org, id);
    if (row === undefined) return undefined;
    if (row.revokedAt !== null) return { changed: false, key: keyViewOf(row) };
    const [changed] = await typed(run)
      .update(apiKeys)
      .set({ revokedAt: now })
      .where(eq(apiKeys.hash, row.hash))
      .returning();
    const key = keyViewOf(changed ?? row);
    await write(run, 'key_revoked', { org, id, by, now }, { before: keyViewOf(row) });
    return { changed: true, key };
  });
}

/** The newest first, then by id: an order that later keys do not change. */
export async function listKeys(
  db: Database,
  { org, limit, after }: KeyQuery,
): Promise<readonly KeyView[]> {
  const { createdAt, id } = apiKeys;
  const follows =
    after &&
    or(lt(createdAt, after.createdAt), and(eq(createdAt, after.createdAt), gt(id, after.id)));
  const rows = await typed(db.run)
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.org, org), follows))
    .orderBy(desc(createdAt), asc(id))
    .limit(limit);
  return rows.map(keyViewOf);
}

async function insert(run: Run, key: Omit<NewKey, 'id'>): Promise<KeyView> {
  const { hash, hint, org, name, scopes, agent, by, now } = key;
  const [row] = await typed(run)
    .insert(apiKeys)
    .values({
      ...{ hash, hint, org, name, scopes: scopes.join(' '), createdAt: now, createdBy: by },
      ...(agent === undefined ? {} : { agent }),
    })
    .returning();
  if (row === undefined) throw new Error('The database did not answer with the key it stored.');
  return keyViewOf(row);
}

async function locked(run: Run, org: string, id: string): Promise<KeyRow | undefined> {
  const [row] = await typed(run)
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.org, org), eq(apiKeys.id, id)))
    .for('update');
  return row;
}

function write(
  run: Run,
  what: 'key_created' | 'key_rotated' | 'key_revoked',
  { org, by, now, id }: { org: string; by: string; now: number; id?: string },
  change: { before?: KeyView; after?: KeyView },
): Promise<void> {
  const subject = `key:${id ?? change.after?.id ?? ''}`;
  return audit(run, { org, subject, at: now, by, what, ...change });
}

function rightsOf(row: KeyRow): Omit<ApiKey, 'org'> {
  return {
    name: row.name,
    id: row.hash.slice(0, 16),
    scopes: KEY_SCOPES.filter((scope) => row.scopes.split(' ').includes(scope)),
    ...(row.agent === null ? {} : { agent: row.agent }),
    ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt }),
  };
}

function keyViewOf(row: KeyRow): KeyView {
  const { hint, createdAt, createdBy, revokedAt, replacedBy } = row;
  return {
    ...rightsOf(row),
    ...(hint === null ? {} : { hint }),
    ...(createdAt === 0 ? {} : { createdAt }),
    ...(createdBy === null ? {} : { createdBy }),
    ...(revokedAt === null ? {} : { revokedAt }),
    ...(replacedBy === null ? {} : { replacedBy }),
  };
}
