/** L5. The rows in which a guard's last request and its answer stand. */
import type { Database } from './database.js';
import type { PlacedAsk } from './lease.js';
import { jsonText } from './literals.js';

const ADD = `
insert into lease_holder (org, holder, agent, at)
select org, holder, agent, 0 from json_to_recordset($1::json) as h (org text, holder text, agent text)
order by org collate "C", holder collate "C"
on conflict (org, holder) do nothing`;

/** The first agent that names a holder has it. */
export async function addHolders(
  db: Database,
  asks: readonly {
    readonly org: string;
    readonly ask: Pick<PlacedAsk['ask'], 'holder' | 'agent'>;
  }[],
): Promise<void> {
  if (asks.length === 0) return;
  const rows = asks.map(({ org, ask: { holder, agent } }) => ({ org, holder, agent }));
  await db.run(ADD, [jsonText(rows)]);
}
