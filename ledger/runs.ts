/** One word about a run's life (B7): started, heartbeat, ended. */
import { periodRowId } from '../domain/ids.js';
import type { Database } from './database.js';
import type { RunReport, Stop, TouchedPeriod } from './ledger.js';
import { claimedPeriodOf, touchedPeriodOf, type ClaimedRow } from './period-row.js';
import { CLAIM_COLUMNS, CROSSING, wakes } from './period-sql.js';
import { agentOf, insertPeriods, lockScopes } from './periods.js';
import { reopenRuns } from './reopen.js';
import { stopsOf } from './stops.js';

/**
 * The timer has to be known at once when the run starts and when it ends; a heartbeat goes with
 * the next report. Claimed only where somebody waits for the run's length.
 */
const TELL = `
update period set
  (run_started_at, run_heard_at, run_open, closes_at, seq, due_at, lease_until, fence, claimed_seq) = (
  select n.started_at, n.heard_at, n.open, greatest(period.closes_at, n.heard_at + $4::bigint),
    period.seq + 1,
    case when period.state = 'parked' then null
      when c.claims or period.state = 'closed' then $3::bigint
      when ${wakes('n.open')} then least(period.due_at, greatest(period.next_at, $3::bigint))
      else greatest(period.closes_at, n.heard_at + $4::bigint) end,
    case when c.claims then $3::bigint + $5::bigint else period.lease_until end,
    period.fence + c.claims::int,
    case when c.claims then period.seq + 1 else period.claimed_seq end
  from (
    select case when $2::text = 'started' then least(period.run_started_at, $3::bigint)
        else period.run_started_at end as started_at,
      greatest(period.run_heard_at, $3::bigint) as heard_at,
      case $2::text when 'started' then true when 'ended' then false else period.run_open end as open
  ) as n
  cross join lateral (
    select $2::text <> 'heartbeat' and period.notify_duration is not null
      and period.state = 'open' and period.lease_until <= $3::bigint
      and (n.open or period.started) as claims
  ) as c
)
where id = $1
returning ${CLAIM_COLUMNS}, ${CROSSING} as crossing, period.claimed_seq = period.seq as claimed`;

export function reportRun(
  db: Database,
  report: RunReport,
  runIdleMs: number,
): Promise<{ period: TouchedPeriod; stopped: readonly Stop[] }> {
  const { seed, what, now, claimMs } = report;
  return db.transaction(async (run) => {
    await lockScopes(run, seed.key.org, [seed.key.scope]);
    await insertPeriods(run, [seed], now, runIdleMs);
    // The end of a run is no sign of a new life.
    if (what !== 'ended') await reopenRuns(run, [{ seed, at: now }], runIdleMs);
    const rows = await run(TELL, [periodRowId(seed.key), what, now, runIdleMs, claimMs]);
    const row = rows[0] as unknown as ClaimedRow & { claimed: boolean };
    const claim = row.claimed ? claimedPeriodOf(row, now) : undefined;
    const agent = agentOf(seed.key.scope);
    const stopped = agent === undefined ? [] : await stopsOf(run, seed.key.org, agent);
    return { period: touchedPeriodOf(row, claim), stopped };
  });
}
