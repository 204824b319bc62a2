/** Deliveries: the one place where an address leaves (L-5), and the record of every attempt. */
import { and, eq, isNull } from 'drizzle-orm';
import type { RenderedMessage } from '../domain/alert/message.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type { Database } from './database.js';
import { unsealDestination } from './destinations.js';
import type { DeliveryRef, OpenedDelivery } from './ledger.js';
import type { Value } from './literals.js';
import { attempts, typed } from './schema.js';
import type { SealKeys } from './seal.js';

/**
 * Everything before a request is on the way of a crossing, so each step is one round trip. What a
 * statement inserts its own selects do not see; of a row that somebody else is inserting right
 * now neither sees anything, and the statement is run once more.
 */
const OPEN = `
with wanted as (
  select coalesce($2, (select reference from default_destination
    where org = $1 and channel = $3)) as reference
), found as (
  select d.reference, d.sealed, d.send_resolved
  from destination d join wanted using (reference) where d.org = $1
), fired as (
  insert into firing (org, period_id, dimension, bps, channel, limits_rev, alert_id)
  select $1, $4, $5, $6::bigint, $3, $7::bigint, $8
  where $9::boolean and exists (select from found)
  on conflict do nothing
  returning alert_id
)
select found.reference, found.sealed, found.send_resolved, message.body, message.content_type,
  coalesce((select alert_id from fired), (select alert_id from firing where org = $1
    and period_id = $4 and dimension = $5 and bps = $6::bigint and channel = $3
    and limits_rev = $7::bigint)) as holder
from found left join delivery message
  on message.org = $1 and message.alert_id = $8 and message.id = $10`;

interface OpenRow {
  readonly reference: string;
  readonly sealed: string;
  readonly send_resolved: boolean;
  readonly body: string | null;
  readonly content_type: string | null;
  readonly holder: string | null;
}

/** C3, T2, T7. Opens the way, or says why nothing is to be sent. */
export async function openDelivery(
  db: Database,
  keys: SealKeys,
  ref: DeliveryRef,
): Promise<OpenedDelivery> {
  const { periodId, dimension, bps, limitsRev } = ref.firing;
  const fires = ref.purpose === 'fire';
  const parameters = [
    ...[ref.org, ref.destination, ref.channel, periodId, dimension, bps, limitsRev],
    ...[ref.alertId, fires, ref.deliveryId],
  ];
  const row = await seen<OpenRow>(db, OPEN, parameters, (each) => !fires || each.holder !== null);
  if (row === undefined) return { type: 'suppressed', reason: 'no_destination' };
  if (!fires && !row.send_resolved) return { type: 'suppressed', reason: 'resolved' };
  // The first alert of a firing keeps it; one from a life before a restore is another.
  if (fires && row.holder !== ref.alertId) return { type: 'suppressed', reason: 'superseded' };
  const destination = unsealDestination(keys, ref.org, row.reference, row.sealed);
  return {
    ...{ type: 'open', destination },
    ...(row.body === null || row.content_type === null
      ? {}
      : { message: { body: row.body, contentType: row.content_type } }),
  };
}

const BEGIN = `
with put as (
  insert into delivery (org, alert_id, id, body, content_type) values ($1, $2, $3, $4, $5)
  on conflict do nothing
  returning body, content_type
), begun as (
  insert into attempt (org, alert_id, delivery_id, attempt, channel, started_at)
  values ($1, $2, $3, $6::bigint, $7, $8::bigint)
  on conflict do nothing
  returning attempt
), stored as (
  select body, content_type from put
  union all select body, content_type from delivery where org = $1 and alert_id = $2 and id = $3
)
select stored.body, stored.content_type,
  not exists (select from begun) and exists (select from attempt where org = $1 and alert_id = $2
    and delivery_id = $3 and attempt = $6::bigint and ended_at is null) as unfinished
from stored limit 1`;

interface BeginRow {
  readonly body: string;
  readonly content_type: string;
  readonly unfinished: boolean;
}

/** A11. The first message of a delivery is the one that is sent, to the byte, on every attempt. */
export async function beginAttempt(
  db: Database,
  ref: DeliveryRef,
  attempt: number,
  message: RenderedMessage,
  now: number,
): Promise<{ message: RenderedMessage; unfinished: boolean }> {
  const { org, alertId, deliveryId, channel } = ref;
  const { body, contentType } = message;
  const parameters = [org, alertId, deliveryId, body, contentType, attempt, channel, now];
  const row =
    (await seen<BeginRow>(db, BEGIN, parameters, () => true)) ??
    (await seen<BeginRow>(db, BEGIN, parameters, () => true));
  if (row === undefined) throw new Error(`Delivery ${deliveryId} was neither stored nor found`);
  return {
    message: { body: row.body, contentType: row.content_type },
    unfinished: row.unfinished,
  };
}

/** The one row of a statement; run once more where it did not see all it should. */
async function seen<R>(
  db: Database,
  text: string,
  parameters: readonly Value[],
  isWhole: (row: R) => boolean,
): Promise<R | undefined> {
  const [row] = (await db.run(text, parameters, { hot: true })) as readonly R[];
  if (row === undefined || isWhole(row)) return row;
  const [again] = (await db.run(text, parameters, { hot: true })) as readonly R[];
  return again;
}

/** The first outcome stands. */
export async function finishAttempt(
  db: Database,
  ref: DeliveryRef,
  attempt: number,
  outcome: Outcome,
  now: number,
): Promise<void> {
  await typed(db.run)
    .update(attempts)
    .set({ endedAt: now, outcome })
    .where(and(ofAttempt(ref, attempt), isNull(attempts.endedAt)));
}

function ofAttempt(ref: DeliveryRef, attempt: number) {
  return and(
    eq(attempts.org, ref.org),
    eq(attempts.alertId, ref.alertId),
    eq(attempts.deliveryId, ref.deliveryId),
    eq(attempts.attempt, attempt),
  );
}
