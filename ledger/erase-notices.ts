/** What was to be told to an erased person: notices and digests, and what was rendered of them. */
import type { Database } from './database.js';
import type { Person } from './erase-match.js';

const ERASE = `
with gone as (
  delete from sent_notice where lower(recipient) = lower($1) returning org, alert_id
), windows as (
  delete from notice_window where lower(recipient) = lower($1)
), schedules as (
  delete from digest_schedule where lower(recipient) = lower($1)
), digests as (
  delete from digest where lower(recipient) = lower($1) returning org, id
), mails as (
  delete from delivery d using digests where d.org = digests.org and d.alert_id = digests.id
), messages as (
  delete from delivery d using gone where d.org = gone.org and d.alert_id = gone.alert_id
)
select org, count(*) as count from gone group by org`;

/** By name; an address inside a notice is found like in any other text. Answers how many. */
export async function eraseNotices(
  db: Database,
  { value }: Person,
  orgs: Set<string>,
): Promise<number> {
  const rows = await db.run(ERASE, [value]);
  for (const { org } of rows) orgs.add(String(org));
  return rows.reduce((sum, { count }) => sum + Number(count), 0);
}
