import pg from 'pg';
import { expect, test } from 'vitest';
import { processesOf } from '../support/processes.js';
import { startTestPostgres } from '../support/postgres.js';

test('a real Postgres can be had for the tests, with databases of their own', async () => {
  const postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>('select current_database() as name');
  expect(rows[0]?.name).toMatch(/^kavach_test_/);
  await client.end();
  // Other files have servers of their own at the same time: this one is known by its port.
  const port = `port=${new URL(url).port}`;
  const isOurs = process.env['DATABASE_URL_TEST'] === undefined;
  if (isOurs) expect(processesOf(port).length).toBeGreaterThan(0);
  await postgres.stop();
  if (isOurs) expect(processesOf(port)).toEqual([]);
});

test('without one the error says how to get it', async () => {
  const none = startTestPostgres({ PATH: '/nonexistent' }, '/nonexistent');
  await expect(none).rejects.toThrow('DATABASE_URL_TEST');
});
