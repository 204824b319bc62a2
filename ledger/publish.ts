/**
 * What a period's workflow writes back. L-3: only what it owns, and never over a newer one:
 * (epoch, seq, order) grows, and a row that began a new life takes nothing from the old one.
 */
import type { Published } from '../domain/budget/state.js';
import { periodRowId } from '../domain/ids.js';
import type { Database } from './database.js';
import { jsonText } from './literals.js';
import { OWN, dueAt, passes } from './period-sql.js';

const NOTIFY = {
  cost: '$7::bigint',
  tokens: '$8::bigint',
  calls: '$9::bigint',
  duration: '$10::bigint',
};

const STATE = `case when $17::boolean then 'closed' else period.state end`;

/**
 * What the publish has seen of this ledger's life counts as told. With the one that closes nothing
 * else does: a report that reached a period which was closing already is late usage (B4).
 */
const SEEN = `case when $3::bigint = (select epoch from ledger_life) then $4::bigint else 0 end`;
const REPORTED = `case when $17::boolean and period.state <> 'closed' then ${SEEN}
  else greatest(period.reported_seq, ${SEEN}) end`;

/** What fires after a row was closed is late, and decided by the ledger: a repeat takes nothing back. */
const CLOSED = (kept: string, given: string): string =>
  `case when period.state = 'closed' then ${kept} else ${given} end`;

/** The answer to the claim that is out: whoever waits for it is set free. */
const ANSWERS = `$4::bigint >= period.claimed_seq`;

const PUBLISH = `
update period set
  notify_cost = ${NOTIFY.cost}, notify_tokens = ${NOTIFY.tokens},
  notify_calls = ${NOTIFY.calls}, notify_duration = ${NOTIFY.duration},
  latches = ${CLOSED('period.latches', '$11::jsonb')},
  firing_no = ${CLOSED('period.firing_no', '$12::bigint')}, applied_rev = $13::bigint,
  killed = case when $13::bigint < period.lifted_rev then period.killed else $14::jsonb end,
  direct = $15::jsonb, senders = $16::jsonb, open_alerts = $18::jsonb, rejected = $19::bigint,
  published_epoch = $3::bigint, published_seq = $4::bigint, published_order = $5::bigint,
  state = ${STATE}, started = true,
  parked_reason = case when $17::boolean then null else period.parked_reason end,
  reported_seq = ${REPORTED},
  lease_until = case when ${ANSWERS} then 0 else period.lease_until end,
  due_at = case when ${ANSWERS} or $17::boolean then ${dueAt({
    now: '$6::bigint',
    crossing: `(period.state = 'open' and (${passes(OWN, NOTIFY)}))`,
    state: STATE,
    reportedSeq: REPORTED,
    notify: NOTIFY,
    started: 'true',
  })} else period.due_at end
where id = $1 and generation = $2::bigint
  and ($3::bigint, $4::bigint, $5::bigint)
    > (period.published_epoch, period.published_seq, period.published_order)
returning id`;

export async function publish(
  db: Database,
  published: Published,
  now: number,
): Promise<'written' | 'stale'> {
  const { key, notify, killed } = published;
  const values = [
    periodRowId(key),
    key.generation,
    published.epoch,
    published.seq,
    published.order,
    now,
    notify.cost,
    notify.tokens,
    notify.calls,
    notify.duration,
    jsonText(published.latches),
    published.firingNo,
    published.appliedRev,
    killed === undefined ? undefined : jsonText(killed),
    jsonText(published.direct),
    jsonText(published.senders),
    published.closed,
    jsonText(published.openAlerts),
    published.rejected,
  ];
  const rows = await db.run(PUBLISH, values, { hot: true });
  return rows.length === 1 ? 'written' : 'stale';
}
