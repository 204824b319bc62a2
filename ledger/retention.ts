/**
 * Taking away what is older than it is kept for, in batches that nobody notices.
 * RT-1. An event, and with it its idempotency key, stays while a period it counts in is open (B5):
 *       under a budget without an end all of them do.
 * RT-2. Totals stay right: the rows of periods keep theirs, `usage_total` is not touched, and what
 *       a new budget without an end would have added up goes to `usage_pruned` in one statement
 *       with the events' end (B8).
 * RT-3. An alert's records stay until it is resolved, a period's until it is closed and told.
 */
import type { Database, Run } from './database.js';
import { pruneCodeCounts } from './code-counts.js';
import { inKeyOrder } from './key-order.js';
import { HOLDS, MEETS } from './lease-sql.js';
import { MAX } from './period-sql.js';
import type { PruneRequest, Pruned, RetentionKind } from './retention-policy.js';

/** One batch. `next` absent: this kind is done for now. */
export async function prune(
  db: Database,
  kind: RetentionKind,
  request: PruneRequest,
): Promise<Pruned> {
  switch (kind) {
    case 'events':
      return db.transaction((run) => pruneEvents(run, request));
    case 'runs':
      return pruneInOrder(db, periods('run'), request);
    case 'periods':
      return pruneInOrder(db, periods('calendar'), request);
    case 'messages':
      // Codes are messages, too.
      await pruneCodeCounts(db, request.before);
      return pruneOfAlerts(db, 'delivery', request);
    case 'attempts':
      return pruneOfAlerts(db, 'attempt', request);
    case 'journal':
      return pruneInOrder(db, ALERTS, request);
    case 'audit':
      return pruneAudit(db, request);
    case 'quarantine':
      return pruneInOrder(db, oldest('quarantined_event'), request);
    case 'notices':
      return pruneInOrder(db, oldest('operator_notice'), request);
    case 'leases':
      return pruneLeases(db, request);
    case 'metrics':
      return pruneInOrder(db, oldest('metric_key'), request);
    default:
      return kind satisfies never;
  }
}

/** Agent by agent, as events are found by agent and time; one without an end holds all of its own. */
const NEXT_AGENT = `
select t.org, t.agent from usage_total t
where (t.org, t.agent) >= ($2, $3)
  and exists (select from usage_event e
    where e.org = t.org and e.agent = t.agent and e.at < $1::bigint)
  and not exists (select from period p
    where p.org = t.org and p.scope in ('org', 'agent:' || t.agent) and p.cadence = 'total'
      and p.state <> 'closed')
order by t.org, t.agent limit 1`;

/** Ingest holds them in the same way and is not held up; a new period waits, and then adds up. */
const HOLD_SCOPES = `
select from scope_configuration where org = $1 and scope in ('org', 'agent:' || $2::text)
order by scope for share`;

const EVENTS = `
with held as materialized (
  select cadence, period, starts_at, ends_at from period
  where org = $1 and scope in ('org', 'agent:' || $2::text) and state <> 'closed'
    and (starts_at < $3::bigint or cadence = 'total')
), old as materialized (
  select e.org, e.idempotency_key from usage_event e
  where e.org = $1 and e.agent = $2 and e.at < $3::bigint and not exists (
    select from held h where h.cadence = 'total' or h.starts_at <= e.at
      and (h.ends_at is null or e.at < h.ends_at) and (h.cadence <> 'run' or h.period = e.run))
  order by e.at limit $4::bigint for update skip locked
), gone as (
  delete from usage_event e using old
  where e.org = old.org and e.idempotency_key = old.idempotency_key
  returning e.cost_used as cost, e.input_tokens + e.output_tokens as tokens, e.at
), sums as materialized (
  select count(*) as events, least(sum(cost), ${MAX}) as cost, least(sum(tokens), ${MAX}) as tokens,
    min(at) as first_at, max(at) as last_at from gone
), noted as (
  insert into usage_pruned (org, agent, events, cost, tokens, first_at, last_at)
  select $1, $2, events, cost, tokens, first_at, last_at from sums where events > 0
  on conflict (org, agent) do update set events = usage_pruned.events + excluded.events,
    cost = least(usage_pruned.cost + excluded.cost, ${MAX}),
    tokens = least(usage_pruned.tokens + excluded.tokens, ${MAX}),
    first_at = least(usage_pruned.first_at, excluded.first_at),
    last_at = greatest(usage_pruned.last_at, excluded.last_at)
)
select events from sums`;

async function pruneEvents(run: Run, { before, limit, after }: PruneRequest): Promise<Pruned> {
  const [fromOrg = '', fromAgent = ''] = after ?? [];
  const [found] = await run(NEXT_AGENT, [before, fromOrg, fromAgent]);
  if (found === undefined) return { removed: 0 };
  const [org, agent] = [String(found['org']), String(found['agent'])];
  await run(HOLD_SCOPES, [org, agent]);
  await inKeyOrder(run);
  const [row] = await run(EVENTS, [org, agent, before, limit]);
  const removed = Number(row?.['events'] ?? 0);
  // The same agent again, or the first name after it.
  return { removed, next: removed < limit ? [org, `${agent}\u0001`] : [org, agent] };
}

const OVER = `state = 'closed' and due_at is null and starts_at < $1::bigint
    and coalesce(closes_at, starts_at) < $1::bigint`;

