/**
 * What the operators are told of the service (A15), and what destinations are told of a storm
 * (A14): kept as rows, and turned into alerts by a transaction, so that each is told by one alert
 * whatever dies.
 */
import { and, desc, eq, lt } from 'drizzle-orm';
import {
  serviceNotice,
  stormNotice,
  type ServiceNotice,
  type Storm,
} from '../domain/alert/notice.js';
import type { Policy } from '../domain/alert/policy.js';
import type { AlertRoute } from '../domain/alert/state.js';
import type { Database, Run } from './database.js';
import type { NewNotice, OperatorNotice } from './ledger.js';
import { storable } from './literals.js';
import { enqueueAlert } from './outbox.js';
import { alerts, operatorNotices, typed } from './schema.js';

const DAY_MS = 86_400_000;
/** Of one kind in a day: whoever sends usage chooses models' names, and must not flood anybody. */
const OF_A_KIND = 50;
const BATCH = 100;

const TELL = `
insert into operator_notice (org, at, kind, text, destination, once)
select $1, $2::bigint, $3, $4, $5, $6
where (select count(*) from operator_notice
  where org = $1 and kind = $3 and at > $2::bigint - ${String(DAY_MS)}) < ${String(OF_A_KIND)}
on conflict do nothing`;

/** The same `once` of the same kind is kept once, for good. */
export async function tellOperators(
  run: Run,
  org: string,
  { kind, text, once, destination }: NewNotice,
  now: number,
): Promise<void> {
  const key = once === undefined ? undefined : storable(once).slice(0, 300);
  await run(TELL, [org, now, kind, storable(text).slice(0, 500), destination, key]);
}

const DUE_STORMS = `
select p.org, p.reference as destination, d.channel, p.held, p.held_from as from
from destination_pace p join destination d using (org, reference)
where p.held_due_at <= $1::bigint
order by p.held_due_at, p.org, p.reference limit ${String(BATCH)}
for update of p skip locked`;

/** The most severe first; an alert whose journal is not written yet is only counted. */
const HELD = `
select a.agent, a.facts->>'severity' as severity,
  coalesce((a.facts->>'kills')::boolean, false) as kills
from held_alert h join alert a on a.org = h.org and a.id = h.alert_id
where h.org = $1 and h.reference = $2
order by array_position(array['critical', 'error', 'warning'], a.facts->>'severity'), a.agent
limit ${String(BATCH)}`;

const STORM_TOLD = `
with forgotten as (delete from held_alert where org = $1 and reference = $2)
update destination_pace set held = 0, held_from = null, held_due_at = null
where org = $1 and reference = $2`;

/** What is older than a day is not news any more: it stays in the list. */
const UNTOLD = `
select n.id, n.org, n.at, n.kind, n.text, n.destination, o.operators
from operator_notice n join organisation o using (org)
where n.told_at is null and n.at > $1::bigint - ${String(DAY_MS)} and o.operators <> '[]'::jsonb
order by n.id limit ${String(BATCH)}
for update of n skip locked`;

interface UntoldRow extends ServiceNotice {
  readonly org: string;
  readonly operators: readonly AlertRoute[];
}

const IS_DUE = `
select exists (select from destination_pace where held_due_at <= $1::bigint)
  or exists (select from operator_notice n join organisation o using (org) where n.told_at is null
    and n.at > $1::bigint - ${String(DAY_MS)} and o.operators <> '[]'::jsonb) as due`;

/** Writes the alerts of what is due; answers how many. Safe from any number of processes. */
export async function raiseNotices(db: Database, policy: Policy, now: number): Promise<number> {
  const [found] = await db.run(IS_DUE, [now]);
  if (found?.['due'] !== true) return 0;
  const storms = await db.transaction(async (run) => {
    const due = (await run(DUE_STORMS, [now])) as unknown as readonly Omit<Storm, 'alerts'>[];
    for (const storm of due) {
      const alerts = await run(HELD, [storm.org, storm.destination]);
      const told = { ...storm, alerts: alerts as unknown as Storm['alerts'] };
      await enqueueAlert(run, stormNotice(told, policy, now), now);
      await run(STORM_TOLD, [storm.org, storm.destination]);
    }
    return due.length;
  });
  return storms + (await db.transaction((run) => raiseServiceNotices(run, policy, now)));
}

async function raiseServiceNotices(run: Run, policy: Policy, now: number): Promise<number> {
  const rows = (await run(UNTOLD, [now])) as unknown as readonly UntoldRow[];
  const orgs = [...new Set(rows.map(({ org }) => org))];
  for (const org of orgs) {
    const untold = rows.filter((row) => row.org === org);
    const alert = serviceNotice(org, untold.map(withoutNulls), untold[0]?.operators ?? [], policy);
    if (alert === undefined) continue;
    await enqueueAlert(run, alert, now);
    const ids = `{${untold.map(({ id }) => String(id)).join(',')}}`;
    await run(
      'update operator_notice set told_at = $1::bigint, alert_id = $2 where id = any($3::bigint[])',
      [now, alert.id, ids],
    );
  }
  return orgs.length;
}

function withoutNulls({ id, at, kind, text, destination }: UntoldRow): ServiceNotice {
  const about: unknown = destination;
  return { id, at, kind, text, ...(typeof about === 'string' ? { destination: about } : {}) };
}

/** A15. The newest first. */
export async function listOperatorNotices(
  db: Database,
  org: string,
  limit: number,
  before?: number,
): Promise<readonly OperatorNotice[]> {
  const { id: noticeId, at: toldOf, kind: noticeKind, text: noticeText } = operatorNotices;
  const rows = await typed(db.run)
    .select({
      ...{ id: noticeId, at: toldOf, kind: noticeKind, text: noticeText },
      destination: operatorNotices.destination,
      toldAt: operatorNotices.toldAt,
      alertId: operatorNotices.alertId,
      exhausted: alerts.exhausted,
    })
    .from(operatorNotices)
    .leftJoin(
      alerts,
      and(eq(alerts.org, operatorNotices.org), eq(alerts.id, operatorNotices.alertId)),
    )
    .where(
      and(
        eq(operatorNotices.org, org),
        before === undefined ? undefined : lt(operatorNotices.id, before),
      ),
    )
    .orderBy(desc(operatorNotices.id))
    .limit(limit);
  return rows.map(({ id, at, kind, text, destination, toldAt, alertId, exhausted }) => ({
    ...{ id, at, kind, text },
    ...(alertId === null ? {} : { alertId }),
    ...(exhausted === true ? { unheard: true as const } : {}),
    ...(destination === null ? {} : { destination }),
    ...(toldAt === null ? {} : { toldAt }),
  }));
}
