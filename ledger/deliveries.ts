/** Deliveries: the one place where an address leaves (L-5), and the record of every attempt. */
import type { RenderedMessage } from '../domain/alert/message.js';
import type { Database } from './database.js';
import { openStatement, type OpenName, type OpenParts, type OpenRow } from './delivery-sql.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import { unsealDestination } from './destinations.js';
import type { BegunAttempt, DeliveryRef, LedgerSuppression, OpenedDelivery } from './ledger.js';
import type { Value } from './literals.js';
import type { SealKeys } from './seal.js';

const DAY_MS = 86_400_000;

/** C3, T2, T7, T9, A13, A14. Opens the way, or says why nothing is to be sent. */
export async function openDelivery(
  db: Database,
  { keys, policy }: { keys: SealKeys; policy: DeliveryPolicy },
  ref: DeliveryRef,
  now: number,
): Promise<OpenedDelivery> {
  const isPush = ref.channel === 'push';
  if (isPush && ref.recipient === undefined)
    return { type: 'suppressed', reason: 'no_destination' };
  const parts = partsOf(ref);
  const { text, values } = openStatement(parts);
  const parameters = values(parametersOf(ref, policy, now));
  const isWhole = (row: OpenRow): boolean =>
    !parts.firing || row.holder !== null || row.silenced_until !== null;
  const row = await seen<OpenRow>(db, text, parameters, isWhole);
  if (row === undefined) return { type: 'suppressed', reason: 'no_destination' };
  if (row.accepted !== null) return { type: 'delivered', outcome: row.accepted };
  if (row.silenced_until !== null) return { type: 'held', until: row.silenced_until };
  const reason = reasonAgainst(ref, row);
  if (reason !== undefined) return { type: 'suppressed', reason };
  const destination = isPush
    ? { address: '' }
    : unsealDestination(keys, ref.org, row.reference, row.sealed, now);
  return {
    ...{ type: 'open', destination },
    ...(row.body === null || row.content_type === null
      ? {}
      : { message: { body: row.body, contentType: row.content_type } }),
  };
}

/** A14. A kill is never held; PagerDuty folds repeats into one incident by itself. */
function partsOf(ref: DeliveryRef): OpenParts {
  const { purpose, channel, firing, incident, about, waited } = ref;
  const fires = purpose === 'fire';
  const isIncident = channel === 'pagerduty' && incident !== undefined;
  const pace = fires ? paceOf(ref) : undefined;
  return {
    ...(channel === 'push' ? { person: true } : {}),
    firing: fires && firing !== undefined,
    ...(fires && channel !== 'kill' && about !== undefined ? { silence: true } : {}),
    ...(fires && waited !== undefined ? { waited: true } : {}),
    ...(isIncident && fires ? { incident: 'opens' } : {}),
    ...(isIncident && purpose === 'resolve' ? { incident: 'resolves' } : {}),
    ...(pace === undefined ? {} : { pace }),
  };
}

function paceOf({ channel, sumsUp }: DeliveryRef): OpenParts['pace'] {
  if (channel === 'pagerduty' || channel === 'kill' || channel === 'push') return undefined;
  if (channel === 'sms') return sumsUp === true ? 'day' : 'minute and day';
  return sumsUp === true ? undefined : 'minute';
}

function parametersOf(
  ref: DeliveryRef,
  policy: DeliveryPolicy,
  now: number,
): Record<OpenName, Value> {
  const { firing, about, waited } = ref;
  return {
    ...{ org: ref.org, destination: ref.destination, channel: ref.channel },
    ...{ alert: ref.alertId, delivery: ref.deliveryId, incident: ref.incident },
    ...{ period: firing?.periodId, dimension: firing?.dimension, bps: firing?.bps },
    ...{ rev: firing?.limitsRev, now, today: now - (now % DAY_MS) },
    ...{ window: policy.stormWindowMs, limit: policy.stormLimit, cap: policy.smsPerDay },
    ...{ agent: about?.agent, pooled: about?.organisation, cadence: about?.cadence },
    ...{ recipient: waited?.recipient, subject: waited?.subject, same: waited?.about },
    ...{ since: waited?.at, share: waited?.bps },
    ...{ budget: about?.dimension, rule: about?.rule, severity: about?.severity },
  };
}

function reasonAgainst(ref: DeliveryRef, row: OpenRow): LedgerSuppression | undefined {
  if (ref.purpose === 'resolve' && !row.send_resolved) return 'resolved';
  // The first alert of a firing keeps it; one from a life before a restore is another.
  const fires = ref.purpose === 'fire' && ref.firing !== undefined;
  if (fires && row.holder !== ref.alertId) return 'superseded';
  if (row.is_old === true) return 'superseded';
  if (row.health === 'gone') return 'unhealthy_destination';
  if (row.channel === 'email' && !row.verified) return 'unverified';
  if (row.capped === true) return 'daily_cap';
  if (row.storm === true) return 'storm';
  return row.still_firing === true ? 'still_firing' : undefined;
}

/**
 * What a statement inserts its own selects do not see; of a row that somebody else is inserting
 * right now neither sees anything, and the statement is run once more.
 */
const BEGIN = `
with put as (
  insert into delivery (org, alert_id, id, body, content_type, destination)
  select $1, $2, $3, $4, $5, coalesce($9, (select reference from default_destination
    where org = $1 and channel = $7))
  on conflict (org, alert_id, id) do update
    set body = excluded.body, content_type = excluded.content_type,
      destination = coalesce(delivery.destination, excluded.destination)
    where delivery.body is null
  returning body, content_type
), begun as (
  insert into attempt (org, alert_id, delivery_id, attempt, channel, started_at)
  values ($1, $2, $3, $6::bigint, $7, $8::bigint)
  on conflict do nothing
  returning attempt
), stored as (
  select body, content_type from put
  union all select body, content_type from delivery
    where org = $1 and alert_id = $2 and id = $3 and body is not null
)
select stored.body, stored.content_type,
  (select min(started_at) from attempt
    where org = $1 and alert_id = $2 and delivery_id = $3) as begun_at
from stored limit 1`;

interface BeginRow {
  readonly body: string;
  readonly content_type: string;
  /** Of what was there before this statement. */
  readonly begun_at: number | null;
}

/** A11. The first message of a delivery is the one that is sent, to the byte, on every attempt. */
export async function beginAttempt(
  db: Database,
  ref: DeliveryRef,
  attempt: number,
  message: RenderedMessage,
  now: number,
): Promise<BegunAttempt> {
  const { org, alertId, deliveryId, channel, destination } = ref;
  const { body, contentType } = message;
  const sent = [org, alertId, deliveryId, body, contentType];
  const parameters = [...sent, attempt, channel, now, destination];
  const row =
    (await seen<BeginRow>(db, BEGIN, parameters, () => true)) ??
    (await seen<BeginRow>(db, BEGIN, parameters, () => true));
  if (row === undefined) throw new Error(`Delivery ${deliveryId} was neither stored nor found`);
  return {
    message: { body: row.body, contentType: row.content_type },
    ...(row.begun_at === null ? {} : { repeatsSince: row.begun_at }),
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
