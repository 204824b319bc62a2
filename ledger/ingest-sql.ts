/**
 * The statement that takes a batch: one round trip, one transaction (L-1).
 *
 * Its order matters. The configuration's revisions are held (`for share`) before anything is
 * written, so that a change of configuration sees all of a batch or none (B8). Events and rows
 * are written in the order of their keys, so that two batches never wait for each other in a ring.
 * What a CTE inserts no other one sees: the sums come from RETURNING. Nothing reads `counted`, so
 * it runs last: the totals of an agent, which all its batches share, are locked for the commit only.
 * To `delta` they are one more place of the events: the seed -n is the n-th agent.
 * LE-2, LE-3. A batch whose events name leases has a statement of its own, which holds their rows
 * before it writes anything, and settles what it stores; others pay nothing for it.
 */
import { HELD_LEASES, LEASED_COLUMNS, LEASED_EVENT, SETTLED_LEASES } from './lease-sql.js';
import { CLAIM_COLUMNS, CROSSING, MAX, NOTIFY, passes, wakes } from './period-sql.js';
import { LIMIT_COLUMNS, LIMIT_RECORD, SEED_RECORD } from './seeds.js';

const EVENT_COLUMNS = `idempotency_key, agent, run, provider, model, input_tokens, output_tokens,
  cost_reported, cost_used, price_version, duration_ms, status, at, received_at, flags`;

const LIMITS = LIMIT_COLUMNS.split(',').map((name) => `l.${name.trim()}`);

const SEEDED = {
  cost: 'l.notify_cost',
  tokens: 'l.notify_tokens',
  calls: 'l.notify_calls',
  duration: 'l.notify_duration',
};

const DELTA = {
  cost: 'd.cost',
  tokens: 'd.tokens',
  calls: 'd.calls',
  duration: 'd.last_at - d.first_at',
};

const GROWN = {
  cost: 'n.cost',
  tokens: 'n.tokens',
  calls: 'n.calls',
  duration: 'n.last_at - least(n.first_at, period.run_started_at)',
};

/** Parameters by name -> number, so that the text below can be read. */
const P = {
  org: '$1',
  scopes: '$2::text[]',
  revs: '$3::bigint[]',
  seeds: '$4::json',
  limits: '$5::json',
  memberSeeds: '$6::int[]',
  memberBuckets: '$7::int[]',
  agents: '$8::text[]',
  now: '$9::bigint',
  claimMs: '$10::bigint',
  idleMs: '$11::bigint',
} as const;

const EVENTS = `$12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
  $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[],
  $23::text[], $24::bigint[], $25::bigint[], $26::text[], $27::int[]`;

/** Beside them: what leases the events name, and each of those once. */
const EVENT_LEASES = '$28::text[], $29::bigint[]';
const LEASES = '$30::text[]';

/** What an event adds, per period; capped, so that no later sum leaves bigint (B1). */
const SUMS = `least(sum(cost), ${MAX})::bigint as cost, least(sum(tokens), ${MAX})::bigint as tokens,
  least(sum(calls), ${MAX})::bigint as calls, min(first_at) as first_at, max(last_at) as last_at`;

const GO = '(select current and not reopens from go)';

/** The rows of `event`, and what of a batch with leases comes before and after them. */
const PLAIN = {
  held: '',
  columns: EVENT_COLUMNS,
  event: `select * from unnest(${EVENTS}) as e (${EVENT_COLUMNS}, bucket) where ${GO}`,
  sum: '',
  settled: '',
  unleasedAt: P.now as string,
};
const LEASED = {
  held: HELD_LEASES({ org: P.org, ids: LEASES, where: GO }),
  columns: `${EVENT_COLUMNS}, ${LEASED_COLUMNS}`,
  event: LEASED_EVENT({
    columns: EVENT_COLUMNS,
    from: `unnest(${EVENTS}, ${EVENT_LEASES}) as e (${EVENT_COLUMNS}, bucket, ${LEASED_COLUMNS})`,
    where: GO,
  }),
  sum: ', bool_or(unleased) as unleased',
  settled: SETTLED_LEASES({ org: P.org, now: P.now }),
  unleasedAt: `case when d.unleased then ${P.now} end`,
};

