/**
 * A copy of everything, as it is at one moment: one snapshot over all tables. On Postgres nobody
 * waits for it; on the embedded database whatever else is asked waits until it is written.
 * Sealed values are copied as they are: the keys are not part of it.
 */
import { createBackupWriter, type BackupRow } from './backup-format.js';
import { ledgerTables, MIGRATION_TABLE, quotedName, type Table } from './catalog.js';
import type { Database, Run } from './database.js';
import { neededKeys, type NeededKeys } from './reseal.js';

const PAGE = 500;

export interface BackedUp {
  readonly rows: number;
  readonly tables: Readonly<Record<string, number>>;
  /** Ids of the sealing keys it needs. */
  readonly sealKeys: NeededKeys;
}

/** Writes lines of backup-format.ts; `write` is awaited, so that memory stays bounded. */
export function backup(
  db: Database,
  write: (text: string) => Promise<void>,
  now: number,
): Promise<BackedUp> {
  return db.transaction(async (run) => {
    await run('set transaction isolation level repeatable read, read only');
    const writer = createBackupWriter(write);
    const migrations = await run(`select name from ${MIGRATION_TABLE} order by name`);
    const sealKeys = await neededKeys({ run });
    await writer.header({
      ...{ format: 'kavach-backup', version: 1, at: now, sealKeys },
      migrations: migrations.map(({ name }) => String(name)),
    });
    const tables: Record<string, number> = {};
    for (const table of await ledgerTables(run)) {
      if (table.name === MIGRATION_TABLE) continue;
      await writer.table({
        table: table.name,
        columns: table.columns.map(({ name, type }) => [name, type] as const),
        numbered: await lastNumbers(run, table),
      });
      tables[table.name] = await copyRows(run, table, writer.rows);
    }
    return { rows: await writer.end(), tables, sealKeys };
  });
}

/** Through a cursor: pages of one snapshot, without an order to find them by. */
async function copyRows(
  run: Run,
  { name, columns }: Table,
  write: (rows: readonly BackupRow[]) => Promise<void>,
): Promise<number> {
  const texts = columns.map((column) => `${quotedName(column.name)}::text`).join(', ');
  await run(`declare copied no scroll cursor for select ${texts} from ${name}`);
  let count = 0;
  for (;;) {
    const rows = await run(`fetch ${String(PAGE)} from copied`, [], { rowMode: 'array' });
    if (rows.length > 0) await write(rows as unknown as readonly BackupRow[]);
    count += rows.length;
    if (rows.length < PAGE) break;
  }
  await run('close copied');
  return count;
}

/** Numbers are not given twice, also where their rows are gone. */
async function lastNumbers(run: Run, table: Table): Promise<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const column of table.numbered) {
    const [found] = await run('select pg_get_serial_sequence($1, $2) as name', [
      table.name,
      column,
    ]);
    const [row] = await run(`select last_value, is_called from ${String(found?.['name'])}`);
    if (row?.['is_called'] === true) numbers[column] = Number(row['last_value']);
  }
  return numbers;
}
