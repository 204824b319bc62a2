/** Messages on their way to people: offered, missed, acknowledged, confirmed (push.ts). */
import type { Outcome } from '../domain/alert/outcome.js';
import type { DeliverAnswer } from '../domain/alert/state.js';
import type { Database } from './database.js';
import { jsonText } from './literals.js';
import {
  PUSH,
  type MissedPush,
  type PushChange,
  type PushChanges,
  type PushConfirmation,
  type PushOffer,
  type PushPerson,
} from './push.js';
import { CLOCK } from './push-sessions.js';

/** How to tell other processes that something changed: a Postgres can, the embedded one cannot. */
export interface PushStore {
  readonly db: Database;
  readonly notifies: boolean;
  /** Told after every change made here. */
  readonly changed: () => void;
}

export const PUSH_TOPIC = 'kavach_push';

/** PU-1. Always before the row of the message, so that no two wait for each other in a ring. */
const next = (where = ''): string => `next as (
  insert into push_rev (id, rev) select 1, 1 ${where}
  on conflict (id) do update set rev = push_rev.rev + 1 returning rev
)`;

const told = (notifies: boolean, from: string): string =>
  notifies ? `, (select count(pg_notify('${PUSH_TOPIC}', '')) from ${from}) as told` : '';

/** PU-2. */
const CONNECTED = `exists (
  select from push_session s join push_gateway g on g.id = s.gateway
  where s.org = $1 and s.recipient = $5 and g.beat_at > ${CLOCK} - ${String(PUSH.staleMs)})`;

const offerText = (notifies: boolean): string => `
with ${next()}, put as (
  insert into push_message (org, id, alert_id, delivery_id, recipient, body, offered_at, rev)
  select $1, $2, $3, $4, $5, $6, $7::bigint, next.rev from next
  on conflict (org, id) do update set offered_at = excluded.offered_at, rev = excluded.rev
    where push_message.acknowledged_at is null
  returning id
)
select exists (select from put) as put, ${CONNECTED} as connected${told(notifies, 'put')}`;

const NOBODY: Outcome = { kind: 'permanent_recipient', reason: 'nobody is connected' };
const CONFIRMED: Outcome = { kind: 'accepted', reason: 'confirmed by the recipient' };
const UNCONFIRMED: Outcome = {
  kind: 'permanent_recipient',
  reason: 'nobody confirmed it in time',
};

export async function offerPush(
  { db, notifies, changed }: PushStore,
  { ref, recipient, id, body }: PushOffer,
  now: number,
): Promise<DeliverAnswer> {
  const { org, alertId, deliveryId } = ref;
  const values = [org, id, alertId, deliveryId, recipient, body, now];
  const [row] = await db.run(offerText(notifies), values, { hot: true });
  changed();
  if (row?.['put'] !== true) return { type: 'sent', outcome: CONFIRMED };
  if (row['connected'] !== true) return { type: 'sent', outcome: NOBODY };
  return { type: 'offered', confirmWithinMs: PUSH.confirmWithinMs };
}

/** A snapshot that has the number has everything up to it (PU-1). */
const UP_TO = `(select coalesce(max(rev), 0) as up_to from push_rev) as r`;

export async function missedPush(
  db: Database,
  { org, recipient }: PushPerson,
  since: number,
  limit: number,
): Promise<MissedPush> {
  const rows = await db.run(
    `select r.up_to, m.id, m.body, m.waiting from ${UP_TO} left join lateral (
       select id, body, offered_at, rev, count(*) over () as waiting from push_message
       where org = $1 and recipient = $2 and offered_at > $3::bigint and acknowledged_at is null
       order by offered_at desc, rev desc limit $4::bigint
     ) as m on true
     order by m.offered_at, m.rev`,
    [org, recipient, since, limit],
  );
  return {
    messages: rows.flatMap(({ id, body }) =>
      typeof id === 'string' ? [{ id, body: String(body) }] : [],
    ),
    waiting: Number(rows[0]?.['waiting'] ?? 0),
    upTo: Number(rows[0]?.['up_to'] ?? 0),
  };
}

export async function pushChanges(
  db: Database,
  gateway: string,
  after: number,
  limit: number,
): Promise<PushChanges> {
  const rows = await db.run(
    `select r.up_to, m.* from ${UP_TO} left join lateral (
       select c.rev, c.org, c.recipient, c.id,
         case when c.acknowledged_at is null then c.body end as body
       from push_message c
       where c.rev > $2::bigint and exists (select from push_session s
         where s.org = c.org and s.recipient = c.recipient and s.gateway = $1)
       order by c.rev limit $3::bigint
     ) as m on true
     order by m.rev`,
    [gateway, after, limit],
    { hot: true },
  );
  const changes = rows.flatMap((row) => (row['rev'] === null ? [] : [changeOf(row)]));
  const last = changes.length < limit ? undefined : changes.at(-1);
  return { changes, upTo: last?.rev ?? Number(rows[0]?.['up_to'] ?? 0) };
}

