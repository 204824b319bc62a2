/**
 * What scopes are held to. One transaction writes it with its audit entry, brings the open
 * calendar rows to it and inserts the missing ones (B8); runs stay as they began (C3).
 * The scope's row is locked first, and `ingest` holds it too: a batch was placed under what was
 * there when it was stored, or it is not stored.
 */
import { notifyFor } from '../domain/budget/notify.js';
import type { Limits } from '../domain/budget/limits.js';
import type { Scope } from '../domain/budget/period-key.js';
import { limitsOf, type ScopeConfiguration } from '../domain/configuration.js';
import type { Cadence } from '../domain/words.js';
import { audit } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Database, Run } from './database.js';
import type { ConfigureRequest, PeriodSeed } from './ledger.js';
import { jsonText } from './literals.js';
import { durationOf, periodRowOf, type PeriodRow } from './period-row.js';
import { wakes } from './period-sql.js';
import { insertPeriods, lockScopes } from './periods.js';
import { LIMIT_COLUMNS, LIMIT_RECORD, limitColumns } from './seeds.js';

interface ConfigurationRow {
  readonly org: string;
  readonly scope: Scope;
  readonly name: string | null;
  readonly zone: string;
  readonly budgets: ScopeConfiguration['budgets'];
  readonly shown: readonly unknown[] | null;
  readonly rev: number;
  readonly changed_at: number;
}

/** In the order asked for; what is missing is created at revision 0, so that it can be locked. */
export async function configurations(
  db: Database,
  org: string,
  scopes: readonly Scope[],
): Promise<readonly ScopeConfiguration[]> {
  const wanted = jsonText([...new Set(scopes)].sort());
  const read = (): Promise<readonly unknown[]> =>
    db.run(
      `select c.* from scope_configuration c
       where org = $1 and scope in (select json_array_elements_text($2::json))`,
      [org, wanted],
      { hot: true },
    );
  let rows = await read();
  if (rows.length < new Set(scopes).size) {
    await db.run(
      `insert into scope_configuration (org, scope)
       select $1, json_array_elements_text($2::json) on conflict do nothing`,
      [org, wanted],
    );
    rows = await read();
  }
  const byScope = new Map(
    (rows as readonly ConfigurationRow[]).map((row) => [row.scope, configurationOf(row)]),
  );
  return scopes.map((scope) => {
    const found = byScope.get(scope);
    if (found === undefined) throw new Error(`Scope ${scope} of ${org} cannot be kept as a name.`);
    return found;
  });
}

/** C1. The same content changes nothing. */
export function configure(
  db: Database,
  request: ConfigureRequest,
  runIdleMs: number,
): Promise<{ changed: boolean; configuration: ScopeConfiguration }> {
  const { org, scope, name, zone, budgets, shown, by, now } = request;
  return db.transaction(async (run) => {
    await lockScopes(run, org, [scope]);
    const [found] = await run('select * from scope_configuration where org = $1 and scope = $2', [
      org,
      scope,
    ]);
    const before = found as unknown as ConfigurationRow;
    // C2. Somebody else wrote since it was read: the caller reads again.
    if (request.ifRev !== undefined && request.ifRev !== before.rev) {
      return { changed: false, configuration: configurationOf(before) };
    }
    const wanted = { name, zone, budgets, shown };
    if (canonicalJson(contentOf(before)) === canonicalJson(wanted)) {
      return { changed: false, configuration: configurationOf(before) };
    }
    const [written] = await run(
      `update scope_configuration set name = $3, zone = $4, budgets = $5::jsonb,
         shown = $6::jsonb, rev = rev + 1, changed_at = $7::bigint
       where org = $1 and scope = $2 returning *`,
      [
        ...[org, scope, name, zone, jsonText(budgets)],
        ...[shown === undefined ? undefined : jsonText(shown), now],
      ],
    );
    const configuration = configurationOf(written as unknown as ConfigurationRow);
    await updateRows(run, configuration, name, now);
    await insertPeriods(run, seedsOf(request, configuration), now, runIdleMs);
    const entry = { org, subject: scope, at: now, by, what: 'configured' as const };
    await audit(run, { ...entry, before: contentOf(before), after: wanted });
    return { changed: true, configuration };
  });
}

function contentOf(row: ConfigurationRow): Record<string, unknown> {
  return {
    name: row.name ?? undefined,
    zone: row.zone,
    budgets: row.budgets,
    shown: row.shown ?? undefined,
  };
}

function configurationOf(row: ConfigurationRow): ScopeConfiguration {
  const { org, scope, zone, budgets, shown, rev, changed_at } = row;
  return {
    ...{ org, scope, zone, budgets, rev, changedAt: changed_at },
    ...(shown === null ? {} : { shown }),
  };
}

function limitsAt(configuration: ScopeConfiguration, cadence: Cadence): Limits {
  return { rev: configuration.rev, limits: limitsOf(configuration, cadence) };
}

function seedsOf(request: ConfigureRequest, configuration: ScopeConfiguration): PeriodSeed[] {
  return request.windows
    .filter(({ key }) => key.cadence !== 'run')
    .map(({ key, window }) => ({
      key,
      window,
      name: request.name,
      limits: limitsAt(configuration, key.cadence),
    }));
}

const OPEN_ROWS = `
select * from period
where org = $1 and scope = $2 and cadence <> 'run' and state <> 'closed'
  and (closes_at is null or closes_at > $3::bigint)
order by id for update`;

const NEW_NOTIFY = {
  cost: 'l.notify_cost',
  tokens: 'l.notify_tokens',
  calls: 'l.notify_calls',
  duration: 'l.notify_duration',
};

const SET_LIMITS = `
update period set name = $2, seq = period.seq + 1,
  ${LIMIT_COLUMNS.split(',')
    .map((name) => `${name.trim()} = l.${name.trim()}`)
    .join(', ')},
  due_at = case when period.state = 'parked' then null
    when ${wakes('period.run_open', NEW_NOTIFY)} then $3::bigint else period.due_at end
from (select * from json_to_recordset($1::json) as l (id text, ${LIMIT_RECORD})) as l
where period.id = l.id`;

/** A budget that is gone leaves its open row with no limits. */
async function updateRows(
  run: Run,
  configuration: ScopeConfiguration,
  name: string,
  now: number,
): Promise<void> {
  const { org, scope } = configuration;
  const rows = (await run(OPEN_ROWS, [org, scope, now])).map(periodRowOf);
  if (rows.length === 0) return;
  const updates = rows.map((row) => {
    const limits = limitsAt(configuration, row.cadence);
    return { id: row.id, ...limitColumns(limits, nextNotify(row, limits)) };
  });
  await run(SET_LIMITS, [jsonText(updates), name, now]);
}

/** What is passed already the workflow learns from the report that is due now. */
function nextNotify(row: PeriodRow, limits: Limits): ReturnType<typeof notifyFor> {
  const { direct } = row;
  const spent = {
    cost: row.own_cost + direct.cost,
    tokens_total: row.own_tokens + direct.tokens,
    calls: row.own_calls + direct.calls,
    duration: durationOf(row),
  };
  return notifyFor(limits, row.latches, spent, direct);
}
