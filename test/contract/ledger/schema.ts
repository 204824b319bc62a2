/** The typed tables of ledger/schema.ts are those that the migrations made. */
import { is } from 'drizzle-orm';
import { PgTable, getTableConfig } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import * as schema from '../../../ledger/schema.js';
import type { Bed } from './bed.js';

export function schemaContract(bed: Bed): void {
  test('every table of the schema has the columns that the migrations made', async () => {
    const tables = Object.values(schema).filter((each) => is(each, PgTable));
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables) {
      const { name, columns } = getTableConfig(table as PgTable);
      const made = await bed.sql(
        `select column_name as name, data_type as type, is_nullable = 'NO' as required
         from information_schema.columns where table_name = '${name}'`,
      );
      const declared = columns.map((column) => ({
        name: column.name,
        type: column.getSQLType(),
        required: column.notNull,
      }));
      const byName = (a: { name?: unknown }, b: { name?: unknown }) =>
        String(a.name) < String(b.name) ? -1 : 1;
      expect([...made].sort(byName), name).toEqual(declared.sort(byName));
    }
  });
}
