/**
 * A copy put into an empty database, all of it or nothing: one transaction, tables included.
 * RE-1. The schema is made as it was when the copy was written, filled, and then migrated on: what
 *       a later migration does to old rows it does to these.
 * RE-2. The restored ledger begins a new epoch: periods that Temporal still runs take its totals
 *       for what they are, and each is told at once. What was claimed is nobody's any more.
 */
import {
  readBackup,
  type BackupHeader,
  type BackupRow,
  type BackupTable,
} from './backup-format.js';
import { MIGRATION_TABLE, quotedName, tableNames } from './catalog.js';
import type { Database, Run } from './database.js';
import { textArray } from './literals.js';
import { readMigrations, type Migration } from './migrate.js';
import { sealedSamples } from './reseal.js';
import { unseal, type SealKeys } from './seal.js';

export interface Restored {
  readonly rows: number;
  readonly tables: Readonly<Record<string, number>>;
  /** Applied after the rows were there. */
  readonly migrated: readonly string[];
}

export interface RestoreOptions {
  readonly header: BackupHeader;
  /** From the first line on; checked before (`checkBackup`). */
  readonly lines: AsyncIterable<string>;
  /** They have to open what is sealed; undefined: its addresses are given up. */
  readonly keys: SealKeys | undefined;
  /** Epoch ms. */
  readonly now: number;
}

const BATCH = 500;

/** Throws, and changes nothing, where there is a ledger already or the keys do not fit. */
export async function restore(db: Database, options: RestoreOptions): Promise<Restored> {
  const { header, lines, keys, now } = options;
  const all = await readMigrations();
  const known = new Set(all.map(({ name }) => name));
  const unknown = header.migrations.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new Error(
      `The backup was made by a later version (${unknown.join(', ')}): restore it with that one.`,
    );
  }
  const then = all.filter(({ name }) => header.migrations.includes(name));
  const since = all.filter(({ name }) => !header.migrations.includes(name));
  return db.transaction(async (run) => {
    await refuseLedger(run);
    await run(`create table if not exists ${MIGRATION_TABLE} (name text primary key)`);
    for (const migration of then) await apply(run, migration);
    const tables = await fill(run, lines);
    for (const migration of since) await apply(run, migration);
    if (keys !== undefined) await refuseKeys(run, keys);
    await beginNewLife(run, now);
    const rows = Object.values(tables).reduce((sum, count) => sum + count, 0);
    return { rows, tables, migrated: since.map(({ name }) => name) };
  });
}

async function refuseLedger(run: Run): Promise<void> {
  const rows = await run(
    `select relname as name from pg_class where relkind in ('r', 'p')
       and relnamespace = current_schema()::regnamespace and relname = any($1::text[]) limit 1`,
    [textArray(await tableNames())],
  );
  if (rows.length > 0) {
    throw new Error(
      'There is a ledger in this database already: a backup is restored into an empty one only.',
    );
  }
}

async function apply(run: Run, { name, sql }: Migration): Promise<void> {
  await run(sql);
  await run(`insert into ${MIGRATION_TABLE} (name) values ($1)`, [name]);
}

async function fill(run: Run, lines: AsyncIterable<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let table: BackupTable | undefined;
  let rows: BackupRow[] = [];
  const flush = async (): Promise<void> => {
    if (table === undefined || rows.length === 0) return;
    await insert(run, table, rows);
    counts[table.table] = (counts[table.table] ?? 0) + rows.length;
    rows = [];
  };
  for await (const line of readBackup(lines)) {
    if (line.type === 'row') {
      rows.push(line.row);
      if (rows.length >= BATCH) await flush();
      continue;
    }
    await flush();
    table = line.table;
    // What a migration wrote there is part of the copy.
    await run(`delete from ${quotedName(table.table)}`);
    await continueNumbers(run, table);
    counts[table.table] = 0;
  }
  await flush();
  return counts;
}

async function insert(
  run: Run,
  { table, columns }: BackupTable,
  rows: readonly BackupRow[],
): Promise<void> {
  const names = columns.map(([name]) => quotedName(name)).join(', ');
  const values = columns.map(([, type], i) => `(r ->> ${String(i)})::${type}`).join(', ');
  await run(
    `insert into ${quotedName(table)} (${names}) overriding system value
     select ${values} from json_array_elements($1::json) as r`,
    [JSON.stringify(rows)],
  );
}

async function continueNumbers(run: Run, { table, numbered }: BackupTable): Promise<void> {
  for (const [column, last] of Object.entries(numbered)) {
    await run('select setval(pg_get_serial_sequence($1, $2), $3::bigint)', [table, column, last]);
  }
}

async function refuseKeys(run: Run, keys: SealKeys): Promise<void> {
  for (const { sealed, belongsTo } of await sealedSamples({ run })) {
    unseal(keys, sealed, belongsTo);
  }
}

/** RE-2. */
async function beginNewLife(run: Run, now: number): Promise<void> {
  await run('update ledger_life set epoch = epoch + 1');
  await run('update period set lease_until = 0, claimed_seq = 0, fence = fence + 1');
  await run(
    `update period set seq = seq + 1, next_at = 0, due_at = $1::bigint
     where state = 'open' and (started or due_at is not null)`,
    [now],
  );
  await run('update alert_outbox set lease_until = 0, fence = fence + 1');
  await beginNewRules(run, now);
}

/** Far more than an organisation changes or raises between a copy and its restoration. */
const AHEAD = 1_000_000;

/**
 * What was changed and raised after the copy used revisions and numbers that it does not know:
 * none of them may come again. What was open was told, or is the running workflow's.
 */
async function beginNewRules(run: Run, now: number): Promise<void> {
  await run('update rule_set set rev = rev + $1::bigint', [AHEAD]);
  await run(
    `update rule_counter set alerts = alerts + $1::bigint, over = alerts + $1::bigint,
       told = alerts + $1::bigint, busy = false`,
    [AHEAD],
  );
  await run(
    `update rule_watch set lease_until = 0, fence = fence + 1, seq = seq + 1, next_at = 0,
       due_at = case when due_at is null then null else $1::bigint end`,
    [now],
  );
}
