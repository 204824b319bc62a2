/**
 * What leases are to other statements, as SQL: how ingest holds and settles them, and how much of
 * them counts in a period.
 *
 * LE-5. A lease counts in every period of its agent and organisation whose window meets its own,
 *       and in its run's: also in one that was configured after it was granted.
 */
import { MAX } from './period-sql.js';

/** States in which something may still be counted; the index `lease_held` says the same. */
export const HOLDS = `state in ('open', 'closing', 'abandoned')`;

export const LEASED_COLUMNS = 'lease, lease_seq';

/** One order in every batch (LE-2). The gate makes the next statement wait for all of the locks. */
export const HELD_LEASES = (of: { org: string; ids: string; where: string }): string => `
), lease_row as materialized (
  select l.id, l.agent from lease l
  where l.org = ${of.org} and l.id = any(${of.ids}) and ${of.where}
  order by l.id for update
), lease_gate as materialized (
  select count(*) as held from lease_row
`;

/** A lease that nobody knows, or another agent's: the event counts all the same, and says so. */
export const LEASED_EVENT = (of: { columns: string; from: string; where: string }): string => {
  const columns = of.columns
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== 'flags');
  return `select ${columns.join(', ')},
    case when lease is null or leased then flags else concat_ws(' ', flags, 'unleased') end as flags,
    bucket, ${LEASED_COLUMNS}, leased
  from (
    select e.*, coalesce((e.lease, e.agent) in (select r.id, r.agent from lease_row r), false)
      as leased
    from ${of.from} where (select held >= 0 from lease_gate) and ${of.where}
  ) as e`;
};

/** Ranges kept of a lease's event numbers: whoever leaves more holes never closes by them. */
const MOST_RANGES = 1_000;

/** LE-3. What nothing is left of is closed: its last event came, or all that it may have spent. */
export const SETTLED_LEASES = (of: { org: string; now: string }): string => `
), settling as materialized (
  select e.lease as id, least(sum(e.cost_used), ${MAX})::bigint as cost,
    least(sum(e.input_tokens + e.output_tokens), ${MAX})::bigint as tokens, count(*) as calls,
    coalesce(range_agg(int8range(e.lease_seq, e.lease_seq + 1))
      filter (where e.lease_seq is not null), '{}') as seqs
  from stored join event e using (idempotency_key) where e.leased group by e.lease
), settled as (
  update lease set (settled_cost, settled_tokens, settled_calls, seqs, state, closed_at) = (
    select n.cost, n.tokens, n.calls, n.seqs,
      case when e.ends then 'closed' else lease.state end,
      case when e.ends then ${of.now} else lease.closed_at end
    from (
      select least(lease.settled_cost + s.cost, ${MAX}) as cost,
        least(lease.settled_tokens + s.tokens, ${MAX}) as tokens,
        least(lease.settled_calls + s.calls, ${MAX}) as calls,
        case when (select count(*) from unnest(lease.seqs)) < ${String(MOST_RANGES)}
          then lease.seqs + s.seqs else lease.seqs end as seqs
    ) as n
    cross join lateral (
      select case lease.state when 'closing' then n.seqs @> int8range(1, lease.last_seq + 1)
        when 'abandoned' then n.cost >= lease.granted_cost and n.tokens >= lease.granted_tokens
          and n.calls >= lease.granted_calls
        else false end as ends
    ) as e
  )
  from settling s where lease.org = ${of.org} and lease.id = s.id
`;

/** What of a row of `lease` stays counted (LE-4). */
export const remainderOf = (name: 'cost' | 'tokens' | 'calls', lease = 'l'): string =>
  `greatest(${lease}.granted_${name} - ${lease}.settled_${name}, 0)`;

/** LE-5, of a row `l` of `lease` and a row `p` of `period` whose organisation and agent fit. */
export const MEETS = `(case when p.cadence = 'run' then l.run = p.period
  else l.starts_at < coalesce(p.ends_at, ${MAX}) and coalesce(l.ends_at, ${MAX}) > p.starts_at end)`;

/**
 * The leases that count in the rows of the relation `p`, as columns of `lease` and `period_id`. By
 * organisation or by agent, so that each is found by the index.
 */
export const countedIn = (periods: string): string => `
  select p.id as period_id, l.* from ${periods} p join lease l on l.org = p.org
  where p.scope = 'org' and l.${HOLDS} and ${MEETS}
  union all
  select p.id as period_id, l.* from ${periods} p
    join lease l on l.org = p.org and l.agent = substr(p.scope, 7)
  where p.scope <> 'org' and l.${HOLDS} and ${MEETS}`;

/** Sums over leases `l`, as JSON. */
export const sumOf = (filter = ''): string =>
  `json_build_object(${(['cost', 'tokens', 'calls'] as const)
    .map(
      (name) =>
        `'${name}', least(coalesce(sum(${remainderOf(name)}) ${filter}, 0), ${MAX})::bigint`,
    )
    .join(', ')})`;
