/**
 * The inbox of callbacks: stored before they are answered, carried out by the relay.
 * CB-1. An event of a provider's is one row: repeats are known for as long as the row is kept.
 * CB-2. A claim is exclusive until its lease ends; work under an outdated fence changes nothing.
 */
import type { CallbackProvider, CallbackWord, ClaimedCallback, NewCallback } from './callback.js';
import type { ClaimRequest } from './claimed-period.js';
import type { Database } from './database.js';
import { jsonText } from './literals.js';

export async function putCallback(
  db: Database,
  { provider, eventId, word }: NewCallback,
  now: number,
  timeoutMs: number,
): Promise<'stored' | 'known'> {
  const rows = await db.run(
    `insert into callback (provider, event_id, word, received_at, due_at)
     values ($1, $2, $3::jsonb, $4::bigint, $4::bigint)
     on conflict do nothing returning event_id`,
    [provider, eventId, jsonText(word), now],
    { timeoutMs },
  );
  return rows.length === 1 ? 'stored' : 'known';
}

interface CallbackRow {
  readonly provider: CallbackProvider;
  readonly event_id: string;
  readonly word: CallbackWord;
  readonly received_at: number;
  readonly fence: number;
  readonly tries: number;
}

export async function claimCallbacks(
  db: Database,
  request: ClaimRequest,
): Promise<readonly ClaimedCallback[]> {
  const rows = (await db.run(
    `update callback set lease_until = $1::bigint + $3::bigint, fence = fence + 1
     where (provider, event_id) in (
       select provider, event_id from callback
       where due_at <= $1::bigint and lease_until <= $1::bigint
       order by due_at, provider, event_id limit $2::bigint for update skip locked)
     returning provider, event_id, word, received_at, fence, tries`,
    [request.now, request.limit, request.leaseMs],
  )) as unknown as readonly CallbackRow[];
  return rows.map(({ event_id: eventId, received_at: receivedAt, ...row }) => ({
    ...row,
    ...{ eventId, receivedAt },
  }));
}

export async function callbackDone(
  db: Database,
  { provider, eventId, fence }: ClaimedCallback,
  result: string,
): Promise<void> {
  await db.run(
    `update callback set due_at = null, lease_until = 0, result = $4
     where provider = $1 and event_id = $2 and fence = $3::bigint`,
    [provider, eventId, fence, result],
  );
}

export async function callbackFailed(
  db: Database,
  { provider, eventId, fence }: ClaimedCallback,
  failure: { now: number; backoffMs: number; reason: string },
): Promise<void> {
  await db.run(
    `update callback set due_at = $4::bigint, lease_until = 0, tries = tries + 1, result = $5
     where provider = $1 and event_id = $2 and fence = $3::bigint and due_at is not null`,
    [provider, eventId, fence, failure.now + failure.backoffMs, failure.reason],
  );
}

export async function forgetCallbacks(db: Database, receivedBefore: number): Promise<number> {
  const rows = await db.run(
    'delete from callback where received_at < $1::bigint and due_at is null returning provider',
    [receivedBefore],
  );
  return rows.length;
}

/** What of its subject an alert is about; null for a notice, which is alone in its incident. */
const ABOUT = "coalesce(a.facts->>'dimension', a.facts->>'rule')";

/**
 * T9. The incident is known by the alerts that were sent there; those of the same budget, period
 * and dimension, or of the same rule and agent, are its alerts, too. An alert whose row is not
 * written yet counts as firing.
 */
export async function alertsOfIncident(
  db: Database,
  key: string,
  raisedUntil: number,
): Promise<readonly { id: string; phase: 'firing' | 'acknowledged' }[]> {
  const rows = await db.run(
    `with told as materialized (
       select i.org, i.alert_id, i.over, a.subject, ${ABOUT} as about
       from incident i left join alert a on a.org = i.org and a.id = i.alert_id
       where i.key = $1
     )
     select a.id, a.phase from alert a
     where a.phase <> 'resolved' and a.raised_at <= $2::bigint and exists (
       select from told t where t.org = a.org and t.subject = a.subject
         and (t.alert_id = a.id or t.about = ${ABOUT}))
     union
     select alert_id, 'firing' from told where subject is null and not over
     order by 1`,
    [key, raisedUntil],
  );
  return rows as unknown as readonly { id: string; phase: 'firing' | 'acknowledged' }[];
}
