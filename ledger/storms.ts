/** A14. What was held back from a destination, until somebody has told it in one summary. */
import type { Database } from './database.js';
import type { StormSummary } from './ledger.js';

const DUE = `
select p.org, p.reference as destination, d.channel, p.held, p.held_from as from
from destination_pace p join destination d using (org, reference)
where p.held_due_at <= $1::bigint
order by p.held_due_at, p.org, p.reference limit $2::bigint`;

/** Of minutes that are over, the oldest first. Whoever tells one says so with `summaryTold`. */
export async function dueSummaries(
  db: Database,
  now: number,
  limit: number,
): Promise<readonly StormSummary[]> {
  return (await db.run(DUE, [now, limit])) as unknown as readonly StormSummary[];
}

/** What was held since it was read stays to be told, when its minute is over. */
const TOLD = `
update destination_pace p set held = n.rest,
  held_from = case when n.rest > 0 then p.minute_at end,
  held_due_at = case when n.rest > 0 then p.minute_at + $5::bigint end
from (select greatest(held - $4::bigint, 0) as rest from destination_pace
  where org = $1 and reference = $2 for update) as n
where p.org = $1 and p.reference = $2 and p.held_from = $3::bigint`;

export async function summaryTold(
  db: Database,
  windowMs: number,
  { org, destination, from, held }: StormSummary,
): Promise<void> {
  await db.run(TOLD, [org, destination, from, held, windowMs]);
}
