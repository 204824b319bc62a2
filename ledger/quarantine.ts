/** Bad events of a batch: kept readable, never counted (spec §8). */
import { and, desc, eq, lt } from 'drizzle-orm';
import type { Database } from './database.js';
import type { QuarantinedEvent } from './ledger.js';
import { quarantinedEvents, typed } from './schema.js';

const COLUMNS = {
  id: quarantinedEvents.id,
  org: quarantinedEvents.org,
  at: quarantinedEvents.at,
  path: quarantinedEvents.path,
  problem: quarantinedEvents.problem,
  raw: quarantinedEvents.raw,
};

export async function quarantine(db: Database, events: readonly QuarantinedEvent[]): Promise<void> {
  if (events.length === 0) return;
  await typed(db.run)
    .insert(quarantinedEvents)
    .values([...events]);
}

/** The newest first. */
export function listQuarantined(
  db: Database,
  org: string,
  limit: number,
  before?: number,
): Promise<readonly (QuarantinedEvent & { readonly id: number })[]> {
  return typed(db.run)
    .select(COLUMNS)
    .from(quarantinedEvents)
    .where(
      and(
        eq(quarantinedEvents.org, org),
        before === undefined ? undefined : lt(quarantinedEvents.id, before),
      ),
    )
    .orderBy(desc(quarantinedEvents.id))
    .limit(limit);
}
