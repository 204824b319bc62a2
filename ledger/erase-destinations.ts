/** The destinations of an erased address, and what was rendered for them or points to them. */
import type { AlertRoute, Escalation } from '../domain/alert/state.js';
import type { Database, Run } from './database.js';
import { destinationPlace } from './destinations.js';
import { ERASED } from './erase-match.js';
import { jsonText } from './literals.js';
import { seal, unseal, type SealKeys } from './seal.js';
import type { SealedDestination } from './secrets.js';

const BATCH = 500;

export interface ErasedDestinations {
  readonly destinations: number;
  readonly messages: number;
  readonly routes: number;
  readonly unopened: number;
}

interface Row {
  readonly org: string;
  readonly reference: string;
  readonly sealed: string;
}

/** Adds the organisations it has changed to `orgs`. */
export async function eraseDestinations(
  db: Database,
  keys: SealKeys,
  pattern: string,
  orgs: Set<string>,
): Promise<ErasedDestinations> {
  const sum = { destinations: 0, messages: 0, routes: 0, unopened: 0 };
  const search = new RegExp(pattern, 'i');
  for await (const row of all(db)) {
    const { org, reference } = row;
    const text = opened(keys, row);
    if (text === undefined) sum.unopened += 1;
    if (text === undefined || !search.test(text)) continue;
    orgs.add(org);
    const destination = JSON.parse(text) as SealedDestination;
    if (!search.test(destination.address)) {
      await rewrite(db, keys, row, text.replace(new RegExp(pattern, 'gi'), ERASED));
      continue;
    }
    const { messages, routes } = await db.transaction((run) =>
      eraseDestination(run, org, reference),
    );
    sum.destinations += 1;
    sum.messages += messages;
    sum.routes += routes;
  }
  return sum;
}

/** Every destination, in the order of its key, a page at a time. */
async function* all(db: Database): AsyncGenerator<Row> {
  let after = ['', ''];
  for (;;) {
    const rows = (await db.run(
      `select org, reference, sealed from destination where (org, reference) > ($1, $2)
       order by org, reference limit ${String(BATCH)}`,
      after,
    )) as unknown as readonly Row[];
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    after = [last.org, last.reference];
  }
}

function opened(keys: SealKeys, { org, reference, sealed }: Row): string | undefined {
  try {
    return unseal(keys, sealed, destinationPlace(org, reference));
  } catch {
    return undefined;
  }
}

/** A template that mentions the address loses the mention, and goes on being sent. */
async function rewrite(db: Database, keys: SealKeys, row: Row, text: string): Promise<void> {
  const { org, reference, sealed } = row;
  const anew = seal(keys, text, destinationPlace(org, reference));
  await db.run(
    'update destination set sealed = $4 where org = $1 and reference = $2 and sealed = $3',
    [org, reference, sealed, anew],
  );
}

/** With what was rendered for it, and whatever points to it. */
export async function eraseDestination(
  run: Run,
  org: string,
  reference: string,
): Promise<{ messages: number; routes: number }> {
  const one = [org, reference];
  const deleteFrom = async (table: string, column: string): Promise<number> => {
    const text = `delete from ${table} where org = $1 and ${column} = $2 returning 1 as one`;
    return (await run(text, one)).length;
  };
  const operators = await removeFromOperators(run, org, reference);
  const defaults = await deleteFrom('default_destination', 'reference');
  const messages = await deleteFrom('delivery', 'destination');
  await deleteFrom('contact', 'reference');
  await deleteFrom('destination_pace', 'reference');
  await deleteFrom('destination', 'reference');
  return { messages, routes: operators + defaults };
}

async function removeFromOperators(run: Run, org: string, reference: string): Promise<number> {
  const [row] = await run(
    'select operators, escalation from organisation where org = $1 for update',
    [org],
  );
  if (row === undefined) return 0;
  const { operators, escalation } = row as {
    operators: readonly AlertRoute[];
    escalation: Escalation | null;
  };
  const others = (routes: readonly AlertRoute[]): readonly AlertRoute[] =>
    routes.filter(({ destination }) => destination !== reference);
  const rest = others(operators);
  const levels = escalation?.levels.map((level) => ({ ...level, routes: others(level.routes) }));
  const next = levels === undefined ? undefined : { ...escalation, levels };
  await run(
    'update organisation set operators = $2::jsonb, escalation = $3::jsonb where org = $1',
    [org, jsonText(rest), next === undefined ? undefined : jsonText(next)],
  );
  return operators.length - rest.length;
}
