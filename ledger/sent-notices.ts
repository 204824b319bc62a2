/**
 * A2. Notices of agents, known again by their key.
 * SN-1. Of any number of copies that come at once to any number of processes one is raised: the
 *       row of (organisation, recipient, key) is locked by whoever decides.
 * SN-2. The window is the first copy's and is not stretched by the others; what comes after it is
 *       another notice, whatever became of the first.
 * SN-3. The notice, its window and its alert are written together or not at all.
 */
import { alertOfNotice, noticeKey, type AgentNotice } from '../domain/alert/agent-notice.js';
import type { NoticeWords } from '../domain/alert/agent-notice.js';
import type { Database, Run } from './database.js';
import { jsonText, storable } from './literals.js';
import { enqueueAlert } from './outbox.js';
import type { NoticeTerms, SentNoticeView, TakenNotice } from './sent-notice.js';

/** SN-1. A row that another transaction is writing is waited for, then seen as it was committed. */
const OPEN_WINDOW = `
insert into notice_window (org, recipient, key, alert_id, until)
values ($1, $2, $3, $4, $5::bigint + $6::bigint)
on conflict (org, recipient, key) do update
  set alert_id = excluded.alert_id, until = excluded.until
where notice_window.until <= $5::bigint
returning alert_id`;

const REPEAT = `
update sent_notice s set repeats = repeats + 1, repeated_at = $4::bigint
from notice_window w
where w.org = $1 and w.recipient = $2 and w.key = $3 and w.until > $4::bigint and s.org = w.org and s.alert_id = w.alert_id
returning s.alert_id, s.repeats`;

const PUT = `
insert into sent_notice
  (org, alert_id, recipient, agent, notification_id, title, body, metadata, created_at, at)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::bigint, $10::bigint)`;

/** Each new one takes a few old windows along, so that nobody has to sweep. */
const FORGET = `
delete from notice_window where (org, recipient, key) in (
  select org, recipient, key from notice_window where until <= $1::bigint
  order by until limit 4 for update skip locked)`;

export async function sendNotice(
  db: Database,
  notice: AgentNotice,
  { policy, windowMs, now }: NoticeTerms,
): Promise<TakenNotice> {
  const alert = alertOfNotice(notice, policy);
  const { org, recipient } = notice;
  const key = noticeKey(notice);
  // Copies are the most of what comes in a burst: each is one statement, a transaction of its own.
  const [copied] = await db.run(REPEAT, [org, recipient, key, now], { hot: true });
  if (copied !== undefined) return repeatOf(copied);
  return db.transaction(async (run) => {
    const [opened] = await run(OPEN_WINDOW, [org, recipient, key, alert.id, now, windowMs]);
    if (opened === undefined) {
      const [stands] = await run(REPEAT, [org, recipient, key, now]);
      if (stands !== undefined) return repeatOf(stands);
      // Its notice was erased with its window open: this one stands for the rest of it.
      await run(
        'update notice_window set alert_id = $4 where org = $1 and recipient = $2 and key = $3',
        [org, recipient, key, alert.id],
      );
    }
    await put(run, notice, alert.id, now);
    await enqueueAlert(run, alert, now);
    await run(FORGET, [now]);
    return { type: 'raised', alertId: alert.id, repeats: 0 };
  });
}

function repeatOf(row: Readonly<Record<string, unknown>>): TakenNotice {
  return { type: 'repeated', alertId: String(row['alert_id']), repeats: Number(row['repeats']) };
}

async function put(run: Run, notice: AgentNotice, alertId: string, now: number): Promise<void> {
  const { org, recipient, agent, notificationId, title, body, metadata, createdAt } = notice;
  await run(PUT, [
    ...[org, alertId, recipient, agent, storable(notificationId), storable(title), storable(body)],
    ...[metadata === undefined ? undefined : jsonText(metadata), createdAt, now],
  ]);
}

interface NoticeRow {
  readonly notification_id: string;
  readonly recipient: string;
  readonly title: string | null;
  readonly body: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly created_at: number;
  readonly repeats: number;
  readonly repeated_at: number | null;
}

const FIND = `
select notification_id, recipient, title, body, metadata, created_at, repeats, repeated_at
from sent_notice where org = $1 and alert_id = $2`;

export async function noticeWords(
  db: Database,
  org: string,
  alertId: string,
): Promise<NoticeWords | undefined> {
  const [row] = (await db.run(FIND, [org, alertId])) as unknown as readonly NoticeRow[];
  return row && wordsOf(row);
}

/** As people see it; undefined where it was no agent's notice. */
export async function findNotice(
  db: Database,
  org: string,
  alertId: string,
): Promise<SentNoticeView | undefined> {
  const [row] = (await db.run(FIND, [org, alertId])) as unknown as readonly NoticeRow[];
  if (row === undefined) return undefined;
  const { notification_id: notificationId, recipient, created_at: createdAt, repeats } = row;
  return {
    ...{ notificationId, recipient, createdAt, repeats },
    ...wordsOf(row),
    ...(row.repeated_at === null ? {} : { repeatedAt: row.repeated_at }),
  };
}

function wordsOf({ title, body, metadata }: NoticeRow): NoticeWords | undefined {
  if (title === null || body === null) return undefined;
  return { title, body, ...(metadata === null ? {} : { metadata }) };
}
