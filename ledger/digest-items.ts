/** What waits for a recipient's digest (P3). */
import type { Run } from './database.js';

export interface NewDigestItem {
  readonly org: string;
  readonly recipient: string;
  readonly alertId: string;
  readonly cadence: 'hourly' | 'daily';
  /** Epoch ms. */
  readonly at: number;
}

/**
 * In the transaction that decides it. The same alert for the same recipient is one item, for good.
 * Where nothing waited, the relay is told to wake the digest; where something does, the row is only
 * held, so that nobody finds that there is nothing while this item comes in (LD-2).
 */
export async function addDigestItem(run: Run, item: NewDigestItem): Promise<void> {
  const { org, recipient, alertId, cadence, at } = item;
  await run(
    `insert into digest_schedule (org, recipient, cadence, due_at) values ($1, $2, $3, $4::bigint)
     on conflict (org, recipient, cadence) do update set due_at = excluded.due_at
     where digest_schedule.due_at is null`,
    [org, recipient, cadence, at],
  );
  await run(
    `insert into digest_item (org, recipient, alert_id, cadence, at)
     values ($1, $2, $3, $4, $5::bigint) on conflict do nothing`,
    [org, recipient, alertId, cadence, at],
  );
}
