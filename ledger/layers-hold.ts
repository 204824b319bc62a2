/**
 * Writing what a scope is held to: the row of its configuration, the limits of its open calendar
 * rows, and the rows that are missing (B8). Runs stay as they began (C3). The caller holds the
 * scope's lock, and writes the audit entry in the same transaction.
 *
 * K4, T5. Kills and latches of a row are brought to the new limits here already, by the rules the
 * period follows: a raise lets an agent go on while Temporal is away. The period's next publish
 * under these limits has the last word; one that was under way when they changed does not.
 */
import { sinceReset, type Base, type Limits } from '../domain/budget/limits.js';
import { notifyFor } from '../domain/budget/notify.js';
import type { PeriodKey, PeriodWindow, Scope } from '../domain/budget/period-key.js';
import { underLimits } from '../domain/budget/under-limits.js';
import { limitsOf, type Budget, type ScopeConfiguration } from '../domain/configuration.js';
import { effectiveBudgets, nextEndOf, type OperatorLayer } from '../domain/configuration/layers.js';
import type { Cadence } from '../domain/words.js';
import type { Run } from './database.js';
import { jsonText } from './literals.js';
import { killedOf, periodRowOf, totalsOf, type PeriodRow } from './period-row.js';
import { wakes } from './period-sql.js';
import { insertPeriods, lockScopes } from './periods.js';
import { LIMIT_COLUMNS, LIMIT_RECORD, limitColumns } from './seeds.js';

export interface ConfigurationRow {
  readonly org: string;
  readonly scope: Scope;
  readonly name: string | null;
  readonly zone: string;
  readonly budgets: readonly Budget[];
  readonly synced: readonly Budget[];
  readonly operator: OperatorLayer;
  readonly ends_at: number | null;
  readonly shown: readonly unknown[] | null;
  readonly rev: number;
  readonly changed_at: number;
}

/** What is given replaces what was there. */
export interface Held {
  readonly name: string;
  readonly zone: string;
  readonly synced: readonly Budget[];
  readonly operator: OperatorLayer;
  readonly shown?: readonly unknown[];
}

export interface Holding {
  readonly now: number;
  readonly runIdleMs: number;
  /** Of all cadences that may need a row; those that have no limits get none. */
  readonly windows: readonly { readonly key: PeriodKey; readonly window: PeriodWindow }[];
  /** C1. A new base for rows that are reset; others keep theirs. */
  readonly resets?: ReadonlyMap<string, Base>;
}

export function configurationOf(row: ConfigurationRow): ScopeConfiguration {
  const { org, scope, zone, budgets, shown, rev, changed_at, ends_at } = row;
  return {
    ...{ org, scope, zone, budgets, rev, changedAt: changed_at },
    ...(ends_at === null ? {} : { changesAt: ends_at }),
    ...(shown === null ? {} : { shown }),
  };
}

/** The scope's row, created where it is missing and held until the transaction ends. */
export async function lockedRow(run: Run, org: string, scope: Scope): Promise<ConfigurationRow> {
  await lockScopes(run, org, [scope]);
  const [row] = await run('select * from scope_configuration where org = $1 and scope = $2', [
    org,
    scope,
  ]);
  return row as unknown as ConfigurationRow;
}

const WRITE = `
update scope_configuration set name = $3, zone = $4, synced = $5::jsonb, operator = $6::jsonb,
  budgets = $7::jsonb, shown = $8::jsonb, ends_at = $9::bigint, rev = rev + 1,
  changed_at = $10::bigint
where org = $1 and scope = $2 returning *`;

/** Raises the revision: every batch that was placed under the old one is placed again. */
export async function hold(
  run: Run,
  { org, scope }: { readonly org: string; readonly scope: Scope },
  { name, zone, synced, operator, shown }: Held,
  { now, runIdleMs, windows, resets }: Holding,
): Promise<ConfigurationRow> {
  const budgets = effectiveBudgets(synced, operator, now);
  const [row] = await run(WRITE, [
    ...[org, scope, name, zone, jsonText(synced), jsonText(operator), jsonText(budgets)],
    ...[shown === undefined ? undefined : jsonText(shown), nextEndOf(operator), now],
  ]);
  const written = row as unknown as ConfigurationRow;
  const configuration = configurationOf(written);
  await updateRows(run, configuration, { name, now, resets: resets ?? new Map() });
  const seeds = windows
    .filter(({ key }) => key.cadence !== 'run' && limitsOf(configuration, key.cadence).length > 0)
    .map(({ key, window }) => ({
      ...{ key, window, name },
      limits: limitsAt(configuration, key.cadence),
    }));
  await insertPeriods(run, seeds, now, runIdleMs);
  return written;
}

function limitsAt(configuration: ScopeConfiguration, cadence: Cadence): Limits {
  return { rev: configuration.rev, limits: limitsOf(configuration, cadence) };
}

export const OPEN_ROWS = `
select * from period
where org = $1 and scope = $2 and cadence <> 'run' and state <> 'closed'
  and (closes_at is null or closes_at > $3::bigint)
order by id for update`;

const NEW_NOTIFY = {
  cost: 'l.notify_cost',
  tokens: 'l.notify_tokens',
  calls: 'l.notify_calls',
  duration: 'l.notify_duration',
};

/** `watched`: a threshold that is passed already is nobody's next amount, and has to be told, too. */
const SET_LIMITS = `
update period set name = $2, seq = period.seq + 1, latches = l.latches, killed = l.killed,
  lifted_rev = case when period.killed is not null and l.killed is null then l.limits_rev
    else period.lifted_rev end,
  ${LIMIT_COLUMNS.split(',')
    .map((name) => `${name.trim()} = l.${name.trim()}`)
    .join(', ')},
  due_at = case when period.state = 'parked' then null
    when ${wakes('period.run_open', NEW_NOTIFY)} or (l.watched and period.own_calls > 0)
      then $3::bigint
    else period.due_at end
from (
  select * from json_to_recordset($1::json)
    as l (id text, latches jsonb, killed jsonb, watched boolean, ${LIMIT_RECORD})
) as l
where period.id = l.id`;

/** A budget that is gone leaves its open row with no limits. */
async function updateRows(
  run: Run,
  configuration: ScopeConfiguration,
  {
    name,
    now,
    resets,
  }: { readonly name: string; readonly now: number; readonly resets: ReadonlyMap<string, Base> },
): Promise<void> {
  const { org, scope } = configuration;
  const rows = (await run(OPEN_ROWS, [org, scope, now])).map(periodRowOf);
  if (rows.length === 0) return;
  const updates = rows.map((row) => {
    const base = resets.get(row.id) ?? row.limits.base;
    const limits = {
      ...limitsAt(configuration, row.cadence),
      ...(base === undefined ? {} : { base }),
    };
    const spent = sinceReset(limits, totalsOf(row));
    const { latches, killed } = underLimits(enforcedIn(row), limits, spent);
    // What is passed already the workflow learns from the report that is due now.
    const notify = notifyFor(limits, latches, spent, row.direct);
    const watched = limits.limits.some(({ thresholds }) => thresholds.length > 0);
    return { id: row.id, latches, killed, watched, ...limitColumns(limits, notify) };
  });
  await run(SET_LIMITS, [jsonText(updates), name, now]);
}

function enforcedIn(row: PeriodRow) {
  const { limits, latches } = row;
  return { limits, latches, ...killedOf(row) };
}
