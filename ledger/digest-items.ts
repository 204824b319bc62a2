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

/** In the transaction that decides it. The same alert for the same recipient is one item, for good. */
export async function addDigestItem(run: Run, item: NewDigestItem): Promise<void> {
  const { org, recipient, alertId, cadence, at } = item;
  await run(
    `insert into digest_item (org, recipient, alert_id, cadence, at)
     values ($1, $2, $3, $4, $5::bigint) on conflict do nothing`,
    [org, recipient, alertId, cadence, at],
  );
}
