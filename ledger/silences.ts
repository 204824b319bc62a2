/**
 * Silences and the alerts they hold (A13).
 * SI-1. Whoever a silence holds is noted with it in the statement that holds it (delivery-sql.ts),
 *       and told by the relay once the silence was ended before its time. The note is found by its
 *       silence's end whenever it was written, so none slips through between the two.
 * SI-2. A claim is exclusive until its lease ends; work under an outdated fence changes nothing.
 */
import type { SilenceMatcher } from '../domain/silence.js';
import type { Cadence, Dimension, Severity } from '../domain/words.js';
import { audit, type AuditEntry } from './audit.js';
import type { ClaimRequest } from './claimed-period.js';
import type { Author } from './configuring.js';
import type { Database, Run } from './database.js';
import { jsonText } from './literals.js';
import type { NewSilence, Silence, SilencedAlert, SilencePage } from './silence.js';

interface SilenceRow {
  readonly id: string;
  readonly agent: string | null;
  readonly organisation: boolean;
  readonly cadence: Cadence | null;
  readonly dimension: Dimension | null;
  readonly rule: string | null;
  readonly severity: Severity | null;
  readonly starts_at: number;
  readonly until: number;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
  readonly ended: { readonly by: string; readonly at: number } | null;
}

const ADD = `
insert into silence (org, id, agent, organisation, cadence, dimension, rule, severity,
  starts_at, until, at, by, reason)
values ($1, $2, $3, $4::boolean, $5, $6, $7, $8, $9::bigint, $10::bigint, $11::bigint, $12, $13)
on conflict do nothing returning *`;

export function addSilence(
  db: Database,
  silence: NewSilence,
): Promise<{ changed: boolean; silence: Silence }> {
  return db.transaction(async (run) => {
    const { org, id, agent, organisation, budget, rule, severity, from, until } = silence;
    const { by, reason, now } = silence;
    const [added] = await run(ADD, [
      ...[org, id, agent, organisation === true, budget?.cadence, budget?.dimension],
      ...[rule, severity, from, until, now, by, reason],
    ]);
    const row = added ?? (await rowOf(run, org, id));
    if (row === undefined) throw new Error(`The silence ${id} was neither stored nor found`);
    const view = silenceOf(row as unknown as SilenceRow);
    if (added !== undefined) await note(run, org, view, { by, now }, 'silenced');
    return { changed: added !== undefined, silence: view };
  });
}

export function endSilence(
  db: Database,
  org: string,
  id: string,
  { by, now }: Author,
): Promise<{ changed: boolean; silence: Silence } | undefined> {
  return db.transaction(async (run) => {
    const [row] = await run('select * from silence where org = $1 and id = $2 for update', [
      org,
      id,
    ]);
    if (row === undefined) return undefined;
    const before = silenceOf(row as unknown as SilenceRow);
    if (before.ended !== undefined || before.until <= now) {
      return { changed: false, silence: before };
    }
    const ended = { by, at: now };
    await run('update silence set ended = $3::jsonb where org = $1 and id = $2', [
      ...[org, id, jsonText(ended)],
    ]);
    const silence = { ...before, ended };
    await note(run, org, silence, { by, now }, 'silence_ended');
    return { changed: true, silence };
  });
}

async function rowOf(run: Run, org: string, id: string) {
  const [row] = await run('select * from silence where org = $1 and id = $2', [org, id]);
  return row;
}

/** Told of the agent where it is about one, as other changes about it are. */
async function note(
  run: Run,
  org: string,
  silence: Silence,
  { by, now }: Author,
  what: Extract<AuditEntry['what'], 'silenced' | 'silence_ended'>,
): Promise<void> {
  const { agent } = silence;
  const subject = agent === undefined ? 'organisation' : `agent:${agent}`;
  const { ended: _ended, by: _by, ...said } = silence;
  const change = what === 'silenced' ? { after: said } : { before: said };
  await audit(run, { org, subject, at: now, by, what, ...change });
}

const LIST = `
select * from silence
where org = $1 and ($2::text is null or id = $2)
  and ($3::bigint is null or (ended is null and until > $3::bigint))
  and ($5::bigint is null or (-at, id) > (-$5::bigint, $6))
order by -at, id limit $4::bigint`;

export async function listSilences(
  db: Database,
  query: { org: string; id?: string; openAt?: number; limit: number; after?: SilencePage },
): Promise<readonly Silence[]> {
  const { org, id, openAt, limit, after } = query;
  const rows = await db.run(LIST, [org, id, openAt, limit, after?.at, after?.id]);
  return rows.map((row) => silenceOf(row as unknown as SilenceRow));
}

function silenceOf(row: SilenceRow): Silence {
  const { id, agent, organisation, cadence, dimension, rule, severity, ended } = row;
  return {
    id,
    ...(agent === null ? {} : { agent }),
    ...(organisation ? { organisation: true as const } : {}),
    ...(cadence === null && dimension === null ? {} : { budget: budgetOf(row) }),
    ...(rule === null ? {} : { rule }),
    ...(severity === null ? {} : { severity }),
    ...{ from: row.starts_at, until: row.until },
    ...{ by: row.by, reason: row.reason, at: row.at },
    ...(ended === null ? {} : { ended }),
  };
}

function budgetOf({ cadence, dimension }: SilenceRow): NonNullable<SilenceMatcher['budget']> {
  return {
    ...(cadence === null ? {} : { cadence }),
    ...(dimension === null ? {} : { dimension }),
  };
}

/** SI-1. */
const CLAIM = `
update silenced_alert set lease_until = $1::bigint + $3::bigint, fence = fence + 1
where (org, silence, alert_id) in (
  select a.org, a.silence, a.alert_id
  from silenced_alert a join silence s on s.org = a.org and s.id = a.silence
  where s.ended is not null and a.due_at <= $1::bigint and a.lease_until <= $1::bigint
  order by a.due_at, a.org, a.silence, a.alert_id limit $2::bigint for update of a skip locked)
returning org, silence, alert_id, fence, tries`;

export async function claimSilenced(
  db: Database,
  { now, limit, leaseMs }: ClaimRequest,
): Promise<readonly SilencedAlert[]> {
  const rows = (await db.run(CLAIM, [now, limit, leaseMs])) as unknown as readonly (Omit<
    SilencedAlert,
    'alertId'
  > & { readonly alert_id: string })[];
  return rows.map(({ alert_id: alertId, ...row }) => ({ ...row, alertId }));
}

export async function silencedTold(
  db: Database,
  { org, silence, alertId, fence }: SilencedAlert,
): Promise<void> {
  await db.run(
    `delete from silenced_alert
     where org = $1 and silence = $2 and alert_id = $3 and fence = $4::bigint`,
    [org, silence, alertId, fence],
  );
}

export async function silencedFailed(
  db: Database,
  { org, silence, alertId, fence }: SilencedAlert,
  { now, backoffMs }: { readonly now: number; readonly backoffMs: number },
): Promise<void> {
  await db.run(
    `update silenced_alert set due_at = $5::bigint, lease_until = 0, tries = tries + 1
     where org = $1 and silence = $2 and alert_id = $3 and fence = $4::bigint`,
    [org, silence, alertId, fence, now + backoffMs],
  );
}

export async function forgetSilenced(db: Database, endedBefore: number): Promise<number> {
  const rows = await db.run(
    `delete from silenced_alert a where not exists (
       select from silence s where s.org = a.org and s.id = a.silence
         and s.until >= $1::bigint)
     returning a.alert_id`,
    [endedBefore],
  );
  return rows.length;
}