function changeOf(row: Readonly<Record<string, unknown>>): PushChange {
  const { rev, org, recipient, id, body } = row;
  return {
    ...{ rev: Number(rev), org: String(org), recipient: String(recipient), id: String(id) },
    ...(typeof body === 'string' ? { body } : {}),
  };
}

/** What nobody may acknowledge holds up nobody else's change. */
const OPEN = `where exists (select from push_message
    where org = $1 and id = $2 and recipient = $3 and acknowledged_at is null)`;

/** The attempt's outcome is written with it: what was taken is not offered again (A11). */
const acknowledgeText = (notifies: boolean): string => `
with ${next(OPEN)}, taken as (
  update push_message m set acknowledged_at = $4::bigint, confirm_due_at = $4::bigint + $5::bigint,
    rev = next.rev
  from next
  where m.org = $1 and m.id = $2 and m.recipient = $3 and m.acknowledged_at is null
  returning m.org, m.id, m.alert_id, m.delivery_id
), ended as (
  update attempt a set ended_at = $4::bigint, outcome = $6::jsonb from taken t
  where a.org = t.org and a.alert_id = t.alert_id and a.delivery_id = t.delivery_id
    and a.ended_at is null
)
select taken.*${told(notifies, 'taken')} from taken`;

export async function acknowledgePush(
  { db, notifies, changed }: PushStore,
  { org, recipient }: PushPerson,
  id: string,
  now: number,
  leaseMs: number,
): Promise<PushConfirmation | undefined> {
  const values = [org, id, recipient, now, leaseMs, jsonText(CONFIRMED)];
  const [row] = await db.run(acknowledgeText(notifies), values, { hot: true });
  if (row === undefined) return undefined;
  changed();
  return confirmationOf(row);
}

export async function claimPushConfirmations(
  db: Database,
  request: { readonly now: number; readonly limit: number; readonly leaseMs: number },
): Promise<readonly PushConfirmation[]> {
  const rows = await db.run(
    `update push_message set confirm_due_at = $1::bigint + $3::bigint
     where (org, id) in (
       select org, id from push_message where confirm_due_at <= $1::bigint
       order by confirm_due_at limit $2::bigint for update skip locked)
     returning org, id, alert_id, delivery_id`,
    [request.now, request.limit, request.leaseMs],
  );
  return rows.map(confirmationOf);
}

function confirmationOf(row: Readonly<Record<string, unknown>>): PushConfirmation {
  const { org, id, alert_id: alertId, delivery_id: deliveryId } = row;
  return {
    ...{ org: String(org), id: String(id) },
    ...{ alertId: String(alertId), deliveryId: String(deliveryId) },
  };
}

export async function pushConfirmed(db: Database, { org, id }: PushConfirmation): Promise<void> {
  await db.run('update push_message set confirm_due_at = null where org = $1 and id = $2', [
    org,
    id,
  ]);
}

/** An offer that ended so long ago has been seen by every sweep there could be. */
const SWEPT_MS = 600_000;
/** The gateway's word and the workflow's timer go before. */
const GRACE_MS = 2_000;
const BATCH = 500;

/** Nobody waits for it: what it leaves, the next one takes. */
export async function sweepPush(db: Database, now: number): Promise<void> {
  await db.run(
    `with late as (
       select org, alert_id, delivery_id from push_message
       where offered_at > $1::bigint - ${String(SWEPT_MS)}::bigint
         and offered_at <= $1::bigint - ${String(PUSH.confirmWithinMs + GRACE_MS)}::bigint
         and acknowledged_at is null
     )
     update attempt a set ended_at = $1::bigint, outcome = $2::jsonb from late l
     where a.org = l.org and a.alert_id = l.alert_id and a.delivery_id = l.delivery_id
       and a.ended_at is null`,
    [now, jsonText(UNCONFIRMED)],
  );
  await db.run(
    `with tickets as (
       delete from push_ticket where expires_at <= $1::bigint
     ), gateways as (
       delete from push_gateway where beat_at < ${CLOCK} - ${String(PUSH.forgetMs)}
     ), sessions as (
       delete from push_session s where not exists (select from push_gateway g
         where g.id = s.gateway and g.beat_at >= ${CLOCK} - ${String(PUSH.forgetMs)})
     )
     delete from push_message where (org, id) in (
       select org, id from push_message where offered_at <= $1::bigint - ${String(PUSH.keepMs)}::bigint
       order by offered_at limit ${String(BATCH)} for update skip locked)`,
    [now],
  );
}
