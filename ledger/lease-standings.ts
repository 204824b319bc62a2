/**
 * What running guards have to know this second: one statement for all of them, as every gateway
 * asks it several times a second. It reads no row of a period that is over (`period_enforced`).
 */
import { killHolds } from '../domain/budget/hold.js';
import type { Scope } from '../domain/budget/period-key.js';
import type { Killed } from '../domain/budget/state.js';
import type { Database } from './database.js';
import type { GuardStanding, GuardWatch } from './lease.js';
import { nameOf } from './lease-rows.js';
import { countedIn, remainderOf } from './lease-sql.js';
import { storable, textArray } from './literals.js';
import { stopOf, type StopRow } from './stops.js';

/** More is spent and granted than a `block` limit lets, and some of it can still come back. */
const overrun = (name: 'cost' | 'tokens' | 'calls'): string =>
  `(h.${name} > 0 and p.own_${name} + (p.direct->>'${name}')::bigint + h.${name} > p.block_${name})`;

const STANDINGS = `
with w as materialized (
  select * from unnest($1::text[], $2::text[]) as w (org, agent)
), s as materialized (
  select org, 'org' as scope from w union select org, 'agent:' || agent from w
), p as materialized (
  select p.* from s join period p on p.org = s.org and p.scope = s.scope
  where p.state <> 'closed' and p.cadence <> 'run' and (p.killed is not null
      or p.block_cost is not null or p.block_tokens is not null or p.block_calls is not null)
    and p.starts_at <= $3::bigint and (p.ends_at is null or p.ends_at > $3::bigint)
), counted as materialized (${countedIn('p')}
), h as materialized (
  select l.period_id as id, sum(${remainderOf('cost')}) as cost,
    sum(${remainderOf('tokens')}) as tokens, sum(${remainderOf('calls')}) as calls
  from counted l group by l.period_id
), recall as (
  select p.org, p.scope, p.id as "periodId", case
    when ${overrun('cost')} or ${overrun('tokens')} or ${overrun('calls')} then 'overrun'
    when p.wanted_at > $3::bigint - $4::bigint and greatest(h.cost, h.tokens, h.calls) > 0
      then 'wanted' end as why
  from p join h on h.id = p.id order by p.id
), kill as (
  select org, scope, id as "periodId", ends_at as "endsAt", killed, null as run from p
  where killed is not null
  union all
  select p.org, p.scope, p.id, null, p.killed, p.period from s
    join period p on p.org = s.org and p.scope = s.scope
  where p.state <> 'closed' and p.cadence = 'run' and p.killed is not null
)
select (select json_agg(c) from (select org, scope, rev from scope_configuration
    where (org, scope) in (select org, scope from s)) as c) as scopes,
  (select json_agg(kill order by "periodId") from kill) as killed,
  (select json_agg(recall) from recall where why is not null) as recalls,
  (select json_agg(stop) from stop where (org, agent) in (select org, agent from w)) as stops`;

interface OfScope {
  readonly org: string;
  readonly scope: Scope;
}

interface Standings {
  readonly scopes: readonly (OfScope & { rev: number })[] | null;
  readonly killed: readonly (OfScope & KilledRow)[] | null;
  readonly recalls: readonly (OfScope & { periodId: string; why: 'overrun' | 'wanted' })[] | null;
  readonly stops: readonly (StopRow & { org: string })[] | null;
}

interface KilledRow {
  readonly periodId: string;
  readonly endsAt: number | null;
  readonly killed: Killed;
  readonly run: string | null;
}

/** In the order of the watches. */
export async function guardStandings(
  db: Database,
  wantedMs: number,
  watches: readonly GuardWatch[],
  now: number,
): Promise<readonly GuardStanding[]> {
  if (watches.length === 0) return [];
  const [row] = await db.run(STANDINGS, [
    textArray(watches.map(({ org }) => org)),
    textArray(watches.map(({ agent }) => agent)),
    ...[now, wantedMs],
  ]);
  const { scopes, killed, recalls, stops } = row as unknown as Standings;
  const revisions = new Map(
    (scopes ?? []).map(({ org, scope, rev }) => [nameOf(org, scope), String(rev)]),
  );
  const killedOf = byScope(killed ?? []);
  const recallsOf = byScope(recalls ?? []);
  const stopped = new Map((stops ?? []).map((stop) => [nameOf(stop.org, stop.agent), stop]));
  return watches.map((watch) => {
    const agent = storable(watch.agent);
    const names = [nameOf(watch.org, 'org'), nameOf(watch.org, `agent:${agent}`)];
    const stop = stopped.get(nameOf(watch.org, agent));
    return {
      ...watch,
      ...(stop === undefined ? {} : { stopped: stopOf(stop) }),
      killed: names
        .flatMap((name) => killedOf.get(name) ?? [])
        .filter((each) => killHolds(each.killed, agent))
        .map(({ periodId, endsAt, killed: by, run }) => ({
          ...{ periodId, killed: by },
          ...(endsAt === null ? {} : { endsAt }),
          ...(run === null ? {} : { run }),
        })),
      limitsMark: names.map((name) => revisions.get(name) ?? '').join('.'),
      recalls: names
        .flatMap((name) => recallsOf.get(name) ?? [])
        .map(({ periodId, why }) => ({ periodId, why })),
    };
  });
}

function byScope<T extends OfScope>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const each of all) {
    const name = nameOf(each.org, each.scope);
    const known = found.get(name);
    if (known === undefined) found.set(name, [each]);
    else known.push(each);
  }
  return found;
}
