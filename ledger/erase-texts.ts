/** A person's traces in the ledger's texts, table by table and page by page. */
import { quotedName, type Table } from './catalog.js';
import type { Database } from './database.js';
import { ERASED, literally } from './erase-match.js';
import { textArray, type Value } from './literals.js';
import { SEALED_COLUMNS } from './sealed-columns.js';

const PAGE = 5_000;

/** Names that totals and references hang on; what they hold stays, and is told. */
const IDENTITIES: ReadonlySet<string> = new Set([
  ...['org', 'agent', 'run', 'scope', 'cadence', 'period', 'name', 'subject', 'zone', 'channel'],
  ...['lease', 'holder'],
  ...[
    'period_id',
    'alert_id',
    'delivery',
    'delivery_id',
    'destination',
    'reference',
    'key',
    'hash',
  ],
]);

/** `by` of every table, and the same word inside JSON. Answers the rows changed. */
export async function eraseNames(
  db: Database,
  tables: readonly Table[],
  names: readonly string[],
  orgs: Set<string>,
): Promise<number> {
  const words = names.map((name) => literally(JSON.stringify(name)));
  const pattern = `"by": (?:${words.join('|')})`;
  let changed = 0;
  for (const table of tables) {
    const by = table.columns.find(({ name, type }) => name === 'by' && type === 'text');
    const json = table.columns.filter(({ type }) => type === 'jsonb');
    // Only what the statement uses: a parameter that nothing uses has no type.
    const values = [
      ...(by === undefined ? [] : [textArray(names)]),
      ...(json.length === 0 ? [] : [pattern]),
    ];
    const mark = `$${String(values.length)}`;
    const isBy = 't."by" = any($1::text[])';
    const changes = [
      ...(by === undefined
        ? []
        : [{ set: `"by" = case when ${isBy} then '${ERASED}' else t."by" end`, where: isBy }]),
      ...json.map(({ name }) => ({
        set: `${quotedName(name)} = ${replacedJson(name, mark, `"by": "${ERASED}"`, 'g')}`,
        where: `t.${quotedName(name)}::text ~ ${mark}`,
      })),
    ];
    changed += (await change(db, table, { changes, values, orgs })).changed;
  }
  return changed;
}

/** The address in any text; what cannot be changed is counted by `table.column`. */
export async function eraseTexts(
  db: Database,
  tables: readonly Table[],
  pattern: string,
  orgs: Set<string>,
): Promise<{ texts: number; kept: Record<string, number> }> {
  let texts = 0;
  const kept: Record<string, number> = {};
  for (const table of tables) {
    const isKept = (name: string): boolean => table.key.includes(name) || IDENTITIES.has(name);
    const columns = table.columns.filter(
      ({ name, type }) => (type === 'text' || type === 'jsonb') && !isSealed(table.name, name),
    );
    const changes = columns
      .filter(({ name }) => !isKept(name))
      .map(({ name, type }) => ({
        set: `${quotedName(name)} = ${
          type === 'jsonb'
            ? replacedJson(name, '$1', ERASED, 'gi')
            : `regexp_replace(t.${quotedName(name)}, $1, '${ERASED}', 'gi')`
        }`,
        where: `t.${quotedName(name)}::text ~* $1`,
      }));
    const kepts = columns.map(({ name }) => name).filter(isKept);
    const answer = await change(db, table, { changes, values: [pattern], orgs, kepts });
    texts += answer.changed;
    for (const [name, count] of Object.entries(answer.kept)) {
      if (count > 0) kept[`${table.name}.${name}`] = count;
    }
  }
  return { texts, kept };
}

const isSealed = (table: string, column: string): boolean =>
  SEALED_COLUMNS.some((each) => each.table === table && each.column === column);

const replacedJson = (name: string, mark: string, by: string, flags: string): string =>
  `regexp_replace(t.${quotedName(name)}::text, ${mark}, '${by}', '${flags}')::jsonb`;

interface Changes {
  readonly changes: readonly { readonly set: string; readonly where: string }[];
  readonly values: readonly Value[];
  readonly orgs: Set<string>;
  /** Columns in which matches of the first value are only counted. */
  readonly kepts?: readonly string[];
}

/** A page of the primary key at a time, so that no statement is long. */
async function change(
  db: Database,
  table: Table,
  { changes, values, orgs, kepts = [] }: Changes,
): Promise<{ changed: number; kept: Record<string, number> }> {
  const sum = { changed: 0, kept: {} as Record<string, number> };
  if (changes.length + kepts.length === 0 || table.key.length === 0) return sum;
  const key = table.key.map(quotedName).join(', ');
  const types = table.key.map((name) => table.columns.find((each) => each.name === name)?.type);
  let after: readonly Value[] | undefined;
  for (;;) {
    const marks = types.map((type, i) => `$${String(values.length + i + 1)}::${type ?? 'text'}`);
    const [row] = await db.run(
      statement(table, { key, changes, kepts }, after && marks.join(', ')),
      [...values, ...(after ?? [])],
    );
    if (row === undefined) return sum;
    sum.changed += Number(row['changed']);
    for (const name of kepts) {
      sum.kept[name] = (sum.kept[name] ?? 0) + Number(row[`kept ${name}`]);
    }
    for (const org of (row['orgs'] ?? []) as readonly string[]) orgs.add(org);
    if (Number(row['seen']) < PAGE) return sum;
    after = table.key.map((name) => row[name] as Value);
  }
}

function statement(
  { name, columns, key: keys }: Table,
  { key, changes, kepts }: { key: string } & Pick<Required<Changes>, 'changes' | 'kepts'>,
  after: string | undefined,
): string {
  const org = columns.some((column) => column.name === 'org') ? 't.org' : 'null::text';
  const same = keys.map((each) => `t.${quotedName(each)} = page.${quotedName(each)}`).join(' and ');
  const desc = keys.map((each) => `${quotedName(each)} desc`).join(', ');
  const changed =
    changes.length === 0
      ? 'select null::text as org from page where false'
      : `update ${name} t set ${changes.map(({ set }) => set).join(', ')} from page
         where ${same} and (${changes.map(({ where }) => where).join(' or ')})
         returning ${org} as org`;
  const counts = kepts.map(
    (each) =>
      `, (select count(*) from page where page.${quotedName(each)} ~* $1) as "kept ${each}"`,
  );
  const seen = [...new Set([...keys, ...kepts])].map(quotedName).join(', ');
  return `with page as materialized (
    select ${seen} from ${name} ${after === undefined ? '' : `where (${key}) > (${after})`}
    order by ${key} limit ${String(PAGE)}
  ), changed as (${changed})
  select ${key}, (select count(*) from page) as seen, (select count(*) from changed) as changed,
    (select array_agg(distinct org) filter (where org is not null) from changed) as orgs${counts.join('')}
  from page order by ${desc} limit 1`;
}
