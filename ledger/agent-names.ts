/** Which agents there are, by their names. */
import type { Database } from './database.js';

const NAMES = `
select name from (
  select agent as name from usage_total where org = $1
  union select substr(scope, 7) from scope_configuration
    where org = $1 and scope like 'agent:%' and synced <> '[]'::jsonb
) as known
order by name <> $2, name limit $3::bigint`;

/** Who has sent usage or a configuration, at most `limit` names: `agent` first where it has. */
export async function agentNames(
  db: Database,
  org: string,
  agent: string,
  limit: number,
): Promise<readonly string[]> {
  return (await db.run(NAMES, [org, agent, limit])).map(({ name }) => String(name));
}
