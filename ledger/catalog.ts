/**
 * Our tables as the database has them, for what goes over all of them: backup, restore, erasure.
 * Their names are those the migrations make, so that a database shared with others stays theirs.
 */
import type { Run } from './database.js';
import { readMigrations } from './migrate.js';
import { textArray } from './literals.js';

export interface TableColumn {
  readonly name: string;
  /** As a cast writes it: `bigint`, `jsonb`, `text`. */
  readonly type: string;
}

export interface Table {
  readonly name: string;
  /** Without those that the database computes. */
  readonly columns: readonly TableColumn[];
  /** The primary key, in order. */
  readonly key: readonly string[];
  /** Columns whose next number the database gives. */
  readonly numbered: readonly string[];
}

/** What migrations are noted in: not part of the book. */
export const MIGRATION_TABLE = 'ledger_migration';

const COLUMNS = `
select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
  a.attidentity <> '' as numbered,
  array_position((select i.indkey::smallint[] from pg_index i
    where i.indrelid = c.oid and i.indisprimary), a.attnum) as place
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
  and c.relname = any($1::text[]) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum`;

interface ColumnRow {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly numbered: boolean;
  readonly place: number | null;
}

/** In the order of their names. */
export async function ledgerTables(run: Run): Promise<readonly Table[]> {
  const rows = (await run(COLUMNS, [textArray(await tableNames())])) as unknown as ColumnRow[];
  const tables = new Map<string, ColumnRow[]>();
  for (const row of rows) tables.set(row.table, [...(tables.get(row.table) ?? []), row]);
  return [...tables].map(([name, columns]) => ({
    name,
    columns: columns.map(({ column, type }) => ({ name: column, type })),
    key: columns
      .filter(({ place }) => place !== null)
      .sort((a, b) => (a.place ?? 0) - (b.place ?? 0))
      .map(({ column }) => column),
    numbered: columns.filter(({ numbered }) => numbered).map(({ column }) => column),
  }));
}

const CREATES = /^\s*create table (?:if not exists )?(\w+)/gim;

/** Every table that any migration has made; one that a later migration dropped is just not there. */
export async function tableNames(): Promise<readonly string[]> {
  const names = (await readMigrations()).flatMap(({ sql }) =>
    Array.from(sql.matchAll(CREATES), ([, name]) => name ?? ''),
  );
  return [...new Set(names)].sort();
}

/** `"by"`: some of our names are words of SQL. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
