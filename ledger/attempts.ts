/**
 * The end of an attempt, and what it says of its destination.
 * H-1. Only the write that ends an attempt counts for or against its destination: a repeat, or a
 *      second outcome, does not.
 * H-2. `gone` is the provider's word and lasts until a person restores the destination; `failing`
 *      is our count and ends with the next accepted delivery.
 * H-3. A change for the worse, its audit entry and what the operators will be told are one
 *      statement. What a provider refuses for good, as a wrong key, they are told once a day.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import { audit } from './audit.js';
import type { Database } from './database.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import type { DeliveryRef } from './ledger.js';
import { jsonText } from './literals.js';
import { named } from './named.js';

const DAY_MS = 86_400_000;

const TARGET = `select coalesce(@destination, (select reference from default_destination
  where org = @org and channel = @channel))`;

/** The first outcome stands. Where it went is kept for what the provider says later (receipts.ts). */
const FINISH = `
update attempt set ended_at = @now::bigint, outcome = @outcome::jsonb, destination = (${TARGET})
where org = @org and alert_id = @alert and delivery_id = @delivery and attempt = @attempt::bigint
  and ended_at is null
returning org`;

const RECOVERED = `
with finished as (${FINISH})
update destination set failures = 0, failing_since = null,
  health = case when health = 'failing' then 'ok' else health end,
  health_reason = case when health = 'failing' then null else health_reason end,
  health_at = case when health = 'failing' then @now::bigint else health_at end
where org = @org and reference = (${TARGET}) and failures > 0 and exists (select from finished)`;

/** The row is locked as it was, so that of two failures at once one sees the other. */
const FAILED = `
with finished as (${FINISH}
), was as materialized (
  select d.* from destination d
  where d.org = @org and d.reference = (${TARGET}) and exists (select from finished)
  for update
), changed as (
  update destination d set failures = was.failures + 1, failing_since = n.since, health = n.health,
    health_reason = case when n.health <> was.health then @reason else was.health_reason end,
    health_at = case when n.health <> was.health then @now::bigint else was.health_at end
  from was cross join lateral (
    select coalesce(was.failing_since, @now::bigint) as since
  ) as s cross join lateral (
    select s.since, case when @gone::boolean then 'gone'
      when was.health = 'ok' and was.failures + 1 >= @count::bigint
        and @now::bigint - s.since >= @span::bigint then 'failing'
      else was.health end as health
  ) as n
  where d.org = was.org and d.reference = was.reference
  returning d.reference, d.channel, d.failures, was.health as before, d.health
), worse as materialized (
  select * from changed where health <> before
), noted as (
  insert into operator_notice (org, at, kind, destination, text)
  select @org, @now::bigint, 'destination_' || health, reference, case when health = 'gone'
    then 'The ' || channel || ' destination ' || reference
      || ' is gone: nothing is sent to it until it is restored (kavach destinations restore).'
    else 'The last ' || failures || ' deliveries to the ' || channel || ' destination ' || reference
      || ' have failed: it is still tried.' end
  from worse
), refused as (
  insert into operator_notice (org, at, kind, destination, text, once)
  select @org, @now::bigint, 'permanent_failure', reference, left('A delivery to the ' || channel
    || ' destination ' || reference || ' was refused for good: ' || @reason::text, 500),
    reference || ' ' || @day
  from changed where @config::boolean and health = before
  on conflict do nothing
)
insert into audit (org, subject, at, by, what, before, after)
select @org, 'destination:' || reference, @now::bigint, 'kavach', 'destination_' || health,
  json_build_object('health', before), json_build_object('health', health, 'reason', @reason::text)
from worse`;

type Name =
  | 'org'
  | 'alert'
  | 'delivery'
  | 'attempt'
  | 'now'
  | 'outcome'
  | 'destination'
  | 'channel'
  | 'gone'
  | 'count'
  | 'span'
  | 'reason'
  | 'config'
  | 'day';

const STATEMENTS = {
  plain: named<Name>(FINISH),
  recovered: named<Name>(RECOVERED),
  failed: named<Name>(FAILED),
};

export async function finishAttempt(
  db: Database,
  policy: DeliveryPolicy,
  end: {
    readonly ref: DeliveryRef;
    readonly attempt: number;
    readonly outcome: Outcome;
    readonly now: number;
    readonly isLast: boolean;
  },
): Promise<void> {
  const { ref, attempt, outcome, now } = end;
  const { text, values } = STATEMENTS[meaningOf(outcome, end.isLast)];
  const parameters = values({
    ...{ org: ref.org, alert: ref.alertId, delivery: ref.deliveryId, attempt },
    ...{ outcome: jsonText(outcome), now, destination: ref.destination, channel: ref.channel },
    ...{ gone: outcome.kind === 'permanent_recipient', reason: outcome.reason },
    ...{ count: policy.failingAfter, span: policy.failingSpanMs },
    ...{ config: outcome.kind === 'permanent_config', day: String(now - (now % DAY_MS)) },
  });
  await db.run(text, parameters, { hot: true });
}

/** What is tried again says nothing yet; what is permanent never is. */
function meaningOf(outcome: Outcome, isLast: boolean): keyof typeof STATEMENTS {
  switch (outcome.kind) {
    case 'accepted':
      return 'recovered';
    case 'permanent_recipient':
    case 'permanent_config':
      return 'failed';
    case 'throttled':
    case 'transient':
    case 'ambiguous':
      return isLast ? 'failed' : 'plain';
    default:
      return outcome.kind satisfies never;
  }
}

/** A person says that it can be reached again; what was counted against it is forgotten. */
export function restoreDestination(
  db: Database,
  org: string,
  reference: string,
  { by, now }: { by: string; now: number },
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const [was] = await run(
      'select health, failures + bounces as failures from destination where org = $1 and reference = $2 for update',
      [org, reference],
    );
    const changed = was !== undefined && (was['health'] !== 'ok' || was['failures'] !== 0);
    if (!changed) return { changed };
    await run(
      `update destination set health = 'ok', health_reason = null, health_at = $3::bigint,
         failures = 0, failing_since = null, bounces = 0, bouncing_since = null
       where org = $1 and reference = $2`,
      [org, reference, now],
    );
    const before = { health: was['health'] };
    const subject = `destination:${reference}`;
    const entry = { org, subject, at: now, by, what: 'destination_restored' as const };
    await audit(run, { ...entry, before, after: { health: 'ok' } });
    return { changed };
  });
}
