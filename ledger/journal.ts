/** The journal of alerts (A10): every decision by (alert, number), and the alert's own row. */
import { and, asc, desc, eq, gt, lt, or } from 'drizzle-orm';
import type { JournalEntry } from '../domain/alert/state.js';
import type { Database } from './database.js';
import type { AlertPage, AlertView, AttemptView, SentNoticeView } from './ledger.js';
import { jsonText, textArray } from './literals.js';
import { alerts, attempts, journal, typed } from './schema.js';
import { findNotice } from './sent-notices.js';

/** An append that comes late never takes the alert's row back: the higher entry number stands. */
const APPEND = `
with put as (
  insert into alert (org, id, subject, agent, phase, exhausted, raised_at, facts, last_entry)
  values ($1, $2, $3, $4, $5, $6::boolean, $7::bigint, $8::jsonb, $9::bigint)
  on conflict (org, id) do update set phase = excluded.phase, exhausted = excluded.exhausted,
    facts = excluded.facts, last_entry = excluded.last_entry
  where excluded.last_entry > alert.last_entry
)
insert into journal (org, alert_id, no, at, what, delivery, channel, attempt, reason, by)
select $1, $2, no, at, what, delivery, channel, attempt, reason, by
from json_to_recordset($10::json) as entry (no bigint, at bigint, what text, delivery text,
  channel text, attempt bigint, reason text, by text)
on conflict do nothing`;

export async function appendJournal(
  db: Database,
  alert: AlertView,
  entries: readonly JournalEntry[],
): Promise<void> {
  const { org, id, subject, phase, exhausted, raisedAt, facts } = alert;
  const last = entries.reduce((most, { no }) => Math.max(most, no), -1);
  const values = [
    ...[org, id, subject, facts.agentName, phase, exhausted, raisedAt],
    ...[jsonText(facts), last, jsonText(entries)],
  ];
  await db.run(APPEND, values, { hot: true });
}

/** The newest first. `agent` is the name the alert speaks of. */
export async function listAlerts(
  db: Database,
  query: { org: string; agent?: string; subject?: string; limit: number; after?: AlertPage },
): Promise<readonly AlertView[]> {
  const rows = await typed(db.run)
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.org, query.org),
        query.agent === undefined ? undefined : eq(alerts.agent, query.agent),
        query.subject === undefined ? undefined : eq(alerts.subject, query.subject),
        query.after && follows(query.after),
      ),
    )
    .orderBy(desc(alerts.raisedAt), asc(alerts.id))
    .limit(query.limit);
  return withTitles(db, query.org, rows.map(alertViewOf));
}

/** What agents' notices are called: their facts have only a neutral word. */
async function withTitles(
  db: Database,
  org: string,
  views: readonly AlertView[],
): Promise<readonly AlertView[]> {
  const ids = views
    .filter(({ facts }) => facts.kind === 'notice' && facts.topic === 'agent')
    .map(({ id }) => id);
  if (ids.length === 0) return views;
  const rows = await db.run(
    `select alert_id, title from sent_notice
     where org = $1 and alert_id = any($2::text[]) and title is not null`,
    [org, textArray(ids)],
  );
  const titles = new Map(rows.map((row) => [row['alert_id'], String(row['title'])]));
  return views.map((view) => {
    const noticeTitle = titles.get(view.id);
    return noticeTitle === undefined ? view : { ...view, noticeTitle };
  });
}

/** In the order of the list. */
function follows({ raisedAt, id }: AlertPage) {
  const sameMoment = and(eq(alerts.raisedAt, raisedAt), gt(alerts.id, id));
  return or(lt(alerts.raisedAt, raisedAt), sameMoment);
}

/** One alert with all that is known of it, or undefined. */
export async function findAlert(
  db: Database,
  org: string,
  id: string,
): Promise<
  | {
      alert: AlertView;
      journal: readonly JournalEntry[];
      attempts: readonly AttemptView[];
      notice?: SentNoticeView;
    }
  | undefined
> {
  const orm = typed(db.run);
  const [row] = await orm
    .select()
    .from(alerts)
    .where(and(eq(alerts.org, org), eq(alerts.id, id)));
  if (row === undefined) return undefined;
  const entries = await orm
    .select()
    .from(journal)
    .where(and(eq(journal.org, org), eq(journal.alertId, id)))
    .orderBy(asc(journal.no));
  const tried = await orm
    .select()
    .from(attempts)
    .where(and(eq(attempts.org, org), eq(attempts.alertId, id)))
    .orderBy(asc(attempts.startedAt), asc(attempts.deliveryId), asc(attempts.attempt));
  const { facts } = row;
  const told = facts.kind === 'notice' ? facts.notice : undefined;
  const notice = told === undefined ? undefined : await findNotice(db, org, told);
  return {
    ...(notice === undefined ? {} : { notice }),
    alert: alertViewOf(row),
    journal: entries.map(({ org: _org, alertId: _id, ...entry }) => known(entry) as JournalEntry),
    attempts: tried.map(({ org: _org, alertId: _id, ...each }) => known(each) as AttemptView),
  };
}

function alertViewOf(row: typeof alerts.$inferSelect): AlertView {
  const { id, org, subject, phase, exhausted, raisedAt, facts } = row;
  return { id, org, subject, phase, exhausted, raisedAt, facts };
}

/** What SQL has as null is absent. */
function known(row: Record<string, unknown>): unknown {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
