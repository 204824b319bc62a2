/**
 * Rows of periods that begin with what the book already holds (B8). The sums are exact because
 * the scope's configuration row is locked first: every batch holds it while it is stored, so its
 * events are either all in the sum or all added by the batch itself.
 */
import type { Scope } from '../domain/budget/period-key.js';
import { periodRowId } from '../domain/ids.js';
import type { Database, Run } from './database.js';
import type { ClaimedPeriod, PeriodSeed } from './ledger.js';
import { jsonText } from './literals.js';
import { claimedPeriodOf, type ClaimedRow } from './period-row.js';
import { CLAIM_COLUMNS, CROSSING, MAX } from './period-sql.js';
import { LIMIT_COLUMNS, LIMIT_RECORD, SEED_RECORD, limitColumns, seedColumns } from './seeds.js';

/**
 * Only what has no row is added up, and each sum reads no more than its own window: an agent's events
 * by their index, the organisation's agent by agent. A run that ever had an event has its row
 * (ingest-sql.ts), so a new one begins with nothing.
 */
export const INSERT_PERIODS = `
with s as materialized (
  select * from json_to_recordset($1::json)
    as s (${SEED_RECORD}, ${LIMIT_RECORD}, agent text, since bigint, until bigint)
  where not exists (select from period p where p.id = s.id)
)
insert into period (id, org, scope, cadence, period, generation, name, starts_at, ends_at, zone,
  ${LIMIT_COLUMNS}, own_cost, own_tokens, own_calls, own_first_at, own_last_at, saturated,
  run_heard_at, closes_at, state, due_at)
select s.id, s.org, s.scope, s.cadence, s.period, s.generation, s.name, s.starts_at, s.ends_at,
  s.zone, ${LIMIT_COLUMNS}, least(t.cost, ${MAX}), least(t.tokens, ${MAX}), t.calls, t.first_at,
  t.last_at, t.cost >= ${MAX} or t.tokens >= ${MAX},
  case when s.cadence = 'run' then t.last_at end, n.closes_at,
  case when s.ends_at <= $2::bigint then 'closed' else 'open' end,
  case when t.calls > 0 and coalesce(notify_cost, notify_tokens, notify_calls, notify_duration)
    is not null then $2::bigint else n.closes_at end
from s
cross join lateral (
  select coalesce(sum(cost_used), 0) as cost, coalesce(sum(tokens), 0) as tokens,
    count(*) as calls, min(at) as first_at, max(at) as last_at
  from (
    select e.cost_used, e.input_tokens + e.output_tokens as tokens, e.at
    from usage_event e
    where s.cadence <> 'run' and e.org = s.org and e.agent = s.agent
      and e.at >= s.since and e.at < s.until
    union all
    select e.cost_used, e.input_tokens + e.output_tokens as tokens, e.at
    from usage_total u cross join lateral (
      select * from usage_event e
      where e.org = u.org and e.agent = u.agent and e.at >= s.since and e.at < s.until
    ) as e
    where s.cadence <> 'run' and s.agent is null and u.org = s.org
  ) as e
) as stored
cross join lateral (
  -- What retention took away counts on where no beginning leaves it out (retention.ts).
  select coalesce(sum(g.cost), 0) as cost, coalesce(sum(g.tokens), 0) as tokens,
    coalesce(sum(g.events), 0) as calls, min(g.first_at) as first_at, max(g.last_at) as last_at
  from usage_pruned g
  where s.cadence = 'total' and g.org = s.org and (s.agent is null or g.agent = s.agent)
) as gone
cross join lateral (
  select stored.cost + gone.cost as cost, stored.tokens + gone.tokens as tokens,
    stored.calls + gone.calls as calls, least(stored.first_at, gone.first_at) as first_at,
    greatest(stored.last_at, gone.last_at) as last_at
) as t
cross join lateral (
  select case when s.cadence = 'run' then coalesce(t.last_at, s.starts_at) + $3::bigint
    else s.ends_at end as closes_at
) as n
on conflict (id) do nothing`;

/** Inserts the rows that are not there. The caller holds the scopes' locks. */
export async function insertPeriods(
  run: Run,
  seeds: readonly PeriodSeed[],
  now: number,
  runIdleMs: number,
): Promise<void> {
  if (seeds.length === 0) return;
  const rows = seeds.map((seed) => ({
    ...seedColumns(seed),
    ...limitColumns(seed.limits),
    agent: agentOf(seed.key.scope),
    since: seed.key.cadence === 'total' ? 0 : seed.window.startsAt,
    until: seed.window.endsAt ?? Number.MAX_SAFE_INTEGER,
  }));
  await run(INSERT_PERIODS, [jsonText(rows), now, runIdleMs]);
}

/** The agent of a scope; undefined for the organisation's. */
export function agentOf(scope: Scope): string | undefined {
  return scope === 'org' ? undefined : scope.slice('agent:'.length);
}

/** Takes the scopes' rows, in order, creating what is missing; held until the transaction ends. */
export async function lockScopes(run: Run, org: string, scopes: readonly Scope[]): Promise<void> {
  for (const scope of [...new Set(scopes)].sort()) {
    await run(
      'insert into scope_configuration (org, scope) values ($1, $2) on conflict do nothing',
      [org, scope],
    );
    await run('select from scope_configuration where org = $1 and scope = $2 for update', [
      org,
      scope,
    ]);
  }
}

const FOUND = `select id from period where id in (select json_array_elements_text($1::json))`;

/**
 * Those without a row. After a restart every scope's first batch asks for rows that are there:
 * without this look each would lock its scope and add up its whole period for nothing.
 */
async function withoutRow(
  db: Database,
  seeds: readonly PeriodSeed[],
): Promise<readonly PeriodSeed[]> {
  const ids = seeds.map(({ key }) => periodRowId(key));
  const rows = await db.run(FOUND, [jsonText(ids)], { hot: true });
  const found = new Set(rows.map(({ id }) => id));
  return seeds.filter((_, i) => !found.has(ids[i]));
}

/** B8. Answers when all rows are there. */
export async function ensurePeriods(
  db: Database,
  seeds: readonly PeriodSeed[],
  now: number,
  runIdleMs: number,
): Promise<void> {
  const missing = await withoutRow(db, seeds);
  for (const org of new Set(missing.map(({ key }) => key.org))) {
    const ofOrg = missing.filter(({ key }) => key.org === org);
    await db.transaction(async (run) => {
      await lockScopes(
        run,
        org,
        ofOrg.map(({ key }) => key.scope),
      );
      await insertPeriods(run, ofOrg, now, runIdleMs);
    });
  }
}

/** For a period that a direct sender opened: the row, inserted where it was not. */
export function openPeriod(
  db: Database,
  seed: PeriodSeed,
  now: number,
  runIdleMs: number,
): Promise<ClaimedPeriod> {
  return db.transaction(async (run) => {
    await lockScopes(run, seed.key.org, [seed.key.scope]);
    await insertPeriods(run, [seed], now, runIdleMs);
    const rows = await run(
      `update period set started = true where id = $1
       returning ${CLAIM_COLUMNS}, ${CROSSING} as crossing`,
      [periodRowId(seed.key)],
    );
    return claimedPeriodOf(rows[0] as unknown as ClaimedRow, now);
  });
}
