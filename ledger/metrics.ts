/**
 * Counting what metric events matched (R1, R2), in one transaction a batch.
 * LM-1. A keyed event counts once per (org, key), however often it comes.
 * LM-2. Nothing is counted under a revision of the rules that does not hold any more.
 * LM-3. A miss is written only where somebody wants to know: while matches were not decided on, or
 *       an alert is open (R3). An agent whose conditions are false costs no write.
 * Locks are taken in one order, agents first: the publish of an agent's workflow does the same.
 */
import type { Database, Run } from './database.js';
import { jsonText, storable, textArray } from './literals.js';
import type { CountAnswer, MetricBatch, MetricEvent } from './rule-book.js';

export function countMetrics(db: Database, batch: MetricBatch): Promise<CountAnswer> {
  const { org, events, rev, now } = batch;
  return db.transaction(async (run) => {
    const [set] = await run('select rev from rule_set where org = $1 for share', [org]);
    if (Number(set?.['rev'] ?? 0) !== rev) return { type: 'stale_rules' };
    const fresh = await freshOf(run, org, events, now);
    const deltas = deltasOf(fresh);
    if (deltas.length > 0) await count(run, org, deltas, now);
    return {
      type: 'counted',
      stored: fresh.length,
      duplicates: events.length - fresh.length,
      matches: deltas.reduce((sum, { matches }) => sum + matches, 0),
    };
  });
}

/** LM-1. In the order of their keys, so that two batches never wait for each other in a ring. */
async function freshOf(
  run: Run,
  org: string,
  events: readonly MetricEvent[],
  now: number,
): Promise<readonly MetricEvent[]> {
  const first = new Map<string, MetricEvent>();
  for (const event of events) {
    const key = event.key === undefined ? undefined : storable(event.key);
    if (key !== undefined && !first.has(key)) first.set(key, event);
  }
  if (first.size === 0) return events;
  const rows = await run(
    `insert into metric_key (org, key, at) select $1, k, $3::bigint from unnest($2::text[]) as k
     order by k on conflict (org, key) do nothing returning key`,
    [org, textArray([...first.keys()].sort()), now],
  );
  const stored = new Set(rows.map(({ key }) => first.get(String(key))));
  return events.filter((event) => event.key === undefined || stored.has(event));
}

interface Delta {
  readonly agent: string;
  readonly rule: string;
  readonly matches: number;
  /** Misses in a row at the end. */
  readonly misses: number;
  readonly last_at: number;
}

/** By (agent, rule), in their order; the events of each in the order of their own times. */
function deltasOf(events: readonly MetricEvent[]): readonly Delta[] {
  const deltas = new Map<string, Delta>();
  for (const { agent: name, at, results } of events.toSorted((a, b) => a.at - b.at)) {
    const agent = storable(name);
    for (const { rule, matched } of results) {
      const id = `${agent}\n${rule}`;
      const { matches = 0, misses = 0 } = deltas.get(id) ?? {};
      deltas.set(id, {
        ...{ agent, rule, last_at: at },
        ...{ matches: matches + Number(matched), misses: matched ? 0 : misses + 1 },
      });
    }
  }
  return [...deltas].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, delta]) => delta);
}

/** Only misses: what nobody watches is not made. */
const LOCK = `
select agent from rule_watch where org = $1 and agent = any($2::text[]) order by agent for update`;

/** Makes them where they are not, and holds them. */
const WATCH = `
insert into rule_watch (org, agent) select $1, a from unnest($2::text[]) as a order by a
on conflict (org, agent) do update set seq = rule_watch.seq`;

const DELTAS = `json_to_recordset($2::json)
  as d (agent text, rule text, matches bigint, misses bigint, last_at bigint)`;

/** `urgent`: the match may raise an alert now (R2). An event older than the last seen ends no row. */
const COUNT = `
insert into rule_counter (org, agent, rule, matches, misses, last_at, heard_at, matched_at)
select $1, d.agent, d.rule, d.matches, d.misses, d.last_at, $3::bigint,
  case when d.matches > 0 then $3::bigint end
from ${DELTAS}
where d.matches > 0 or exists (select from rule_counter c
  where c.org = $1 and c.agent = d.agent and c.rule = d.rule and (c.busy or c.matches > c.counted))
order by d.agent, d.rule
on conflict (org, agent, rule) do update set
  matches = rule_counter.matches + excluded.matches,
  misses = case when excluded.last_at < rule_counter.last_at then rule_counter.misses
    when excluded.matched_at is not null then excluded.misses
    else rule_counter.misses + excluded.misses end,
  last_at = greatest(rule_counter.last_at, excluded.last_at),
  heard_at = greatest(rule_counter.heard_at, excluded.heard_at),
  matched_at = greatest(rule_counter.matched_at, excluded.matched_at)
returning agent, rule, raised_at, (select r.cooldown_ms from rule r
  where r.org = rule_counter.org and r.id = rule_counter.rule) as cooldown_ms`;

const DUE = `
update rule_watch w set seq = w.seq + 1, due_at = case when d.urgent then $3::bigint
  else least(w.due_at, greatest(w.next_at, w.lease_until, $3::bigint)) end
from json_to_recordset($2::json) as d (agent text, urgent boolean)
where w.org = $1 and w.agent = d.agent`;

async function count(run: Run, org: string, deltas: readonly Delta[], now: number): Promise<void> {
  const agents = [...new Set(deltas.map(({ agent }) => agent))].sort();
  const matching = new Set(deltas.filter(({ matches }) => matches > 0).map(({ agent }) => agent));
  // In one order over both, but for an agent that is new: a ring is then tried again.
  if (matching.size < agents.length) await run(LOCK, [org, textArray(agents)]);
  if (matching.size > 0) await run(WATCH, [org, textArray([...matching].sort())]);
  const counted = await run(COUNT, [org, jsonText(deltas), now]);
  if (counted.length === 0) return;
  const due = new Map<string, boolean>();
  for (const { agent, rule, raised_at: raisedAt, cooldown_ms: cooldownMs } of counted) {
    const name = String(agent);
    const matched = deltas.some(
      (delta) => delta.agent === name && delta.rule === rule && delta.matches > 0,
    );
    const isQuiet = raisedAt !== null && Number(raisedAt) + Number(cooldownMs) > now;
    due.set(name, due.get(name) === true || (matched && !isQuiet));
  }
  const rows = [...due].map(([agent, urgent]) => ({ agent, urgent }));
  await run(DUE, [org, jsonText(rows), now]);
}
