/** What there is of each kind that retention knows, and since when. */
import type { Database } from './database.js';
import {
  RETENTION_KINDS,
  type KeptKind,
  type Retention,
  type RetentionKind,
} from './retention-policy.js';

/** Events are not counted one by one: their running totals know. */
const STATUS: Readonly<Record<RetentionKind, string>> = {
  events: `select (select coalesce(sum(events), 0) from usage_total)
      - (select coalesce(sum(events), 0) from usage_pruned) as rows,
    (select min(first.at) from usage_total t cross join lateral (
      select min(e.at) as at from usage_event e where e.org = t.org and e.agent = t.agent) as first
    ) as oldest, pg_total_relation_size('usage_event') as bytes`,
  runs: periods(`cadence = 'run'`),
  periods: periods(`cadence <> 'run'`),
  messages: ofAlerts('delivery'),
  attempts: `select count(*) as rows, min(started_at) as oldest,
    pg_total_relation_size('attempt') as bytes from attempt`,
  journal: `select count(*) as rows, min(at) as oldest,
    pg_total_relation_size('journal') + pg_total_relation_size('alert') as bytes from journal`,
  audit: numbered('audit'),
  quarantine: numbered('quarantined_event'),
  notices: numbered('operator_notice'),
  metrics: numbered('metric_key'),
  leases: `select count(*) as rows, min(opened_at) as oldest,
    pg_total_relation_size('lease') + pg_total_relation_size('lease_holder') as bytes from lease`,
};

function periods(which: string): string {
  return `select count(*) as rows, min(starts_at) filter (where starts_at > 0) as oldest,
    pg_total_relation_size('period') as bytes from period where ${which}`;
}

function ofAlerts(table: string): string {
  return `select count(*) as rows, min(a.raised_at) as oldest,
    pg_total_relation_size('${table}') as bytes
    from ${table} t left join alert a on a.org = t.org and a.id = t.alert_id`;
}

function numbered(table: string): string {
  return `select count(*) as rows, min(at) as oldest, pg_total_relation_size('${table}') as bytes
    from ${table}`;
}

/** In the order of `RETENTION_KINDS`, over all organisations. */
export async function keptKinds(db: Database, retention: Retention): Promise<readonly KeptKind[]> {
  const kept: KeptKind[] = [];
  for (const kind of RETENTION_KINDS) {
    const [row] = await db.run(STATUS[kind]);
    const days = retention[kind];
    const oldest = row?.['oldest'] ?? undefined;
    kept.push({
      ...{ kind, rows: Number(row?.['rows'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) },
      ...(days === undefined ? {} : { days }),
      ...(oldest === undefined ? {} : { oldestAt: Number(oldest) }),
    });
  }
  return kept;
}
