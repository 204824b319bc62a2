/**
 * The ledger as operators' commands reach it, whether or not the service runs: DATABASE_URL, else
 * the embedded one of the data folder where it listens, else that one started for the command.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabase, type Database } from '../ledger/database.js';
import { parseSealKeys, type SealKeys } from '../ledger/seal.js';
import { keptAddress } from './data-folder.js';
import { CliError } from './errors.js';
import { readKeyFile } from './key-files.js';
import { isPglite } from './service-ledger.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface OpenedLedger {
  readonly db: Database;
  readonly embedded: boolean;
  readonly databaseUrl: string;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
/** Of one statement: operators' commands look at whole tables. */
const STATEMENT_MS = 120_000;

export function dataDirOf(env: Environment): string {
  return env['KAVACH_DATA_DIR'] || '.kavach';
}

/** Throws a CliError that says where it looked; an embedded one is migrated when it is started. */
export async function openOperatedLedger(env: Environment): Promise<OpenedLedger> {
  const given = env['DATABASE_URL'];
  if (given) return open(given, () => Promise.resolve());
  const dataDir = dataDirOf(env);
  const running = await runningLedger(env);
  if (running !== undefined) return open(running, () => Promise.resolve());
  if (!existsSync(join(dataDir, 'ledger'))) {
    throw new CliError(
      `There is no ledger: DATABASE_URL is not set, and ${dataDir} holds none. ` +
        'KAVACH_DATA_DIR names another data folder, `kavach up` makes one',
    );
  }
  const { startLedgerServer } = await import('./embedded/ledger-server.js');
  const server = await startLedgerServer({ dataDir });
  return open(server.databaseUrl, () => server.stop()).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
}

/** The address of the data folder's ledger, where it is running. */
export async function runningLedger(env: Environment): Promise<string | undefined> {
  const address = keptAddress(dataDirOf(env), 'ledger-address');
  if (address === undefined) return undefined;
  return (await probe(address).catch(() => false)) ? address : undefined;
}

async function open(databaseUrl: string, end: () => Promise<void>): Promise<OpenedLedger> {
  const embedded = await probe(databaseUrl);
  const db = openDatabase({
    ...{ databaseUrl, embedded, poolSize: 1, connectMs: CONNECT_MS, statementMs: STATEMENT_MS },
  });
  const close = async (): Promise<void> => {
    await db.close();
    await end();
  };
  return { db, embedded, databaseUrl, close };
}

/** Whether it is PGlite; rejects when nobody answers. */
async function probe(databaseUrl: string): Promise<boolean> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
  });
  pool.on('error', () => undefined);
  try {
    return await isPglite(pool, databaseUrl);
  } finally {
    await pool.end();
  }
}

/** KAVACH_SEAL_KEYS, else the file of the data folder. Throws a CliError where there is neither. */
export function operatedSealKeys(env: Environment): SealKeys {
  const file = join(dataDirOf(env), 'seal-keys');
  const text = env['KAVACH_SEAL_KEYS'] || readKeyFile(file);
  if (text === undefined) {
    throw new CliError(
      `There is no sealing key: KAVACH_SEAL_KEYS is not set, and there is no ${file}. ` +
        'Without the keys of this ledger its addresses cannot be opened',
    );
  }
  try {
    return parseSealKeys(text);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
}
