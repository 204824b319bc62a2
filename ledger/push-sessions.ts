/** Tickets, and the sockets they let in: who is connected, and through which gateway (push.ts). */
import type { Database } from './database.js';
import { numberArray, textArray } from './literals.js';
import {
  PUSH,
  type NewPushSession,
  type NewPushTicket,
  type PushSession,
  type RedeemedTicket,
} from './push.js';

/** The database's own, epoch ms: clocks of machines differ, and beats are compared across them. */
export const CLOCK = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export async function putPushTicket(
  db: Database,
  { hash, org, recipient, expiresAt }: NewPushTicket,
): Promise<void> {
  await db.run(
    'insert into push_ticket (hash, org, recipient, expires_at) values ($1, $2, $3, $4::bigint)',
    [hash, org, recipient, expiresAt],
  );
}

/** PU-4, and PU-2: the gateway's beat comes with its first session. */
const REDEEM = `
with used as (
  delete from push_ticket where hash = $1 and expires_at > $2::bigint returning org, recipient
), beat as (
  insert into push_gateway (id, beat_at) select $4, ${CLOCK} from used
  on conflict (id) do update set beat_at = excluded.beat_at
), others as materialized (
  select count(*) as open from push_session s
  join push_gateway g on g.id = s.gateway and g.beat_at > ${CLOCK} - ${String(PUSH.staleMs)}
  join used u on u.org = s.org and u.recipient = s.recipient
), opened as (
  insert into push_session (id, org, recipient, gateway, opened_at)
  select $3, used.org, used.recipient, $4, $2::bigint from used cross join others
  where others.open < $5::bigint
  returning id
)
select used.org, used.recipient, exists (select from opened) as opened from used`;

export async function redeemPushTicket(
  db: Database,
  hash: string,
  { id, gateway }: NewPushSession,
  most: number,
  now: number,
): Promise<RedeemedTicket> {
  const [row] = await db.run(REDEEM, [hash, now, id, gateway, most], { hot: true });
  if (row === undefined) return { type: 'unknown' };
  if (row['opened'] !== true) return { type: 'full' };
  const { org, recipient } = row as { org: string; recipient: string };
  return { type: 'opened', session: { id, gateway, org, recipient, openedAt: now } };
}

export async function beatPush(db: Database, gateway: string): Promise<'known' | 'new'> {
  const [row] = await db.run(
    `with was as materialized (
       select exists (select from push_gateway where id = $1) as known
     ), beat as (
       insert into push_gateway (id, beat_at) values ($1, ${CLOCK})
       on conflict (id) do update set beat_at = excluded.beat_at
     )
     select known from was`,
    [gateway],
    { hot: true },
  );
  return row?.['known'] === true ? 'known' : 'new';
}

export async function putPushSessions(
  db: Database,
  sessions: readonly PushSession[],
): Promise<void> {
  await db.run(
    `insert into push_session (id, org, recipient, gateway, opened_at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
     on conflict do nothing`,
    [
      textArray(sessions.map(({ id }) => id)),
      textArray(sessions.map(({ org }) => org)),
      textArray(sessions.map(({ recipient }) => recipient)),
      textArray(sessions.map(({ gateway }) => gateway)),
      numberArray(sessions.map(({ openedAt }) => openedAt)),
    ],
  );
}

export async function endPushSessions(db: Database, ids: readonly string[]): Promise<void> {
  await db.run('delete from push_session where id = any($1::text[])', [textArray(ids)]);
}

export async function endPushGateway(db: Database, gateway: string): Promise<void> {
  await db.run(
    `with ended as (delete from push_session where gateway = $1)
     delete from push_gateway where id = $1`,
    [gateway],
  );
}