const ingestOf = (batch: typeof PLAIN): string => `
with wanted as materialized (
  select * from unnest(${P.scopes}, ${P.revs}) as w (scope, rev)
), held as materialized (
  select c.scope from scope_configuration c join wanted w on c.scope = w.scope and c.rev = w.rev
  where c.org = ${P.org} order by c.scope for share of c
), seed as materialized (
  select * from json_to_recordset(${P.seeds})
    as s (no int, limits_no int, last_at bigint, ${SEED_RECORD})
), limit_set as materialized (
  select * from json_to_recordset(${P.limits}) as l (limits_no int, ${LIMIT_RECORD})
), reopening as materialized (
  select s.no from seed s join period p on p.id = s.id
  where s.cadence = 'run'
    and ((p.state = 'closed' and s.last_at > coalesce(p.own_last_at, -1)) or s.last_at >= p.closes_at)
), go as materialized (
  select (select count(*) from held) = (select count(*) from wanted) as current,
    exists (select from reopening) as reopens
${batch.held}), event as materialized (
  ${batch.event}
), stored as (
  insert into usage_event (org, ${batch.columns})
  select ${P.org}, ${batch.columns} from event
  on conflict (org, idempotency_key) do nothing
  returning idempotency_key
), bucket_sum as materialized (
  select bucket, ${SUMS}${batch.sum} from (
    select e.bucket, e.cost_used as cost, e.input_tokens + e.output_tokens as tokens, 1 as calls,
      e.at as first_at, e.at as last_at${batch.sum === '' ? '' : ', not e.leased as unleased'}
    from stored join event e using (idempotency_key)
  ) as each group by bucket
), delta as materialized (
  select m.seed_no, ${SUMS}${batch.sum} from unnest(${P.memberSeeds}, ${P.memberBuckets}) as m (seed_no, bucket)
  join bucket_sum using (bucket) group by m.seed_no
${batch.settled}), counted as (
  insert into usage_total (org, agent, events, cost, tokens)
  select ${P.org}, (${P.agents})[-d.seed_no], d.calls, d.cost, d.tokens
  from delta d where d.seed_no < 0 order by d.seed_no desc
  on conflict (org, agent) do update set events = usage_total.events + excluded.events,
    cost = least(usage_total.cost + excluded.cost, ${MAX}),
    tokens = least(usage_total.tokens + excluded.tokens, ${MAX})
), touched as (
  insert into period (id, org, scope, cadence, period, generation, name, starts_at, ends_at, zone,
    ${LIMIT_COLUMNS}, own_cost, own_tokens, own_calls, own_first_at, own_last_at, run_heard_at,
    closes_at, state, due_at, lease_until, fence, claimed_seq, unleased_at)
  select s.id, s.org, s.scope, s.cadence, s.period, s.generation, s.name, s.starts_at, s.ends_at,
    s.zone, ${LIMITS.join(', ')}, d.cost, d.tokens, d.calls, d.first_at, d.last_at,
    case when s.cadence = 'run' then d.last_at end, n.closes_at, n.state,
    case when k.crossing or n.state = 'closed' then ${P.now}
      when s.cadence <> 'run' and coalesce(${Object.values(SEEDED).join(', ')}) is not null
        then ${P.now}
      else n.closes_at end,
    case when k.crossing then ${P.now} + ${P.claimMs} else 0 end, k.crossing::int, k.crossing::int, ${batch.unleasedAt}
  from delta d join seed s on s.no = d.seed_no join limit_set l on l.limits_no = s.limits_no
  cross join lateral (
    select case when s.cadence = 'run' then d.last_at + ${P.idleMs} else s.ends_at end as closes_at,
      case when s.ends_at <= ${P.now} then 'closed' else 'open' end as state
  ) as n
  cross join lateral (select n.state = 'open' and (${passes(DELTA, SEEDED)}) as crossing) as k
  order by s.id
  on conflict (id) do update set
    (own_cost, own_tokens, own_calls, own_first_at, own_last_at, saturated, run_heard_at,
      closes_at, seq, due_at, lease_until, fence, claimed_seq, unleased_at) = (
    select n.cost, n.tokens, n.calls, n.first_at, n.last_at,
      period.saturated or ${MAX} in (n.cost, n.tokens, n.calls), n.heard_at, n.closes_at,
      period.seq + 1,
      case when period.state = 'parked' then null
        when c.crossing or period.state = 'closed' then ${P.now}
        when ${wakes()} then least(period.due_at, greatest(period.next_at, ${P.now}))
        else n.closes_at end,
      case when k.claims then ${P.now} + ${P.claimMs} else period.lease_until end,
      period.fence + k.claims::int,
      case when k.claims then period.seq + 1 else period.claimed_seq end,
      coalesce(excluded.unleased_at, period.unleased_at)
    from (
      select least(period.own_cost + excluded.own_cost, ${MAX}) as cost,
        least(period.own_tokens + excluded.own_tokens, ${MAX}) as tokens,
        least(period.own_calls + excluded.own_calls, ${MAX}) as calls,
        least(period.own_first_at, excluded.own_first_at) as first_at,
        greatest(period.own_last_at, excluded.own_last_at) as last_at,
        greatest(period.run_heard_at, excluded.run_heard_at) as heard_at,
        case when period.cadence = 'run' then greatest(period.closes_at, excluded.closes_at)
          else period.closes_at end as closes_at
    ) as n
    cross join lateral (
      select period.state = 'open' and (${passes(GROWN, NOTIFY)}) as crossing
    ) as c
    cross join lateral (select c.crossing and period.lease_until <= ${P.now} as claims) as k
  )
  returning ${CLAIM_COLUMNS}, ${CROSSING} as crossing, period.claimed_seq = period.seq as claimed
), seen as (
  select p.* from period p join seed s on s.id = p.id
  where not exists (select from delta d where d.seed_no = s.no)
)
select go.current, go.reopens,
  (select count(*) from stored) as stored,
  (select json_agg(touched) from touched) as touched,
  (select json_agg(seen) from seen) as seen,
  (select json_agg(stop) from stop where org = ${P.org} and agent = any(${P.agents})) as stops
from go`;

export const INGEST = ingestOf(PLAIN);

/** Three more parameters: the events' leases, their numbers in them, and each lease once. */
export const INGEST_LEASED = ingestOf(LEASED);
