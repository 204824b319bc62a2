/**
 * What scopes are held to, and what agents synced of it (C1). One transaction writes it with its
 * audit entry and brings the open rows to it (layers-hold.ts). The scope's row is locked first, and
 * `ingest` holds it too: a batch was placed under what was there when it was stored, or it is not
 * stored.
 */
import type { Scope } from '../domain/budget/period-key.js';
import type { ScopeConfiguration } from '../domain/configuration.js';
import { audit } from './audit.js';
import { canonicalJson } from './canonical.js';
import type { Database } from './database.js';
import { configurationOf, hold, lockedRow, type ConfigurationRow } from './layers-hold.js';
import type { ConfigureRequest } from './ledger.js';
import { jsonText } from './literals.js';

/** In the order asked for; what is missing is created at revision 0, so that it can be locked. */
export async function configurations(
  db: Database,
  org: string,
  scopes: readonly Scope[],
): Promise<readonly ScopeConfiguration[]> {
  const wanted = jsonText([...new Set(scopes)].sort());
  const read = (): Promise<readonly unknown[]> =>
    db.run(
      `select c.* from scope_configuration c
       where org = $1 and scope in (select json_array_elements_text($2::json))`,
      [org, wanted],
      { hot: true },
    );
  let rows = await read();
  if (rows.length < new Set(scopes).size) {
    await db.run(
      `insert into scope_configuration (org, scope)
       select $1, json_array_elements_text($2::json) on conflict do nothing`,
      [org, wanted],
    );
    rows = await read();
  }
  const byScope = new Map(
    (rows as readonly ConfigurationRow[]).map((row) => [row.scope, configurationOf(row)]),
  );
  return scopes.map((scope) => {
    const found = byScope.get(scope);
    if (found === undefined) throw new Error(`Scope ${scope} of ${org} cannot be kept as a name.`);
    return found;
  });
}

/** C1. The agents' layer, whole; the operator's stays. The same content changes nothing. */
export function configure(
  db: Database,
  request: ConfigureRequest,
  runIdleMs: number,
): Promise<{ changed: boolean; configuration: ScopeConfiguration }> {
  const { org, scope, name, zone, budgets, shown, by, now, windows } = request;
  return db.transaction(async (run) => {
    const before = await lockedRow(run, org, scope);
    // C2. Somebody else wrote since it was read: the caller reads again.
    if (request.ifRev !== undefined && request.ifRev !== before.rev) {
      return { changed: false, configuration: configurationOf(before) };
    }
    const wanted = { name, zone, budgets, shown };
    if (canonicalJson(contentOf(before)) === canonicalJson(wanted)) {
      return { changed: false, configuration: configurationOf(before) };
    }
    const held = {
      ...{ name, zone, synced: budgets, operator: before.operator },
      ...(shown === undefined ? {} : { shown }),
    };
    const written = await hold(run, before, held, { now, windows, runIdleMs });
    const entry = { org, subject: scope, at: now, by, what: 'configured' as const };
    await audit(run, { ...entry, before: contentOf(before), after: wanted });
    return { changed: true, configuration: configurationOf(written) };
  });
}

function contentOf(row: ConfigurationRow): Record<string, unknown> {
  return {
    name: row.name ?? undefined,
    zone: row.zone,
    budgets: row.synced,
    shown: row.shown ?? undefined,
  };
}