const periods = (which: 'run' | 'calendar'): string => `
with old as materialized (
  select id, org from period where ${OVER} and cadence ${which === 'run' ? '=' : '<>'} 'run'
  order by starts_at limit $2::bigint for update skip locked
), fired as (
  delete from firing f using old where f.org = old.org and f.period_id = old.id
)
delete from period p using old where p.id = old.id returning p.id`;

const ALERTS = `
with old as materialized (
  select org, id from alert where phase = 'resolved' and raised_at < $1::bigint
  order by raised_at limit $2::bigint for update skip locked
), entries as (
  delete from journal j using old where j.org = old.org and j.alert_id = old.id
), tries as (
  delete from attempt a using old where a.org = old.org and a.alert_id = old.id
), messages as (
  delete from delivery d using old where d.org = old.org and d.alert_id = old.id
), incidents as (
  delete from incident i using old where i.org = old.org and i.alert_id = old.id
), digests as (
  delete from digest where (org, id) in (
    select org, id from digest where ended_at < $1::bigint order by ended_at limit $2::bigint
    for update skip locked)
  returning org, id
), items as (
  delete from digest_item i using digests d where i.org = d.org and i.digest = d.id
), mails as (
  delete from attempt a using digests d where a.org = d.org and a.alert_id = d.id
), notices as (
  delete from sent_notice n using old where n.org = old.org and n.alert_id = old.id
), decisions as (
  delete from routing r using old where r.org = old.org and r.alert_id = old.id
), routes as (
  delete from routed_alert r using old where r.org = old.org and r.alert_id = old.id
), starts as (
  delete from alert_outbox o using old where o.id = old.id and o.due_at is null
)
delete from alert a using old where a.org = old.org and a.id = old.id returning a.id`;

/** Their numbers grow with time: the oldest come first, and nothing else is looked at. */
const oldest = (table: string): string => `
delete from ${table} where id in (
  select id from (select id, at from ${table} order by id limit $2::bigint) as first
  where at < $1::bigint)
returning id`;

/** A13. A silence that is over is a record of who held back what. */
const SILENCES = `
with old as materialized (
  select org, id from silence where at < $1::bigint and until < $1::bigint
  order by at limit $2::bigint for update skip locked
)
delete from silence s using old where s.org = old.org and s.id = old.id returning s.id`;

async function pruneAudit(db: Database, request: PruneRequest): Promise<Pruned> {
  const entries = await pruneInOrder(db, oldest('audit'), request);
  if (entries.next !== undefined) return entries;
  const silences = await pruneInOrder(db, SILENCES, request);
  return { ...silences, removed: entries.removed + silences.removed };
}

/** LE-4. Whatever is still counted in an open period stays, however old. */
const LEASES = `
with old as materialized (
  select l.org, l.id from lease l
  where l.opened_at < $1::bigint
    and coalesce(l.closed_at, l.ends_at, l.expires_at) < $1::bigint
    and not (l.${HOLDS} and exists (select from period p
      where p.org = l.org and p.scope in ('org', 'agent:' || l.agent) and p.state <> 'closed'
        and ${MEETS}))
  order by l.opened_at limit $2::bigint for update of l skip locked
)
delete from lease l using old where l.org = old.org and l.id = old.id returning l.id`;

const HOLDERS = `
delete from lease_holder h where (org, holder) in (
  select org, holder from lease_holder where at < $1::bigint order by at limit $2::bigint
  for update skip locked)
returning holder`;

async function pruneLeases(db: Database, request: PruneRequest): Promise<Pruned> {
  const leases = await pruneInOrder(db, LEASES, request);
  if (leases.next !== undefined) return leases;
  const holders = await pruneInOrder(db, HOLDERS, request);
  return { ...holders, removed: leases.removed + holders.removed };
}

async function pruneInOrder(
  db: Database,
  text: string,
  { before, limit }: PruneRequest,
): Promise<Pruned> {
  const removed = (await db.run(text, [before, limit])).length;
  return { removed, ...(removed < limit ? {} : { next: [] }) };
}

/** The words of an agent's notice are kept as long as what was rendered of them. */
const SAID = `, said as (
  update sent_notice n set title = null, body = null, metadata = null from page
  where n.org = page.org and n.alert_id = page.id and n.title is not null
)`;

/** Page by page of the alerts that are over, most of which have none left. */
const ofAlerts = (table: 'delivery' | 'attempt'): string => `
with page as materialized (
  select raised_at, org, id from alert
  where phase = 'resolved' and raised_at < $1::bigint and raised_at >= $3::bigint
    and (raised_at, org, id) > ($3::bigint, $4, $5)
  order by raised_at, org, id limit $2::bigint
), gone as (
  delete from ${table} t using page where t.org = page.org and t.alert_id = page.id
  returning t.org
)${table === 'delivery' ? SAID : ''}
select raised_at, org, id, (select count(*) from gone) as removed,
  (select count(*) from page) as seen
from page order by raised_at desc, org desc, id desc limit 1`;

async function pruneOfAlerts(
  db: Database,
  table: 'delivery' | 'attempt',
  { before, limit, after }: PruneRequest,
): Promise<Pruned> {
  const [row] = await db.run(ofAlerts(table), [before, limit, ...(after ?? [-1, '', ''])]);
  if (row === undefined) return { removed: 0 };
  const removed = Number(row['removed']);
  if (Number(row['seen']) < limit) return { removed };
  return { removed, next: [Number(row['raised_at']), String(row['org']), String(row['id'])] };
}
