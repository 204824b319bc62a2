/**
 * Opens the service's ledger. What it is, the database says itself: PGlite behind a socket has one
 * session for all and was migrated by its owner before it listened; a Postgres is migrated here.
 */
import pg from 'pg';
import type { Ledger } from '../ledger/ledger.js';
import { migratePostgres } from '../ledger/migrate.js';
import { openLedger, type LedgerOptions } from '../ledger/open.js';
import { refuseForeignKeys } from '../ledger/seal-check.js';
import { parseSealKeys, type SealKeys } from '../ledger/seal.js';

export interface ServiceLedgerOptions {
  readonly databaseUrl: string;
  /** As KAVACH_SEAL_KEYS is written. */
  readonly sealKeys: string;
  readonly runIdleMs: number;
  /** What decides how far an alert goes; what is absent is the default. */
  readonly delivery?: LedgerOptions['delivery'];
}

type Row = Record<string, unknown>;

const CONNECT_MS = 5_000;

/**
 * Rejects when the database cannot be reached, naming the host, never a password; and when it is
 * sealed with another key, naming that: such a process would open no address, and lose alerts.
 */
export async function openServiceLedger(options: ServiceLedgerOptions): Promise<Ledger> {
  const { databaseUrl, runIdleMs, delivery = {} } = options;
  const seal = parseSealKeys(options.sealKeys);
  const embedded = await prepareDatabase(databaseUrl, seal);
  return await openLedger({ databaseUrl, embedded, runIdleMs, seal, delivery });
}

/** Answers whether it is PGlite; migrates it when it is not. */
async function prepareDatabase(databaseUrl: string, seal: SealKeys): Promise<boolean> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_MS,
  });
  pool.on('error', () => undefined);
  try {
    const isEmbedded = await isPglite(pool, databaseUrl);
    if (!isEmbedded) await migratePostgres(pool);
    await refuseForeignKeys(async (text) => (await pool.query<Row>(text)).rows, seal);
    return isEmbedded;
  } finally {
    await pool.end();
  }
}

/**
 * PGlite is a Postgres in WebAssembly, and its version says so. Rejects when nobody answers; the
 * error names the host, never a password.
 */
export async function isPglite(pool: pg.Pool, databaseUrl: string): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ version: string }>('select version()');
    return rows[0]?.version.includes('PGlite') === true;
  } catch (error) {
    const { host, pathname } = new URL(databaseUrl);
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The ledger at ${host}${pathname} cannot be reached (${cause}): is Postgres running there, ` +
        'and is DATABASE_URL right?',
      { cause: error },
    );
  }
}
