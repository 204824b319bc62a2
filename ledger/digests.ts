/**
 * P3. Who has something waiting, and what is claimed for one mail.
 * LD-1. An item is in exactly one digest: it is claimed in the transaction that makes the digest,
 *       under the lock of its recipient's schedule, and never claimed again.
 * LD-2. A schedule sleeps (`due_at` is null) only while nothing waits: whoever adds an item and
 *       whoever finds that there is none hold the same row.
 * LD-3. One digest of a recipient and cadence is open at a time, and is answered to whoever asks.
 */
import { digestId, digestWorkflowId } from '../domain/ids.js';
import type { ClaimedDigest, DigestEnd, DigestRef } from '../domain/digest/state.js';
import type { Database, Run } from './database.js';
import {
  DIGEST_ITEMS,
  type DigestContents,
  type DigestItem,
  type DigestView,
  type DueDigest,
} from './digest.js';
import type { ClaimRequest } from './ledger.js';
import { storable } from './literals.js';
import { tellOperators } from './notices.js';

const WHOSE = 'org = $1 and recipient = $2 and cadence = $3';
const keyOf = ({ org, recipient, cadence }: DigestRef) => [org, recipient, cadence] as const;

export async function claimDigests(
  db: Database,
  { now, limit, leaseMs }: ClaimRequest,
): Promise<readonly DueDigest[]> {
  const rows = await db.run(
    `update digest_schedule set lease_until = $1::bigint + $3::bigint, fence = fence + 1
     where (org, recipient, cadence) in (
       select org, recipient, cadence from digest_schedule
       where due_at <= $1::bigint and lease_until <= $1::bigint
       order by due_at limit $2::bigint for update skip locked)
     returning org, recipient, cadence, fence, tries`,
    [now, limit, leaseMs],
  );
  return rows as unknown as readonly DueDigest[];
}

/** A plan that came meanwhile has set a later moment: that one stays. */
export async function digestWoken(
  db: Database,
  due: DueDigest,
  now: number,
  watchMs: number,
): Promise<void> {
  await db.run(
    `update digest_schedule set lease_until = 0, tries = 0, reason = null,
       due_at = case when due_at <= $5::bigint then $5::bigint + $6::bigint else due_at end
     where ${WHOSE} and fence = $4::bigint`,
    [...keyOf(due), due.fence, now, watchMs],
  );
}

export async function digestNotWoken(
  db: Database,
  due: DueDigest,
  { now, backoffMs, reason }: { now: number; backoffMs: number; reason: string },
): Promise<void> {
  await db.run(
    `update digest_schedule set lease_until = 0, tries = tries + 1, reason = $6,
       due_at = $5::bigint
     where ${WHOSE} and fence = $4::bigint and due_at is not null`,
    [...keyOf(due), due.fence, now + backoffMs, storable(reason).slice(0, 500)],
  );
}

/** Plans anew whatever waits for the recipient: hour or zone may have changed. */
export async function replanDigests(
  run: Run,
  org: string,
  recipient: string,
  now: number,
): Promise<void> {
  await run(
    `update digest_schedule set due_at = $3::bigint
     where org = $1 and recipient = $2 and due_at > $3::bigint`,
    [org, recipient, now],
  );
}

const WAITS = `
select exists (select from digest where ${WHOSE} and ended_at is null) as begun,
  exists (select from digest_item where ${WHOSE} and digest is null) as waits`;

/** LD-2. */
export function planDigest(
  db: Database,
  ref: DigestRef,
  { now, nextAt, watchMs }: { now: number; nextAt: number; watchMs: number },
): Promise<number | undefined> {
  return db.transaction(async (run) => {
    await hold(run, ref);
    const [found] = await run(WAITS, keyOf(ref));
    const waits = found?.['waits'] === true ? nextAt : undefined;
    const dueAt = found?.['begun'] === true ? now : waits;
    await run(`update digest_schedule set due_at = $4::bigint where ${WHOSE}`, [
      ...[...keyOf(ref), dueAt === undefined ? undefined : dueAt + watchMs],
    ]);
    return dueAt;
  });
}

