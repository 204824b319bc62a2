/**
 * C1. The operator's layer: set, raised and removed by a person, and what of it ends by itself.
 * Each change is one transaction with its audit entry. An end is written by whoever notices it
 * first: a gateway before it places a batch, or the watch of any gateway; twice is once.
 */
import type { Scope } from '../domain/budget/period-key.js';
import { applyChange, type LayerChange } from '../domain/configuration/change.js';
import { withoutEnded, type OperatorLayer } from '../domain/configuration/layers.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { audit, type AuditEntry } from './audit.js';
import type { Database, Run } from './database.js';
import { configurationOf, hold, lockedRow, type ConfigurationRow } from './layers-hold.js';
import type { ChangeLayerRequest, ScopeLayers } from './configuring.js';
import { jsonText } from './literals.js';

/** A scope with both its layers. */
function layersOf(row: ConfigurationRow): ScopeLayers {
  const { synced, operator } = row;
  return { ...configurationOf(row), synced, operator };
}

/** Of scopes that anybody ever configured, by name. */
export async function listLayers(
  db: Database,
  org: string,
  scope: Scope | undefined,
  limit: number,
): Promise<readonly ScopeLayers[]> {
  const rows = await db.run(
    `select * from scope_configuration
     where org = $1 and ($2::text is null or scope = $2) and rev > 0
     order by scope limit $3::bigint`,
    [org, scope, limit],
  );
  return rows.map((row) => layersOf(row as unknown as ConfigurationRow));
}

const WORDS: Readonly<Record<LayerChange['type'], AuditEntry['what']>> = {
  setLimits: 'limits_set',
  removeLimits: 'limits_removed',
  raise: 'raised',
  endRaise: 'raise_ended',
};

/** A refusal where the change makes no sense: then nothing is written. */
export function changeLayer(
  db: Database,
  request: ChangeLayerRequest,
  runIdleMs: number,
): Promise<{ changed: boolean; layers: ScopeLayers } | Refusal> {
  const { org, scope, change, by, now, windows, reason } = request;
  return db.transaction(async (run) => {
    const found = await lockedRow(run, org, scope);
    const before = await writeEnds(run, found, now, runIdleMs);
    const next = applyChange(before.operator, change, before.budgets, now);
    if (isRefusal(next)) return next;
    if (next === before.operator) return { changed: false, layers: layersOf(before) };
    const held = {
      name: request.name,
      // A zone once configured stays: a changed one may hold only from the next period (B2).
      zone: before.rev === 0 ? request.zone : before.zone,
      ...{ synced: before.synced, operator: next },
      ...(before.shown === null ? {} : { shown: before.shown }),
    };
    const written = await hold(run, before, held, { now, windows, runIdleMs });
    const entry = { org, subject: scope, at: now, by, what: WORDS[change.type] };
    const what = differenceOf(before.operator, next);
    const why = reason === undefined ? {} : { reason };
    await audit(run, { ...entry, before: what.gone, after: { ...what.come, ...why } });
    return { changed: true, layers: layersOf(written) };
  });
}

const DUE = `
select org, scope from scope_configuration
where ends_at <= $1::bigint and ($2::text is null or org = $2)
  and ($3::json is null or scope in (select json_array_elements_text($3::json)))
order by ends_at, org, scope limit 100`;

/** L-5. Writes what has ended, of all scopes or of some; `nextAt` is when to look again. */
export async function endLayers(
  db: Database,
  now: number,
  runIdleMs: number,
  which?: { readonly org: string; readonly scopes: readonly Scope[] },
): Promise<{ ended: number; nextAt?: number }> {
  const scopes = which === undefined ? undefined : jsonText(which.scopes);
  const due = await db.run(DUE, [now, which?.org, scopes], { hot: true });
  for (const { org, scope } of due as readonly { org: string; scope: Scope }[]) {
    await db.transaction(async (run) => {
      await writeEnds(run, await lockedRow(run, org, scope), now, runIdleMs);
    });
  }
  const [next] = await db.run('select min(ends_at) as at from scope_configuration');
  const nextAt = (next as { at: number | null } | undefined)?.at ?? undefined;
  return { ended: due.length, ...(nextAt === undefined ? {} : { nextAt }) };
}

/** No cadence gets its first limit by an end, so no period is missing. */
export async function writeEnds(
  run: Run,
  row: ConfigurationRow,
  now: number,
  runIdleMs: number,
): Promise<ConfigurationRow> {
  const operator = withoutEnded(row.operator, now);
  if (operator === row.operator) return row;
  const { org, scope, name, zone, synced, shown } = row;
  const held = {
    name: name ?? org,
    ...{ zone, synced, operator },
    ...(shown === null ? {} : { shown }),
  };
  const written = await hold(run, row, held, { now, windows: [], runIdleMs });
  const { limits, raises } = differenceOf(row.operator, operator).gone;
  const entry = { org, subject: scope, at: now, by: 'kavach' };
  for (const limit of limits) await audit(run, { ...entry, what: 'limit_ended', before: limit });
  for (const raise of raises) await audit(run, { ...entry, what: 'raise_ended', before: raise });
  return written;
}

/** Entries are replaced, never changed: what is not the same object has come or gone. */
function differenceOf(
  before: OperatorLayer,
  after: OperatorLayer,
): { readonly gone: OperatorLayer; readonly come: OperatorLayer } {
  const without = (a: OperatorLayer, b: OperatorLayer): OperatorLayer => ({
    limits: a.limits.filter((each) => !b.limits.includes(each)),
    raises: a.raises.filter((each) => !b.raises.includes(each)),
  });
  return { gone: without(before, after), come: without(after, before) };
}
