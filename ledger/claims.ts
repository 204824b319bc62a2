/**
 * The relay's hold on period rows. L-4: a claim is exclusive until its lease ends; every write
 * under it names its fence, and under an outdated one changes nothing.
 */
import type { Database } from './database.js';
import type { ClaimedPeriod, ClaimRequest } from './ledger.js';
import { claimedPeriodOf, type ClaimedRow } from './period-row.js';
import { CLAIM_COLUMNS, CROSSING, dueAt } from './period-sql.js';

const HOT = { hot: true } as const;

const FREE = `period.due_at <= $1::bigint and period.lease_until <= $1::bigint
  and period.state <> 'parked'`;

/** Crossings first, then every organisation's first, second, … oldest in turn. */
const CLAIM = `
with due as materialized (
  select id, crossing, due_at, row_number() over (
    partition by org, crossing order by due_at, id) as turn
  from (select id, org, due_at, ${CROSSING} as crossing from period where ${FREE}) as free
), picked as materialized (
  select period.id, due.crossing, due.turn, due.due_at from period join due on due.id = period.id
  where ${FREE}
  order by due.crossing desc, due.turn, due.due_at, due.id
  limit $2::bigint for update of period skip locked
)
update period set lease_until = $1::bigint + $3::bigint, fence = period.fence + 1,
  claimed_seq = period.seq
from picked where period.id = picked.id
returning ${CLAIM_COLUMNS}, ${CROSSING} as crossing, picked.turn, picked.due_at as since`;

/** Of equal claims the older one first, as the relay works them off in this order. */
export async function claimPeriods(
  db: Database,
  request: ClaimRequest,
): Promise<readonly ClaimedPeriod[]> {
  const rows = await db.run(CLAIM, [request.now, request.limit, request.leaseMs], HOT);
  const claimed = rows as unknown as readonly (ClaimedRow & { turn: number; since: number })[];
  return [...claimed]
    .sort((a, b) => Number(b.crossing) - Number(a.crossing) || a.turn - b.turn || a.since - b.since)
    .map((row) => claimedPeriodOf(row, request.now));
}

/**
 * A crossing stays leased until the period has published what it made of it (a lease of 0 says
 * that it already has). The lease of the call was short, because who held it may have died; what
 * Temporal took is not lost, and to tell it again soon would only load a server that is slow.
 */
const PUBLISHED_WITHIN_MS = 10_000;
const AWAITED_UNTIL = `$3::bigint + ${String(PUBLISHED_WITHIN_MS)}`;
/** A row that was closed meanwhile awaits nobody: what came too late for it is evaluated now (B4). */
const AWAITS = `($4::boolean and period.state = 'open' and period.lease_until > $3::bigint)`;

/** A row that was closed meanwhile has heard what its last publish says, and no more (B4). */
const TOLD = `case when period.state = 'closed' then period.reported_seq
  else greatest(period.reported_seq, $6::bigint) end`;

const REPORTED = `
update period set started = period.started or $7::boolean, tries = 0, next_at = $3::bigint + $5::bigint,
  reported_seq = ${TOLD},
  lease_until = case when ${AWAITS} then ${AWAITED_UNTIL} else 0 end,
  due_at = case when ${AWAITS} then ${AWAITED_UNTIL}
    else ${dueAt({
      now: '$3::bigint',
      crossing: CROSSING,
      reportedSeq: TOLD,
      nextAt: '$3::bigint + $5::bigint',
      started: '(period.started or $7::boolean)',
    })} end
where id = $1 and fence = $2::bigint and state <> 'parked'`;

export async function periodReported(
  db: Database,
  claim: ClaimedPeriod,
  now: number,
  nextInMs: number,
  isStarted = true,
): Promise<void> {
  const { id, fence, crossing, seq } = claim;
  await db.run(REPORTED, [id, fence, now, crossing, nextInMs, seq, isStarted], HOT);
}

/** A15. A period that nobody watches is told to the operators by the statement that parks it. */
const FAILED = `
with failed as (
  update period set tries = tries + 1, lease_until = 0,
    state = case when $3::boolean then 'parked' else state end,
    parked_reason = case when $3::boolean then $4::text else parked_reason end,
    due_at = case when $3::boolean then null else $5::bigint end
  where id = $1 and fence = $2::bigint and state <> 'parked'
  returning org, id, state
)
insert into operator_notice (org, at, kind, text, once)
select org, $5::bigint, 'period_parked', left('The period ' || id
  || ' was parked: its usage is kept, but nobody watches its thresholds. ' || $4::text, 500),
  id || ' ' || $2::bigint
from failed where state = 'parked'
on conflict do nothing`;

/** Not delivered: tried again later, or parked with its reason until its next life. */
export async function periodFailed(
  db: Database,
  claim: ClaimedPeriod,
  failure: { now: number; backoffMs: number; reason: string; park: boolean },
): Promise<void> {
  await db.run(FAILED, [
    claim.id,
    claim.fence,
    failure.park,
    failure.reason,
    failure.now + failure.backoffMs,
  ]);
}

/**
 * A row whose end moved meanwhile (a run that was heard of again) stays open, unless its workflow
 * is over: nobody will take a report for this life of it again. Then only what the caller has
 * evaluated counts as told, whatever was reported to a workflow that may not have looked.
 */
const END_STATE = `case when $5::boolean or period.closes_at <= $3::bigint
  then 'closed' else 'open' end`;
const END_TOLD = `case when $5::boolean then $4::bigint
  else greatest(period.reported_seq, $4::bigint) end`;
const CLOSED = `
update period set lease_until = 0, tries = 0, state = ${END_STATE}, reported_seq = ${END_TOLD},
  due_at = ${dueAt({
    now: '$3::bigint',
    crossing: `(${CROSSING} and not $5::boolean)`,
    state: `(${END_STATE})`,
    reportedSeq: `(${END_TOLD})`,
  })}
where id = $1 and fence = $2::bigint and state = 'open'`;

export async function closePeriod(
  db: Database,
  claim: ClaimedPeriod,
  now: number,
  hasEnded = false,
): Promise<void> {
  await db.run(CLOSED, [claim.id, claim.fence, now, claim.seq, hasEnded]);
}

/** Rows due and how long the oldest has waited, ms. Held ones are being worked on. */
export async function lag(
  db: Database,
  now: number,
): Promise<{ due: number; oldestMs: number; parked: number }> {
  const rows = await db.run(
    `select (select count(*) from period where ${FREE}) as due,
       (select coalesce(greatest($1::bigint - min(due_at), 0), 0) from period where ${FREE}) as oldest,
       (select count(*) from period where state = 'parked') as parked`,
    [now],
  );
  const row = rows[0] as { due: number; oldest: number; parked: number };
  return { due: row.due, oldestMs: row.oldest, parked: row.parked };
}
