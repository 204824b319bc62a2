/** What a database of the first version is brought to, on both engines. */
import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { migratePglite, migratePostgres } from '../../ledger/migrate.js';
import { startTestPostgres } from '../support/postgres.js';

/** Usage of two agents, past 2^53 in one of them, a destination, what was synced, and a key. */
const CONTENT = `
create table ledger_migration (name text primary key);
insert into ledger_migration values ('0001-first.sql');
insert into usage_event (org, idempotency_key, agent, provider, model, input_tokens, output_tokens,
  cost_reported, cost_used, duration_ms, status, at, received_at)
values ('acme', 'a', 'bot', 'p', 'm', 1, 2, 0, 5, 0, 's', 1, 1),
  ('acme', 'b', 'bot', 'p', 'm', 3, 4, 0, 6, 0, 's', 1, 1),
  ('acme', 'c', 'big', 'p', 'm', 0, 0, 0, 9007199254740991, 0, 's', 1, 1),
  ('acme', 'd', 'big', 'p', 'm', 0, 0, 0, 1, 0, 's', 1, 1),
  ('other', 'a', 'bot', 'p', 'm', 0, 0, 0, 7, 0, 's', 1, 1);
insert into destination (org, reference, channel, sealed, send_resolved)
values ('acme', 'r', 'email', 's', false);
insert into scope_configuration (org, scope, budgets) values ('acme', 'agent:bot', '[{"a":1}]');
insert into api_key (hash, org, name) values ('0123456789abcdef-and-more', 'acme', 'admin');`;

const first = () =>
  readFile(new URL('../../ledger/migrations/0001-first.sql', import.meta.url), 'utf8');

async function expectBrought(
  query: (sql: string) => Promise<{ rows: readonly unknown[] }>,
): Promise<void> {
  const totals = await query(
    "select concat_ws(' ', org, agent, events, cost, tokens) as row from usage_total order by 1",
  );
  expect(totals.rows).toEqual([
    { row: 'acme big 2 9007199254740991 0' },
    { row: 'acme bot 2 11 10' },
    { row: 'other bot 1 7 0' },
  ]);
  const destinations = await query(
    `select d.health, d.verified, p.held::int from destination d
     join destination_pace p using (org, reference)`,
  );
  expect(destinations.rows).toEqual([{ health: 'ok', verified: true, held: 0 }]);
  // Keys from before rights may do what they always might.
  const keys = await query('select id, scopes, agent, expires_at from api_key');
  const scopes = 'ingest sync read operate admin';
  expect(keys.rows).toEqual([{ id: '0123456789abcdef', scopes, agent: null, expires_at: null }]);
  // Without it the first sync would take everything an agent is held to for a change.
  const layers = await query('select budgets, synced, operator from scope_configuration');
  expect(layers.rows).toEqual([
    { budgets: [{ a: 1 }], synced: [{ a: 1 }], operator: { limits: [], raises: [] } },
  ]);
}

test('PGlite: what is there is counted, and stands as it was', async () => {
  const db = await PGlite.create();
  onTestFinished(() => db.close());
  await db.exec(`${await first()}${CONTENT}`);
  await migratePglite(db);
  await expectBrought((sql) => db.query(sql));
});

test('Postgres: what is there is counted, and stands as it was', async () => {
  const postgres = await startTestPostgres();
  onTestFinished(() => postgres.stop());
  const pool = new pg.Pool({ connectionString: await postgres.createDatabase(), max: 1 });
  try {
    await pool.query(`${await first()}${CONTENT}`);
    await migratePostgres(pool);
    await expectBrought((sql) => pool.query(sql));
  } finally {
    await pool.end();
  }
});
