/** API keys, known by the SHA-256 of what their holder shows; the key itself is never here. */
import { and, eq, isNull } from 'drizzle-orm';
import type { Database } from './database.js';
import type { ApiKey } from './ledger.js';
import { apiKeys, typed } from './schema.js';

export async function findApiKey(db: Database, hash: string): Promise<ApiKey | undefined> {
  const [row] = await typed(db.run)
    .select({ org: apiKeys.org, name: apiKeys.name })
    .from(apiKeys)
    .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)));
  return row;
}

/** A key that is there stays as it is: a revoked one does not come back. */
export async function putApiKey(db: Database, hash: string, key: ApiKey): Promise<void> {
  await typed(db.run)
    .insert(apiKeys)
    .values({ hash, ...key })
    .onConflictDoNothing();
}
