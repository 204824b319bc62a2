/**
 * Setting and removing rules.
 * LU-1. Every change raises the organisation's revision under a lock that counting shares: an event
 *       is held against the rules as they were before a change or after it, never in between.
 * LU-2. Agents for which something of the rule is open, or may be, are told of the change at once.
 */
import { audit } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Author } from './configuring.js';
import type { Database, Row, Run } from './database.js';
import { jsonText } from './literals.js';
import type { RuleSet, RuleView, SetRuleAnswer, SetRuleRequest } from './rule-book.js';

/** More would make every event dear, and nobody could tell them apart. */
const MAX_RULES = 500;

const COLUMNS = 'id, name, agent, condition, channels, priority, cooldown_ms, recipients, by, at';

const RULES = `
select s.rev, r.* from (select coalesce(max(rev), 0) as rev from rule_set where org = $1) as s
left join (select ${COLUMNS} from rule where org = $1) as r on true
order by r.name`;

export async function rules(db: Database, org: string): Promise<RuleSet> {
  const rows = await db.run(RULES, [org]);
  return {
    rev: Number(rows[0]?.['rev'] ?? 0),
    rules: rows.filter(({ id }) => id !== null).map(ruleOf),
  };
}

export function ruleOf(row: Row): RuleView {
  const { cooldown_ms: cooldownMs, id, name, agent, condition, channels, priority } = row;
  const { recipients, by, at } = row;
  return {
    ...{ id, name, agent, condition, channels, priority, cooldownMs, recipients, by, at },
  } as unknown as RuleView;
}

export function setRule(db: Database, request: SetRuleRequest): Promise<SetRuleAnswer> {
  const { org, rule, by, now } = request;
  return db.transaction(async (run) => {
    await raiseRevision(run, org);
    const known = await run(`select ${COLUMNS} from rule where org = $1`, [org]);
    const before = known.map(ruleOf).find(({ id }) => id === rule.id);
    if (before === undefined && !request.isNew) return { type: 'unknown' };
    if (before === undefined && known.length >= MAX_RULES) return { type: 'full' };
    if (known.some(({ id, name }) => name === rule.name && id !== rule.id)) {
      return { type: 'taken' };
    }
    const after: RuleView = { ...rule, by, at: now };
    if (before !== undefined && contentOf(before) === contentOf(after)) {
      return { type: 'set', changed: false, rule: before };
    }
    await run(
      `insert into rule (org, ${COLUMNS})
       values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8::bigint, $9::jsonb, $10, $11::bigint)
       on conflict (org, id) do update set (${COLUMNS}) = (select ${COLUMNS.split(', ')
         .map((name) => `excluded.${name}`)
         .join(', ')})`,
      [
        ...[org, rule.id, rule.name, rule.agent, rule.condition, jsonText(rule.channels)],
        ...[rule.priority, rule.cooldownMs, jsonText(rule.recipients), by, now],
      ],
    );
    await tellBusy(run, org, rule.id, now);
    if (before !== undefined && before.condition !== rule.condition) {
      // What was false before was another condition.
      await run('update rule_counter set misses = 0 where org = $1 and rule = $2', [org, rule.id]);
    }
    const entry = { org, subject: `rule:${rule.id}`, at: now, by, what: 'rule_set' } as const;
    await audit(run, { ...entry, before, after });
    return { type: 'set', changed: true, rule: after };
  });
}

export function removeRule(
  db: Database,
  { org, id, by, now }: Author & { org: string; id: string },
): Promise<RuleView | undefined> {
  return db.transaction(async (run) => {
    // What is refused changes nothing, the revision included.
    const known = await run('select from rule where org = $1 and id = $2', [org, id]);
    if (known.length === 0) return undefined;
    await raiseRevision(run, org);
    const [row] = await run(`delete from rule where org = $1 and id = $2 returning ${COLUMNS}`, [
      org,
      id,
    ]);
    if (row === undefined) return undefined;
    const before = ruleOf(row);
    await tellBusy(run, org, id, now);
    await run(
      'delete from rule_counter where org = $1 and rule = $2 and not (busy or matches > counted)',
      [org, id],
    );
    const entry = { org, subject: `rule:${id}`, at: now, by, what: 'rule_removed' } as const;
    await audit(run, { ...entry, before });
    return before;
  });
}

/** LU-1. */
export async function raiseRevision(run: Run, org: string): Promise<void> {
  await run(
    `insert into rule_set (org, rev) values ($1, 1)
     on conflict (org) do update set rev = rule_set.rev + 1`,
    [org],
  );
}

/** Something is open, or may be: matches that the workflow may have heard of, and not answered yet. */
const LIVE = '(c.busy or c.matches > c.counted)';

/** LU-2. In the order in which counting locks them. */
async function tellBusy(run: Run, org: string, rule: string, now: number): Promise<void> {
  await run(
    `with busy as materialized (
       select w.agent from rule_watch w join rule_counter c on c.org = w.org and c.agent = w.agent
       where w.org = $1 and c.rule = $2 and ${LIVE} order by w.agent for update of w
     )
     update rule_watch w set seq = w.seq + 1, due_at = $3::bigint
     from busy where w.org = $1 and w.agent = busy.agent`,
    [org, rule, now],
  );
}

function contentOf({ by: _by, at: _at, ...rule }: RuleView): string {
  return canonicalJson(rule);
}
