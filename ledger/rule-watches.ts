/**
 * The relay's hold on agents whose rules have something to say, and the way back from their
 * workflows. As with periods: a claim is exclusive until its lease ends, and work under an outdated
 * fence changes nothing.
 */
import { emptyRow } from '../domain/agent/apply-report.js';
import type { RuleCount } from '../domain/agent/report.js';
import {
  LEDGER,
  type LoadedRules,
  type PublishedRules,
  type RuleRow,
} from '../domain/agent/state.js';
import { appliesTo, type Rule } from '../domain/rule.js';
import type { ClaimRequest } from './claimed-period.js';
import type { Database, Row } from './database.js';
import { jsonText, textArray } from './literals.js';
import type { ClaimedWatch } from './rule-book.js';
import { ruleOf } from './rules.js';

const HOT = { hot: true } as const;

const CLAIM = `
with due as materialized (
  select org, agent from rule_watch
  where due_at <= $1::bigint and lease_until <= $1::bigint
  order by due_at, org, agent limit $2::bigint for update skip locked
)
update rule_watch w set lease_until = $1::bigint + $3::bigint, due_at = $1::bigint + $3::bigint,
  fence = w.fence + 1
from due where w.org = due.org and w.agent = due.agent
returning w.org, w.agent, w.fence, w.seq, w.tries`;

/** Read after the claim: what it says is at least as new as the claim's seq. */
const COUNTS = `
select c.org, c.agent, c.rule, c.matches, c.misses, c.heard_at, c.matched_at
from rule_counter c
join json_to_recordset($1::json) as d (org text, agent text) on c.org = d.org and c.agent = d.agent
where c.busy or c.matches > c.counted
order by c.rule`;

const REVISIONS = `
select org, rev, (select epoch from ledger_life) as epoch from rule_set where org = any($1::text[])`;

interface Claimed {
  readonly org: string;
  readonly agent: string;
  readonly fence: number;
  readonly seq: number;
  readonly tries: number;
}

export async function claimWatches(
  db: Database,
  { now, limit, leaseMs }: ClaimRequest,
): Promise<readonly ClaimedWatch[]> {
  const rows = await db.run(CLAIM, [now, limit, leaseMs], HOT);
  if (rows.length === 0) return [];
  const claims = rows as unknown as readonly Claimed[];
  const names = claims.map(({ org, agent }) => ({ org, agent }));
  const counts = await db.run(COUNTS, [jsonText(names)], HOT);
  const orgs = [...new Set(claims.map(({ org }) => org))];
  const revisions = await db.run(REVISIONS, [textArray(orgs)], HOT);
  return claims.map((claim) => {
    const life = revisions.find(({ org }) => org === claim.org);
    const own = counts.filter(({ org, agent }) => org === claim.org && agent === claim.agent);
    return {
      ...claim,
      report: {
        ...{ sender: LEDGER, seq: claim.seq, rules: own.map(countOf) },
        ...{ epoch: Number(life?.['epoch'] ?? 0), rev: Number(life?.['rev'] ?? 0) },
      },
    };
  });
}

function countOf(row: Row): RuleCount {
  const { rule, matches, misses, heard_at: heardAt, matched_at: matchedAt } = row;
  return {
    rule: String(rule),
    ...{ matches: Number(matches), misses: Number(misses), heardAt: Number(heardAt) },
    ...(matchedAt === null ? {} : { matchedAt: Number(matchedAt) }),
  };
}

export async function watchReported(
  db: Database,
  { org, agent, fence, seq }: ClaimedWatch,
  now: number,
  nextInMs: number,
): Promise<void> {
  await db.run(
    `update rule_watch set reported_seq = greatest(reported_seq, $4::bigint), lease_until = 0,
       tries = 0, reason = null, next_at = $5::bigint,
       -- What came meanwhile waits its turn, unless it could raise an alert: then it is due now.
       due_at = case when seq <= $4::bigint then null
         when due_at <= $6::bigint then due_at else $5::bigint end
     where org = $1 and agent = $2 and fence = $3::bigint`,
    [org, agent, fence, seq, now + nextInMs, now],
    HOT,
  );
}

export async function watchFailed(
  db: Database,
  { org, agent, fence }: ClaimedWatch,
  { now, backoffMs, reason }: { now: number; backoffMs: number; reason: string },
): Promise<void> {
  await db.run(
    `update rule_watch set lease_until = 0, tries = tries + 1, reason = $4, due_at = $5::bigint
     where org = $1 and agent = $2 and fence = $3::bigint`,
    [org, agent, fence, reason, now + backoffMs],
    HOT,
  );
}

