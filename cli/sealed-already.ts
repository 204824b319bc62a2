/**
 * A ledger that is sealed already needs its own key: where none is given, a new one is no advice.
 * The fault of the configuration is told with the id of the key, where the database can be asked.
 */
import pg from 'pg';
import { neededKeyId } from '../ledger/seal-check.js';
import { ConfigError } from '../worker/config.js';
import type { Environment } from './ledger-access.js';

const WITHIN_MS = 3_000;
const FAULT = 'KAVACH_SEAL_KEYS is not set';

/** The error as it is to be told; any other than a missing sealing key comes back as it is. */
export async function withNeededKey(error: unknown, env: Environment): Promise<unknown> {
  const databaseUrl = env['DATABASE_URL'];
  if (!(error instanceof ConfigError) || !databaseUrl) return error;
  if (!error.faults.some((fault) => fault.startsWith(FAULT))) return error;
  const id = await askFor(databaseUrl).catch(() => undefined);
  if (id === undefined) return error;
  const told =
    `${FAULT}: expected the key ${id}, with which the ledger of DATABASE_URL is sealed already. ` +
    'Take it from where it is kept, as the seal-keys file of a data folder or of a backup; ' +
    'a new key opens nothing of it';
  return new ConfigError(error.faults.map((fault) => (fault.startsWith(FAULT) ? told : fault)));
}

async function askFor(databaseUrl: string): Promise<string | undefined> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: WITHIN_MS,
    query_timeout: WITHIN_MS,
  });
  pool.on('error', () => undefined);
  try {
    return await neededKeyId(
      async (text) => (await pool.query<Record<string, unknown>>(text)).rows,
    );
  } finally {
    await pool.end();
  }
}
