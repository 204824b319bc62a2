import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../ledger/database.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';

let postgres: TestPostgres;
let database: Database;
let admin: Database;
const open = (databaseUrl: string): Database =>
  openDatabase({
    ...{ databaseUrl, poolSize: 4, embedded: false, connectMs: 5_000, statementMs: 10_000 },
  });

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = open(await postgres.createDatabase());
  admin = open(postgres.url);
});
afterAll(async () => {
  await database.close();
  await admin.close();
  await postgres.stop();
});

/** Ends the server's side of a connection, and waits until it is gone. */
async function end(pid: number): Promise<void> {
  await admin.run('select pg_terminate_backend($1::int)', [pid]);
  await expect
    .poll(() => admin.run('select pid from pg_stat_activity where pid = $1::int', [pid]))
    .toEqual([]);
}

// An error event nobody listens to would end the process, and with it this file.
test('a connection that breaks while it is in use fails its own work, and nothing else', async () => {
  for (let round = 0; round < 3; round += 1) {
    const broken = database.transaction(async (run) => {
      const [row] = await run('select pg_backend_pid() as pid');
      await end(Number(row?.['pid']));
      // The word of the break comes between two statements, when nobody waits for an answer.
      await new Promise((resolve) => setImmediate(resolve));
      await run('select 1');
    });
    await expect(broken).rejects.toThrow();
  }
  expect(await database.run('select 1 as one')).toEqual([{ one: 1 }]);
});

test('a statement cut off in the middle is rejected, and the next one gets a new connection', async () => {
  const hanging = database.run('select pg_sleep(30), pg_backend_pid()').catch(() => 'rejected');
  const [row] = await expect
    .poll(async () => {
      const rows = await admin.run(
        "select pid from pg_stat_activity where query like 'select pg_sleep%'",
      );
      return rows.length > 0 ? rows : undefined;
    })
    .toBeDefined()
    .then(() => admin.run("select pid from pg_stat_activity where query like 'select pg_sleep%'"));
  await end(Number(row?.['pid']));
  expect(await hanging).toBe('rejected');
  expect(await database.run('select 2 as two')).toEqual([{ two: 2 }]);
});
