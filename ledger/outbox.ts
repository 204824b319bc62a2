/** Alerts that a transaction of the ledger decided, until the relay has started their workflow. */
import type { AlertInput } from '../domain/alert/state.js';
import type { Database, Run } from './database.js';
import type { ClaimRequest, OutboxAlert } from './ledger.js';
import { jsonText } from './literals.js';

/** The same id is the same alert: twice is once. */
export async function enqueueAlert(run: Run, input: AlertInput, now: number): Promise<void> {
  await run(
    `insert into alert_outbox (id, org, input, due_at) values ($1, $2, $3::jsonb, $4::bigint)
     on conflict (id) do nothing`,
    [input.id, input.org, jsonText(input), now],
  );
}

export async function claimAlerts(
  db: Database,
  request: ClaimRequest,
): Promise<readonly OutboxAlert[]> {
  const rows = await db.run(
    `update alert_outbox set lease_until = $1::bigint + $3::bigint, fence = fence + 1
     where id in (
       select id from alert_outbox where due_at <= $1::bigint and lease_until <= $1::bigint
       order by due_at, id limit $2::bigint for update skip locked)
     returning input, fence, tries`,
    [request.now, request.limit, request.leaseMs],
  );
  return rows as unknown as readonly OutboxAlert[];
}

export async function alertStarted(db: Database, id: string, fence: number): Promise<void> {
  await db.run(
    'update alert_outbox set due_at = null, lease_until = 0 where id = $1 and fence = $2::bigint',
    [id, fence],
  );
}

export async function alertFailed(
  db: Database,
  id: string,
  fence: number,
  failure: { now: number; backoffMs: number; reason: string },
): Promise<void> {
  await db.run(
    `update alert_outbox set due_at = $3::bigint, lease_until = 0, tries = tries + 1, reason = $4
     where id = $1 and fence = $2::bigint and due_at is not null`,
    [id, fence, failure.now + failure.backoffMs, failure.reason],
  );
}
