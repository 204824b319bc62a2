/**
 * The statement that opens a delivery, in as many parts as it needs: what the destination is, who
 * speaks for the firing, what was rendered, and what holds it back. Everything before a request is
 * on the way of a crossing, so it is one round trip.
 *
 * What a statement inserts its own selects do not see: they read what RETURNING gives. Rows are
 * taken in one order (firing, incident, pace), so that no two wait for each other in a ring.
 * What a silence holds counts towards nothing: it is asked again later, as if for the first time.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import { named, type NamedStatement } from './named.js';

export type OpenName =
  | 'org'
  | 'destination'
  | 'channel'
  | 'alert'
  | 'delivery'
  | 'period'
  | 'dimension'
  | 'bps'
  | 'rev'
  | 'incident'
  | 'now'
  | 'window'
  | 'limit'
  | 'today'
  | 'cap'
  | 'agent'
  | 'pooled'
  | 'cadence'
  | 'budget'
  | 'rule'
  | 'severity'
  | 'recipient'
  | 'subject'
  | 'same'
  | 'since'
  | 'share';

/** What a delivery has to be asked beside its destination. */
export interface OpenParts {
  /** A13. A silence may hold it. */
  readonly silence?: boolean;
  /** Push: it goes to whoever is connected, which is no destination. */
  readonly person?: true;
  /** P4. It waited for the end of quiet hours. */
  readonly waited?: boolean;
  /** T2. It speaks for a crossing. */
  readonly firing: boolean;
  /** T9. */
  readonly incident?: 'opens' | 'resolves';
  /** A14. */
  readonly pace?: 'minute' | 'minute and day' | 'day';
}

export interface OpenRow {
  readonly reference: string;
  readonly channel: string;
  readonly sealed: string;
  readonly send_resolved: boolean;
  readonly health: string;
  readonly verified: boolean;
  readonly body: string | null;
  readonly content_type: string | null;
  /** A11. Of an earlier attempt that was accepted. */
  readonly accepted: Outcome | null;
  /** The alert that speaks for the firing; null where another is being written right now. */
  readonly holder: string | null;
  readonly storm: boolean | null;
  /** The day's cap holds it, and the minute would not have. */
  readonly capped: boolean | null;
  readonly still_firing: boolean | null;
  /** A13. */
  readonly silenced_until: number | null;
  /** P4. A newer alert tells the same recipient on the same channel. */
  readonly is_old: boolean | null;
}

const ADDRESS = `
with wanted as (
  select coalesce(@destination, (select reference from default_destination
    where org = @org and channel = @channel)) as reference
), found as (
  select d.reference, d.channel, d.sealed, d.send_resolved, d.health, d.verified
  from destination d join wanted using (reference) where d.org = @org
)`;

/** T7: of push nobody hears that it is over. */
const PERSON = `
with found as (
  select ''::text as reference, @channel::text as channel, ''::text as sealed,
    false as send_resolved, 'ok'::text as health, true as verified
)`;

const MESSAGE = `, message as (
  select body, content_type, (select outcome from attempt where org = @org and alert_id = @alert
    and delivery_id = @delivery and outcome->>'kind' = 'accepted' limit 1) as accepted
  from delivery where org = @org and alert_id = @alert and id = @delivery
)`;

/** All that hold it: when one is ended before its time, whatever it held is told (silences.ts). */
const SILENCED = `, silenced as materialized (
  select s.id, s.until from silence s cross join found
  where s.org = @org and s.ended is null and s.starts_at <= @now::bigint and s.until > @now::bigint
    and (s.agent is null or s.agent = @agent) and (not s.organisation or @pooled::boolean)
    and (s.cadence is null or s.cadence = @cadence)
    and (s.dimension is null or s.dimension = @budget)
    and (s.rule is null or s.rule = @rule) and (s.severity is null or s.severity = @severity)
    and not exists (select from message where accepted is not null)
), waiting as (
  insert into silenced_alert (org, silence, alert_id) select @org, id, @alert from silenced
  on conflict do nothing
)`;
const NOT_SILENCED = 'not exists (select from silenced)';