/** LD-1, LD-3. */
export function claimDigest(
  db: Database,
  ref: DigestRef,
  now: number,
): Promise<ClaimedDigest | undefined> {
  const { org, recipient, cadence } = ref;
  return db.transaction(async (run) => {
    const last = await hold(run, ref);
    const [open] = await run(
      `select id, total from digest where ${WHOSE} and ended_at is null`,
      keyOf(ref),
    );
    if (open !== undefined) return { id: String(open['id']), total: Number(open['total']) };
    const id = digestId(digestWorkflowId(org, recipient, cadence), last + 1);
    const [claimed] = await run(
      `with claimed as (
         update digest_item set digest = $4 where ${WHOSE} and digest is null returning 1
       ) select count(*) as total from claimed`,
      [...keyOf(ref), id],
    );
    const total = Number(claimed?.['total'] ?? 0);
    if (total === 0) return undefined;
    await run(
      `insert into digest (org, id, recipient, cadence, at, total)
       values ($1, $4, $2, $3, $5::bigint, $6::bigint)`,
      [...keyOf(ref), id, now, total],
    );
    await run(`update digest_schedule set last_no = last_no + 1 where ${WHOSE}`, keyOf(ref));
    return { id, total };
  });
}

/** Locks the schedule until the transaction ends; answers the number of its last digest. */
async function hold(run: Run, ref: DigestRef): Promise<number> {
  await run(
    `insert into digest_schedule (org, recipient, cadence) values ($1, $2, $3)
     on conflict do nothing`,
    keyOf(ref),
  );
  const [row] = await run(`select last_no from digest_schedule where ${WHOSE} for update`, [
    ...keyOf(ref),
  ]);
  return Number(row?.['last_no'] ?? 0);
}

const CONTENTS = (whose: string): string => `
select i.alert_id as "alertId", i.at, coalesce(a.facts, o.input->'facts') as facts, n.title
from (select * from digest_item where ${whose}
  order by at desc, alert_id limit ${String(DIGEST_ITEMS)}) i
left join alert a on a.org = i.org and a.id = i.alert_id
left join alert_outbox o on o.id = i.alert_id
left join sent_notice n on n.org = i.org
  and n.alert_id = coalesce(a.facts, o.input->'facts')->>'notice'
order by i.at desc, i.alert_id`;

export async function digestContents(
  db: Database,
  org: string,
  id: string,
): Promise<DigestContents> {
  const rows = await db.run(CONTENTS('org = $1 and digest = $2'), [org, id]);
  const [digest] = await db.run('select total from digest where org = $1 and id = $2', [org, id]);
  return { total: Number(digest?.['total'] ?? rows.length), items: rows.map(itemOf) };
}

export async function waitingContents(db: Database, ref: DigestRef): Promise<DigestContents> {
  const rows = await db.run(CONTENTS(`${WHOSE} and digest is null`), keyOf(ref));
  const [waiting] = await db.run(
    `select count(*) as total from digest_item where ${WHOSE} and digest is null`,
    keyOf(ref),
  );
  return { total: Number(waiting?.['total'] ?? 0), items: rows.map(itemOf) };
}

function itemOf(row: Readonly<Record<string, unknown>>): DigestItem {
  const known = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(known) as unknown as DigestItem;
}

export function endDigest(
  db: Database,
  ref: DigestRef,
  id: string,
  { result, reason }: DigestEnd,
  now: number,
): Promise<void> {
  const { org, recipient, cadence } = ref;
  return db.transaction(async (run) => {
    const [ended] = await run(
      `update digest set ended_at = $3::bigint, result = $4, reason = $5
       where org = $1 and id = $2 and ended_at is null returning total`,
      [org, id, now, result, storable(reason).slice(0, 500)],
    );
    if (ended === undefined) return;
    // What was rendered can be made again of its items, and is sent no more.
    await run('delete from delivery where org = $1 and alert_id = $2', [org, id]);
    if (result !== 'failed') return;
    const text =
      `The ${cadence} digest of ${recipient} with ${String(ended['total'])} alerts was not ` +
      `delivered (${reason}): kavach digest ${recipient} lists it.`;
    await tellOperators(run, org, { kind: 'permanent_failure', text, once: id }, now);
  });
}

export async function listDigests(
  db: Database,
  org: string,
  recipient: string,
  limit: number,
): Promise<readonly DigestView[]> {
  const rows = await db.run(
    `select id, cadence, at, total, ended_at, result, reason from digest
     where org = $1 and recipient = $2 order by at desc, id limit $3::bigint`,
    [org, recipient, limit],
  );
  return rows.map((row) => {
    const {
      ended_at: at,
      result,
      reason,
      ...view
    } = row as unknown as DigestView & {
      readonly ended_at: number | null;
      readonly result: DigestEnd['result'];
      readonly reason: string;
    };
    return at === null ? view : { ...view, end: { result, reason, at } };
  });
}
