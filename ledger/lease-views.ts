/** Leases as people see them, the latest first. */
import type { Database } from './database.js';
import { grantedOf, remainderOf, settledOf } from './lease-room.js';
import { HOLDS, MEETS, remainderOf as remainder } from './lease-sql.js';
import type { LeaseLedger, LeaseView } from './lease.js';
import type { LeaseRow } from './lease-rows.js';
import { storable } from './literals.js';

const LEASES = `
select l.* from lease l
where l.org = $1 and ($2::text is null or l.agent = $2)
  and ($3::text is null or exists (select from period p where p.id = $3 and p.org = l.org
    and p.scope in ('org', 'agent:' || l.agent) and ${MEETS}))
  and (not $4::boolean or l.${HOLDS} and
    greatest(${remainder('cost')}, ${remainder('tokens')}, ${remainder('calls')}) > 0)
  and ($8::text is null or l.state = $8)
  and ($5::bigint is null or (l.opened_at, l.id) < ($5::bigint, $6))
order by l.opened_at desc, l.id desc
limit $7::bigint`;

export async function listLeases(
  db: Database,
  vanishedMs: number,
  query: Parameters<LeaseLedger['leases']>[0],
): Promise<readonly LeaseView[]> {
  const { org, agent, periodId, holding = false, state, after, limit, now } = query;
  const rows = await db.run(LEASES, [
    ...[org, agent === undefined ? undefined : storable(agent), periodId, holding],
    ...[after?.openedAt, after?.id, limit, state],
  ]);
  return rows.map((row) => viewOf(row as unknown as LeaseRow, now - vanishedMs));
}

function viewOf(lease: LeaseRow, vanishedBefore: number): LeaseView {
  const isOver = lease.state === 'closed' || lease.state === 'released';
  return {
    ...{ id: lease.id, org: lease.org, agent: lease.agent },
    ...(lease.run === null ? {} : { run: lease.run }),
    ...{ holder: lease.holder, state: lease.state },
    ...{ granted: grantedOf(lease), settled: settledOf(lease), remainder: remainderOf(lease) },
    ...{ periods: lease.periods, openedAt: lease.opened_at, renewedAt: lease.renewed_at },
    expiresAt: lease.expires_at,
    ...(lease.closed_at === null ? {} : { closedAt: lease.closed_at }),
    vanished: !isOver && lease.expires_at < vanishedBefore,
    ...(lease.why === null ? {} : { why: lease.why }),
  };
}