/** P4. Told or waiting itself; an alert that was spread over others was routed as one (A14). */
const NEWER = `, newer as materialized (
  select from alert a
  where a.org = @org and a.subject = @subject and a.raised_at >= @since::bigint
    and coalesce(a.facts->>'rule', a.facts->>'dimension') = @same
    and ((a.facts->>'at')::bigint, coalesce((a.facts->>'thresholdBps')::bigint, 0))
      > (@since::bigint, @share::bigint)
    and exists (select from routing r
      where r.org = a.org and r.alert_id = regexp_replace(a.id, '/part-[0-9]+$', '')
        and r.recipient = @recipient and r.channel = @channel and r.what in ('send', 'hold'))
  limit 1
)`;
const IS_NEWEST = 'not exists (select from newer)';

const fired = ({ silence = false }: OpenParts): string => `, fired as (
  insert into firing (org, period_id, dimension, bps, channel, limits_rev, alert_id)
  select @org, @period, @dimension, @bps::bigint, @channel, @rev::bigint, @alert
  where exists (select from found)${silence ? ` and ${NOT_SILENCED}` : ''}
  on conflict do nothing
  returning alert_id
), holder as materialized (
  select coalesce((select alert_id from fired), (select alert_id from firing where org = @org
    and period_id = @period and dimension = @dimension and bps = @bps::bigint
    and channel = @channel and limits_rev = @rev::bigint)) as alert_id
)`;

/** What it would take to be sent; only such a delivery counts towards anything. */
const sendable = ({ firing, silence = false, waited = false }: OpenParts): string =>
  [
    `found.health <> 'gone' and (found.verified or found.channel <> 'email')`,
    ...(firing ? ['(select alert_id from holder) = @alert'] : []),
    ...(silence ? [NOT_SILENCED] : []),
    ...(waited ? [IS_NEWEST] : []),
  ].join(' and ');

const opened = (parts: OpenParts): string => `, noted as (
  insert into incident (org, destination, key, alert_id, delivery_id)
  select @org, found.reference, @incident, @alert, @delivery from found where ${sendable(parts)}
  on conflict do nothing
)`;

/**
 * T9. All of an incident's rows are held while one is noted as over, so that of two that resolve
 * at once the second sees the first. A delivery of which it is certain that nothing arrived does
 * not keep the incident open: nobody will resolve it.
 */
const RESOLVED = `, member as materialized (
  select i.* from incident i join found on i.destination = found.reference
  where i.org = @org and i.key = @incident
  order by i.alert_id, i.delivery_id for update of i
), others as materialized (
  select exists (
    select from member m left join lateral (
      select count(*) as tries,
        count(*) filter (where a.outcome is null
          or a.outcome->>'kind' in ('accepted', 'ambiguous')) as perhaps
      from attempt a
      where a.org = @org and a.alert_id = m.alert_id and a.delivery_id = m.delivery_id
    ) as sent on true
    where m.alert_id <> @alert and not m.over and (sent.tries = 0 or sent.perhaps > 0)
  ) as stand
), noted as (
  update incident i set over = true, ends = (not m.over or m.ends) and not others.stand
  from member m cross join others
  where m.alert_id = @alert and i.org = m.org and i.destination = m.destination and i.key = m.key
    and i.alert_id = m.alert_id and i.delivery_id = m.delivery_id
  returning i.ends
)`;

const STILL_FIRING = `coalesce((select not bool_or(ends) from noted), (select stand from others))`;

const IS_OVER = '@now::bigint >= p.minute_at + @window::bigint';
const MINUTE_AT = `case when ${IS_OVER} then @now::bigint else p.minute_at end`;
const MINUTE_COUNT = `case when ${IS_OVER} then 1 else p.minute_count + 1 end`;
const HOLDS = `${MINUTE_COUNT} > @limit::bigint`;

/** What the minute holds back takes nothing of the day's share. */
const OF_DAY = `, day_at = greatest(p.day_at, @today::bigint),
    day_count = case when p.day_at < @today::bigint then 0 else p.day_count end
      + (not (${HOLDS}))::int`;

/**
 * A retry was counted when it was first opened, also where its attempt could not begin then: what
 * was counted has its row (`marked`). A new minute begins with what comes after the old
 * one; what several have held back is one sum until it is told (storms.ts).
 */
