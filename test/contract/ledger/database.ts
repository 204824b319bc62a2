/** The database under a ledger's bed, as operators' commands open it. */
import { onTestFinished } from 'vitest';
import { openDatabase, type Database } from '../../../ledger/database.js';
import type { Bed } from './bed.js';

/** Closed with the test. */
export async function databaseOf(bed: Bed): Promise<Database> {
  const [row] = await bed.sql('select version() as version');
  const db = openDatabase({
    databaseUrl: bed.databaseUrl(),
    embedded: String(row?.['version']).includes('PGlite'),
    ...{ poolSize: 1, connectMs: 5_000, statementMs: 20_000 },
  });
  onTestFinished(() => db.close());
  return db;
}