const LOAD = `
select s.rev, c.rule, c.senders, c.held, c.alerts, c.over, c.told, c.raised_at
from (select coalesce(max(rev), 0) as rev from rule_set where org = $1) as s
left join (select * from rule_counter
  where org = $1 and agent = $2 and (busy or rule = any($3::text[]))) as c on true`;

/** What was published of the counters is what a new life goes on from. */
export async function loadRules(
  db: Database,
  org: string,
  agent: string,
  asked: readonly string[],
): Promise<LoadedRules> {
  return db.transaction(async (run) => {
    // Held while both are read, so that they are of one revision.
    await run('select rev from rule_set where org = $1 for share', [org]);
    const rows = await run(LOAD, [org, agent, textArray(asked)]);
    const counters = rows.filter(({ rule }) => rule !== null).map(rowOf);
    const ids = [...new Set([...asked, ...counters.map(({ rule }) => rule)])];
    const found = await run('select * from rule where org = $1 and id = any($2::text[])', [
      org,
      textArray(ids),
    ]);
    const definitions = new Map(found.map((row) => [String(row['id']), definitionOf(row)]));
    const known = new Map(counters.map((row) => [row.rule, row]));
    return {
      rev: Number(rows[0]?.['rev'] ?? 0),
      rules: ids.map((id) => {
        const row = known.get(id) ?? emptyRow(id);
        const definition = definitions.get(id);
        const holds = definition !== undefined && appliesTo(definition, agent);
        return { row, ...(holds ? { definition } : {}) };
      }),
    };
  });
}

function definitionOf(row: Row): Rule {
  const { by: _by, at: _at, ...rule } = ruleOf(row);
  return rule;
}

function rowOf(row: Row): RuleRow {
  const { rule, senders, held, alerts, over, told, raised_at: raisedAt } = row;
  return {
    rule: String(rule),
    senders: senders as RuleRow['senders'],
    ...{ held: Number(held), alerts: Number(alerts), over: Number(over), told: Number(told) },
    ...(raisedAt === null ? {} : { raisedAt: Number(raisedAt) }),
  };
}

const FENCE = `
insert into rule_watch (org, agent, seq, published_order) values ($1, $2, 0, $3::bigint)
on conflict (org, agent) do update set published_order = excluded.published_order
  where rule_watch.published_order < excluded.published_order
returning agent`;

const RECORD = `as r (rule text, counted bigint, busy boolean, gone boolean, held bigint,
  alerts bigint, over bigint, told bigint, raised_at bigint, senders jsonb)`;

/** A rule that was removed meanwhile comes back by no publish; one that only moved keeps its numbers. */
const WRITE = `
insert into rule_counter (org, agent, rule, counted, busy, held, alerts, over, told, raised_at, senders)
select $1, $2, r.rule, r.counted, r.busy, r.held, r.alerts, r.over, r.told, r.raised_at, r.senders
from json_to_recordset($3::json) ${RECORD}
where exists (select from rule where org = $1 and id = r.rule)
  or exists (select from rule_counter c where c.org = $1 and c.agent = $2 and c.rule = r.rule)
order by r.rule
on conflict (org, agent, rule) do update set counted = excluded.counted, busy = excluded.busy,
  held = excluded.held, alerts = excluded.alerts, over = excluded.over, told = excluded.told,
  raised_at = excluded.raised_at, senders = excluded.senders`;

const GONE = `
delete from rule_counter c where c.org = $1 and c.agent = $2 and c.rule = any($3::text[])
  and not exists (select from rule where org = $1 and id = c.rule)`;

export function publishRules(
  db: Database,
  { org, agent, order, rules }: PublishedRules,
): Promise<void> {
  return db.transaction(async (run) => {
    const fenced = await run(FENCE, [org, agent, order]);
    if (fenced.length === 0) return;
    const rows = rules.map(({ raisedAt, ...rule }) => ({
      ...rule,
      counted: rule.senders[LEDGER]?.counted ?? 0,
      raised_at: raisedAt,
    }));
    await run(WRITE, [org, agent, jsonText(rows)]);
    const gone = rules.filter((each) => each.gone).map(({ rule }) => rule);
    if (gone.length > 0) await run(GONE, [org, agent, textArray(gone)]);
  });
}
