/** The ledger's contract on a real Postgres, and what only that one can show. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { migratePostgres } from '../../ledger/migrate.js';
import { startTestPostgres } from '../support/postgres.js';
import { lockingContract } from './ledger/locking.js';
import { ledgerContract } from './ledger-suite.js';

ledgerContract(
  'Postgres',
  async () => {
    const postgres = await startTestPostgres();
    const databaseUrl = await postgres.createDatabase();
    const pools = [0, 1, 2].map(() => new pg.Pool({ connectionString: databaseUrl, max: 1 }));
    // From several processes at once, as gateways start.
    await Promise.all(pools.map(migratePostgres));
    await Promise.all(pools.map((pool) => pool.end()));
    return { databaseUrl, embedded: false, stop: () => postgres.stop() };
  },
  lockingContract,
);

test('int8 stays a string for other users of pg in the process', () => {
  const parse = pg.types.getTypeParser(pg.types.builtins.INT8) as (text: string) => unknown;
  expect(parse('1')).toBe('1');
});