const paced = (parts: OpenParts, perDay: boolean): string => `, paced as (
  update destination_pace p set minute_at = ${MINUTE_AT}, minute_count = ${MINUTE_COUNT},
    held = p.held + (${HOLDS})::int,
    held_from = case when ${HOLDS} then coalesce(p.held_from, ${MINUTE_AT}) else p.held_from end,
    held_due_at = case when ${HOLDS} then coalesce(p.held_due_at, ${MINUTE_AT} + @window::bigint)
      else p.held_due_at end${perDay ? OF_DAY : ''}
  from found
  where p.org = @org and p.reference = found.reference
    and ${sendable(parts)} and not exists (select from message)
  returning p.minute_count, p.day_count
)`;

/** What was let through has its row from here on, so that another opening does not count it again. */
const marked = (perDay: boolean): string => `, marked as (
  insert into delivery (org, alert_id, id, destination)
  select @org, @alert, @delivery, found.reference from found cross join paced
  where paced.minute_count <= @limit::bigint${perDay ? ' and paced.day_count <= @cap::bigint' : ''}
  on conflict do nothing
)`;

/** Whose summary it will be told in. */
const KEPT = `, kept as (
  insert into held_alert (org, reference, alert_id)
  select @org, found.reference, @alert from found cross join paced
  where paced.minute_count > @limit::bigint
  on conflict do nothing
)`;

/** What sums a storm up is not held by its minute, and a text message still costs one of the day's. */
const pacedByDay = (parts: OpenParts): string => `, paced as (
  update destination_pace p set day_at = greatest(p.day_at, @today::bigint),
    day_count = case when p.day_at < @today::bigint then 0 else p.day_count end + 1
  from found
  where p.org = @org and p.reference = found.reference
    and ${sendable(parts)} and not exists (select from message)
  returning 0::bigint as minute_count, p.day_count
)`;

/** The first that the day's cap holds back is told to the operators; the number itself is spent. */
const CAPPED = `, capped as (
  insert into operator_notice (org, at, kind, destination, text)
  select @org, @now::bigint, 'sms_cap', found.reference, 'The sms destination ' || found.reference || ' has had its '
    || @cap::bigint || ' messages of the day: further ones are held until midnight UTC.'
  from found cross join paced
  where paced.minute_count <= @limit::bigint and paced.day_count = @cap::bigint + 1
)`;

const STORM = `(select minute_count > @limit::bigint from paced)`;
const CAP = `(select minute_count <= @limit::bigint and day_count > @cap::bigint from paced)`;

function textOf(given: OpenParts): string {
  const { person, firing, incident, pace, silence = false, waited = false } = given;
  const perDay = pace === 'minute and day' || pace === 'day';
  const parts = [person === undefined ? ADDRESS : PERSON, MESSAGE];
  if (silence) parts.push(SILENCED);
  if (waited) parts.push(NEWER);
  if (firing) parts.push(fired(given));
  if (incident === 'opens') parts.push(opened(given));
  if (incident === 'resolves') parts.push(RESOLVED);
  if (pace === 'day') parts.push(pacedByDay(given));
  else if (pace !== undefined) parts.push(paced(given, perDay), KEPT);
  if (pace !== undefined) parts.push(marked(perDay));
  if (perDay) parts.push(CAPPED);
  const holder = firing ? '(select alert_id from holder)' : 'null::text';
  const storm = pace === undefined ? 'null::boolean' : STORM;
  const capped = perDay ? CAP : 'null::boolean';
  const stillFiring = incident === 'resolves' ? STILL_FIRING : 'null::boolean';
  return `${parts.join('')}
select found.*, message.body, message.content_type, message.accepted, ${holder} as holder, ${storm} as storm,
  ${capped} as capped,
  ${stillFiring} as still_firing,
  ${silence ? '(select max(until) from silenced)' : 'null::bigint'} as silenced_until,
  ${waited ? 'exists (select from newer)' : 'null::boolean'} as is_old
from found left join message on true`;
}

const made = new Map<string, NamedStatement<OpenName>>();

/** One text for each combination, so that each is planned once. */
export function openStatement(parts: OpenParts): NamedStatement<OpenName> {
  const {
    person = false,
    firing,
    incident = '',
    pace = '',
    silence = false,
    waited = false,
  } = parts;
  const key = `${String(person)} ${String(firing)} ${incident} ${pace} ${String(silence)} ${String(waited)}`;
  const known = made.get(key) ?? named<OpenName>(textOf(parts));
  made.set(key, known);
  return known;
}
