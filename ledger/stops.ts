/** K2. A person's Stop of an agent: sticky until a person resumes it, each with its audit entry. */
import { audit } from './audit.js';
import type { Database, Run } from './database.js';
import type { Stop } from './ledger.js';

export interface StopRow {
  readonly agent: string;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

export function stopOf({ agent, at, by, reason }: StopRow): Stop {
  return { agent, at, by, reason };
}

/** The first Stop stands: a second one changes nothing. */
export function stop(db: Database, org: string, word: Stop): Promise<{ changed: boolean }> {
  const { agent, at, by, reason } = word;
  return db.transaction(async (run) => {
    const rows = await run(
      `insert into stop (org, agent, at, by, reason) values ($1, $2, $3::bigint, $4, $5)
       on conflict do nothing returning agent`,
      [org, agent, at, by, reason],
    );
    const changed = rows.length === 1;
    if (changed) {
      await audit(run, {
        org,
        subject: `agent:${agent}`,
        at,
        by,
        what: 'stopped',
        after: { reason },
      });
    }
    return { changed };
  });
}

export function resume(
  db: Database,
  org: string,
  agent: string,
  by: string,
  now: number,
  reason?: string,
): Promise<{ changed: boolean }> {
  return db.transaction(async (run) => {
    const rows = await run('delete from stop where org = $1 and agent = $2 returning *', [
      org,
      agent,
    ]);
    const changed = rows.length === 1;
    if (changed) {
      const before = rows[0];
      const after = reason === undefined ? {} : { after: { reason } };
      const entry = {
        org,
        subject: `agent:${agent}`,
        at: now,
        by,
        what: 'resumed',
        before,
      } as const;
      await audit(run, { ...entry, ...after });
    }
    return { changed };
  });
}

/** All of an organisation's, or one agent's, oldest first. */
export async function stopsOf(run: Run, org: string, agent?: string): Promise<readonly Stop[]> {
  const rows = await run(
    'select * from stop where org = $1 and ($2::text is null or agent = $2) order by at, agent',
    [org, agent],
  );
  return rows.map((row) => stopOf(row as unknown as StopRow));
}
