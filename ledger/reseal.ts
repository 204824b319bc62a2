/**
 * Sealing everything again with the ring's first key, so that an old one can be taken away.
 * RS-1. In batches, each value by itself: a run that was broken off goes on where it ended.
 * RS-2. A value that changed meanwhile stays as it is, and one that does not open, too: both are
 *       counted under the key that they need.
 */
import type { Database } from './database.js';
import type { Value } from './literals.js';
import { seal, unseal, type SealKeys } from './seal.js';
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.js';

/** How many values need the key of an id. */
export type NeededKeys = Readonly<Record<string, number>>;

export interface Resealed {
  readonly resealed: number;
  /** By the id of the key that they need: all but the first. */
  readonly left: NeededKeys;
  /** Places that no key of the ring opens, at most ten; they name references, never addresses. */
  readonly unopened: readonly string[];
}

const BATCH = 200;
const SHOWN = 10;

/** `onProgress` is told how many were sealed anew so far. */
export async function reseal(
  db: Database,
  keys: SealKeys,
  onProgress: (resealed: number) => void = () => undefined,
): Promise<Resealed> {
  let resealed = 0;
  const unopened: string[] = [];
  for (const place of SEALED_COLUMNS) {
    for await (const rows of pagesOf(db, place, keys[0].id)) {
      for (const { key, sealed } of rows) {
        const anew = openAndSeal(keys, place.belongsTo(key), sealed);
        if (anew === undefined) unopened.push(place.belongsTo(key));
        else resealed += await replace(db, place, key, sealed, anew);
      }
      onProgress(resealed);
    }
  }
  const { [keys[0].id]: _current, ...left } = await neededKeys(db);
  return { resealed, left, unopened: unopened.slice(0, SHOWN) };
}

/** How many sealed values there are by the id of the key that opens them. */
export async function neededKeys(db: Pick<Database, 'run'>): Promise<NeededKeys> {
  const needed: Record<string, number> = {};
  for (const { table, column } of SEALED_COLUMNS) {
    const rows = await db.run(
      `select split_part(${column}, ':', 1) as id, count(*) as count from ${table}
       where ${column} is not null group by 1 order by 1`,
    );
    for (const { id, count } of rows) {
      needed[String(id)] = (needed[String(id)] ?? 0) + Number(count);
    }
  }
  return needed;
}

/** One sealed value for each key that is needed, to try whether the ring opens it. */
export async function sealedSamples(
  db: Pick<Database, 'run'>,
): Promise<readonly { readonly sealed: string; readonly belongsTo: string }[]> {
  const samples: { sealed: string; belongsTo: string }[] = [];
  for (const place of SEALED_COLUMNS) {
    const names = [...place.key, `${place.column} as sealed`].join(', ');
    const rows = await db.run(
      `select distinct on (split_part(${place.column}, ':', 1)) ${names} from ${place.table}
       where ${place.column} is not null order by split_part(${place.column}, ':', 1)`,
    );
    for (const row of rows) {
      const key = place.key.map((name) => String(row[name]));
      samples.push({ sealed: String(row['sealed']), belongsTo: place.belongsTo(key) });
    }
  }
  return samples;
}

interface SealedRow {
  readonly key: readonly string[];
  readonly sealed: string;
}

/** What is not sealed with the key of that id, in the order of the primary key. */
async function* pagesOf(
  db: Database,
  { table, column, key }: SealedColumn,
  current: string,
): AsyncGenerator<readonly SealedRow[]> {
  const names = key.join(', ');
  const marks = key.map((_, i) => `$${String(i + 2)}`).join(', ');
  let after: readonly string[] | undefined;
  for (;;) {
    const conditions = [
      `${column} is not null and split_part(${column}, ':', 1) <> $1`,
      ...(after === undefined ? [] : [`(${names}) > (${marks})`]),
    ];
    const values: Value[] = [current, ...(after ?? [])];
    const rows = await db.run(
      `select ${[...key, `${column} as sealed`].join(', ')} from ${table}
       where ${conditions.join(' and ')}
       ${key.length === 0 ? '' : `order by ${names} limit ${String(BATCH)}`}`,
      values,
    );
    const page = rows.map((row) => ({
      key: key.map((name) => String(row[name])),
      sealed: String(row['sealed']),
    }));
    if (page.length > 0) yield page;
    if (page.length < BATCH || key.length === 0) return;
    after = page.at(-1)?.key;
  }
}

function openAndSeal(keys: SealKeys, belongsTo: string, sealed: string): string | undefined {
  try {
    return seal(keys, unseal(keys, sealed, belongsTo), belongsTo);
  } catch {
    return undefined;
  }
}

async function replace(
  db: Database,
  { table, column, key }: SealedColumn,
  values: readonly string[],
  sealed: string,
  anew: string,
): Promise<number> {
  const own = key.map((name, i) => ` and ${name} = $${String(i + 3)}`).join('');
  const rows = await db.run(
    `update ${table} set ${column} = $1 where ${column} = $2${own} returning 1 as one`,
    [anew, sealed, ...values],
  );
  return rows.length;
}
