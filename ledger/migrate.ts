/**
 * Brings a database to today's schema. Files of `migrations/` are applied in the order of their
 * names, each once and in one transaction with its entry in `ledger_migration`; one that was
 * applied is never edited.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Pool } from 'pg';

/** What PGlite offers of itself; the embedded process passes its instance. */
export interface EmbeddedDatabase {
  exec(sql: string): Promise<unknown>;
  query(sql: string): Promise<{ rows: unknown[] }>;
}

interface Session {
  exec(sql: string): Promise<unknown>;
  names(sql: string): Promise<readonly string[]>;
}

const FOLDER = new URL('./migrations/', import.meta.url);
/** Any number, as long as nothing else in the database locks the same one. */
const LOCK = 7_208_115_303;

/** Run by the process that owns PGlite, before it listens. */
export async function migratePglite(db: EmbeddedDatabase): Promise<void> {
  await migrate({
    exec: (sql) => db.exec(sql),
    names: async (sql) => namesOf((await db.query(sql)).rows),
  });
}

/** Safe to call from every process at once: an advisory lock lets one through at a time. */
export async function migratePostgres(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(`select pg_advisory_lock(${String(LOCK)})`);
    try {
      await migrate({
        exec: (sql) => client.query(sql),
        names: async (sql) => namesOf((await client.query(sql)).rows),
      });
    } finally {
      await client.query(`select pg_advisory_unlock(${String(LOCK)})`);
    }
  } finally {
    client.release();
  }
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** All there are, in the order in which they are applied. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, FOLDER), 'utf8') })),
  );
}

async function migrate(session: Session): Promise<void> {
  await session.exec('create table if not exists ledger_migration (name text primary key)');
  const applied = new Set(await session.names('select name from ledger_migration'));
  for (const { name, sql } of await readMigrations()) {
    if (applied.has(name)) continue;
    const entry = `insert into ledger_migration (name) values ('${name}');`;
    await session.exec(`begin;\n${sql}\n${entry}\ncommit;`).catch(async (error: unknown) => {
      await session.exec('rollback');
      throw new Error(`Migration ${name} failed; the database is as it was before it.`, {
        cause: error,
      });
    });
  }
}

function namesOf(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => String((row as { name: unknown }).name));
}
