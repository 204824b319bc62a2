/**
 * How a lease ends (L4). What its guard cannot know that it did not spend stays counted: until its
 * last event is stored, or all that it may have spent is.
 */
import { fitsIn, maxAmounts, minAmounts, type Amounts } from '../domain/lease/amounts.js';
import type { ClosedLease, LeaseClose } from '../domain/lease/lease.js';
import { audit } from './audit.js';
import type { Database, Run } from './database.js';
import { addHolders } from './lease-holders.js';
import { grantedOf, remainderOf, settledOf } from './lease-room.js';
import { HOLDS } from './lease-sql.js';
import type { CloseResult } from './lease.js';
import type { HolderRow, LeaseRow } from './lease-rows.js';
import { storable } from './literals.js';

/** LE-2. The holder first. `whole`: every event up to the last is stored. */
const LOCK = `
with holder_row as materialized (
  select org, holder, agent, last_n, answer from lease_holder
  where org = $1 and holder = $2 for update
), lease_row as materialized (
  select l.*, l.seqs @> int8range(1, $4::bigint + 1) as whole from lease l
  where l.org = $1 and l.id = $3 and (select count(*) >= 0 from holder_row) for update
)
select (select row_to_json(holder_row) from holder_row) as holder,
  (select row_to_json(lease_row) from lease_row) as lease`;

const WRITE = `
with told as (
  update lease_holder set last_n = $3::bigint, answer = $4, at = $5::bigint
  where org = $1 and holder = $2
)
update lease set state = $7, granted_cost = $8::bigint, granted_tokens = $9::bigint,
  granted_calls = $10::bigint, last_seq = coalesce($11::bigint, last_seq), renewed_at = $5::bigint,
  closed_at = case when $7 = 'closed' then $5::bigint else closed_at end, why = $12
where org = $1 and id = $6`;

type FoundLease = LeaseRow & { readonly whole: boolean };

export async function closeLease(
  db: Database,
  org: string,
  close: LeaseClose,
  now: number,
): Promise<CloseResult> {
  const named = { ...close, agent: storable(close.agent), holder: storable(close.holder) };
  const closed = await db.transaction((run) => closeIn(run, org, named, now));
  if (closed !== undefined) return closed;
  await addHolders(db, [{ org, ask: named }]);
  return (await db.transaction((run) => closeIn(run, org, named, now))) ?? { type: 'stale' };
}

/** Undefined: the holder has no row yet. */
async function closeIn(
  run: Run,
  org: string,
  close: LeaseClose,
  now: number,
): Promise<CloseResult | undefined> {
  const lastSeq = 'lastSeq' in close.end ? close.end.lastSeq : undefined;
  const [row] = await run(LOCK, [org, close.holder, close.lease, lastSeq ?? 0]);
  const { holder, lease: found } = row as unknown as {
    holder: HolderRow | null;
    lease: FoundLease | null;
  };
  if (holder === null) return undefined;
  if (holder.agent !== close.agent || close.n < holder.last_n) return { type: 'stale' };
  if (close.n === holder.last_n) return repeated(holder);
  const isTheirs = found?.holder === close.holder && found.agent === close.agent;
  const ended = isTheirs ? endOf(found, close) : undefined;
  const closed: ClosedLease = { lease: close.lease, state: ended?.state ?? 'unknown' };
  const result: CloseResult = { type: 'closed', closed };
  const { cost, tokens, calls } = ended?.granted ?? { cost: 0, tokens: 0, calls: 0 };
  await run(WRITE, [
    ...[org, close.holder, close.n, JSON.stringify(result), now],
    ...[ended === undefined ? undefined : close.lease, ended?.state ?? 'closed'],
    ...[cost, tokens, calls, lastSeq, ended?.why],
  ]);
  return result;
}

function repeated({ answer }: HolderRow): CloseResult {
  const kept = JSON.parse(answer ?? '{}') as Partial<CloseResult>;
  return kept.type === 'closed' ? (kept as CloseResult) : { type: 'stale' };
}

interface End {
  readonly state: LeaseRow['state'];
  readonly granted: Amounts;
  readonly why: string | undefined;
}

/** One that is over stays as it ended. */
function endOf(lease: FoundLease, { end }: LeaseClose): End {
  const granted = grantedOf(lease);
  if (lease.state === 'closed' || lease.state === 'released') {
    return { state: lease.state, granted, why: lease.why ?? undefined };
  }
  if ('lastSeq' in end) {
    const why = `closed by its guard after event ${String(end.lastSeq)}`;
    return { state: lease.whole ? 'closed' : 'closing', granted, why };
  }
  const settled = settledOf(lease);
  const kept = maxAmounts(settled, minAmounts(end.mark, granted));
  return {
    state: fitsIn(kept, settled) ? 'closed' : 'abandoned',
    granted: kept,
    why: 'given up by its guard, which started again',
  };
}

const RELEASE = `
update lease l set state = 'released', closed_at = $3::bigint, why = 'released by an operator'
from (select * from lease where org = $1 and id = $2 and ${HOLDS} for update) as held
where l.org = held.org and l.id = held.id
returning held.*`;

/** L4. What it holds is taken for not spent; its guard is told `ended` when it asks. */
export function releaseLease(
  db: Database,
  org: string,
  id: string,
  { by, reason, now }: { readonly by: string; readonly reason: string; readonly now: number },
): Promise<boolean> {
  return db.transaction(async (run) => {
    const [row] = await run(RELEASE, [org, id, now]);
    if (row === undefined) return false;
    const lease = row as unknown as LeaseRow;
    await audit(run, {
      ...{ org, subject: `agent:${lease.agent}`, at: now, by, what: 'lease_released' },
      before: { lease: lease.id, state: lease.state, remainder: remainderOf(lease) },
      after: { reason },
    });
    return true;
  });
}
