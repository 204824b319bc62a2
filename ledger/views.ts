/** What people and gateways read of the book. */
import { NOTHING, type Amounts } from '../domain/lease/amounts.js';
import type { Database } from './database.js';
import type { BudgetPage, BudgetView, UsageTotals } from './ledger.js';
import { countedIn, sumOf } from './lease-sql.js';
import {
  durationOf,
  isBlocked,
  keyOf,
  killedOf,
  ownTotalsOf,
  windowOf,
  type PeriodRow,
} from './period-row.js';
import { MAX } from './period-sql.js';

export interface BudgetQuery {
  readonly org: string;
  readonly agent?: string;
  readonly id?: string;
  readonly openOnly?: boolean;
  readonly now: number;
  readonly limit: number;
  readonly after?: BudgetPage;
}

/** T8. The burn rate looks back so far. */
const RECENT_MS = 15 * 60_000;

/**
 * The organisation's recent spend is added up agent by agent: every agent has its row of
 * configuration, and the index on (org, agent, at) does the rest.
 */
const BUDGETS = `
with p as materialized (
  select period.* from period
  where period.org = $1 and ($2::text is null or period.scope = $2)
    and ($3::text is null or period.id = $3)
    and (not $4::boolean or period.state <> 'closed' and
      (period.cadence <> 'run' or jsonb_array_length(period.limits->'limits') > 0))
    and ($7::boolean is null or
      ((period.cadence = 'run'), -period.starts_at, period.id) > ($7::boolean, -$8::bigint, $9))
  order by (period.cadence = 'run'), period.starts_at desc, period.id
  limit $6::bigint
), counted as materialized (${countedIn('p')}
), held as (
  select l.period_id, ${sumOf()} as leased,
    ${sumOf('filter (where l.expires_at < $5::bigint - $10::bigint)')} as vanished,
    count(distinct l.holder) filter (where l.state = 'open' and l.expires_at > $5::bigint) as holders
  from counted l group by l.period_id
)
select p.*, recent.cost as recent_cost, recent.tokens as recent_tokens,
  held.leased, held.vanished, held.holders
from p left join held on held.period_id = p.id
cross join lateral (
  select coalesce(sum(e.cost_used), 0)::bigint as cost,
    coalesce(sum(e.input_tokens + e.output_tokens), 0)::bigint as tokens
  from scope_configuration c
  join usage_event e on e.org = c.org and e.agent = substr(c.scope, 7)
  where c.org = p.org and c.scope like 'agent:%'
    and (p.scope = 'org' or c.scope = p.scope)
    and e.at > $5::bigint - ${String(RECENT_MS)} and e.at >= p.starts_at
    and (p.ends_at is null or e.at < p.ends_at)
    and (p.cadence <> 'run' or e.run = p.period)
) as recent
order by (p.cadence = 'run'), p.starts_at desc, p.id`;

/**
 * Runs last, as every process of an SDK is one, and they would crowd the others out; else the
 * latest first. `agent` names its own budgets, without the organisation's. `openOnly` leaves out
 * runs that are held to nothing.
 */
export async function listBudgets(
  db: Database,
  vanishedMs: number,
  query: BudgetQuery,
): Promise<readonly BudgetView[]> {
  const rows = await db.run(BUDGETS, [
    query.org,
    query.agent === undefined ? undefined : `agent:${query.agent}`,
    query.id,
    query.openOnly ?? false,
    query.now,
    query.limit,
    query.after?.isRun,
    query.after?.startsAt,
    query.after?.id,
    vanishedMs,
  ]);
  return rows.map((row) => budgetViewOf(row as unknown as BudgetRow));
}

type BudgetRow = PeriodRow & {
  readonly saturated: boolean;
  readonly recent_cost: number;
  readonly recent_tokens: number;
  readonly leased_at: number | null;
  readonly unleased_at: number | null;
  readonly leased: Amounts | null;
  readonly vanished: Amounts | null;
  readonly holders: number | null;
};

function budgetViewOf(row: BudgetRow): BudgetView {
  return {
    id: row.id,
    key: keyOf(row),
    window: windowOf(row),
    name: row.name,
    state: row.state,
    own: ownTotalsOf(row),
    direct: row.direct,
    durationMs: durationOf(row),
    limits: row.limits,
    appliedRev: row.applied_rev,
    latches: row.latches,
    firings: row.firing_no,
    ...killedOf(row),
    blocked: isBlocked(row),
    ...(isSaturated(row) ? { saturated: true as const } : {}),
    ...(row.parked_reason === null ? {} : { parkedReason: row.parked_reason }),
    recentCost: row.recent_cost,
    recentTokens: row.recent_tokens,
    leased: row.leased ?? NOTHING,
    holders: row.holders ?? 0,
    vanished: row.vanished ?? NOTHING,
    guarded: guardedBy(row),
  };
}

/** L3. Direct totals have no time: whatever there is of them is past the leases. */
function guardedBy({ leased_at, unleased_at, direct }: BudgetRow): BudgetView['guarded'] {
  if (leased_at === null) return 'none';
  const isDirect = direct.cost + direct.tokens + direct.calls > 0;
  return isDirect || (unleased_at ?? -1) >= leased_at ? 'mixed' : 'leased';
}

/** B1. A row that a single batch filled has the number, and no flag yet. */
function isSaturated(row: BudgetRow): boolean {
  const sums = [row.own_cost, row.own_tokens, row.own_calls];
  return row.saturated || sums.includes(Number.MAX_SAFE_INTEGER);
}

/** Everything counted for an agent (or all), from its running totals; sums past 2^53 stay there (B1). */
export async function usage(db: Database, org: string, agent?: string): Promise<UsageTotals> {
  const rows = await db.run(
    `select coalesce(sum(events), 0)::bigint as events,
       least(coalesce(sum(cost), 0), ${MAX})::bigint as cost,
       least(coalesce(sum(tokens), 0), ${MAX})::bigint as tokens
     from usage_total where org = $1 and ($2::text is null or agent = $2)`,
    [org, agent],
  );
  const totals = rows[0] as { events: number; cost: number; tokens: number };
  const isSaturated = [totals.cost, totals.tokens].includes(Number.MAX_SAFE_INTEGER);
  return { ...totals, ...(isSaturated ? { saturated: true as const } : {}) };
}
