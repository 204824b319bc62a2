/** What can be told of a ledger from outside its service. */
import { lag } from './claims.js';
import type { Database } from './database.js';
import { MIGRATION_TABLE } from './catalog.js';
import { readMigrations } from './migrate.js';

export interface MigrationState {
  readonly applied: number;
  /** There and not applied: the next start of the service applies them. */
  readonly missing: readonly string[];
  /** Applied by a version later than this one. */
  readonly unknown: readonly string[];
}

/** All of them missing where there is no ledger yet. */
export async function migrationState(db: Database): Promise<MigrationState> {
  const names = (await readMigrations()).map(({ name }) => name);
  const [there] = await db.run(`select to_regclass('${MIGRATION_TABLE}') is not null as there`);
  if (there?.['there'] !== true) return { applied: 0, missing: names, unknown: [] };
  const rows = await db.run(`select name from ${MIGRATION_TABLE}`);
  const applied = rows.map(({ name }) => String(name));
  return {
    applied: applied.length,
    missing: names.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !names.includes(name)),
  };
}

/** The database's clock, epoch ms. */
export async function databaseNow(db: Database): Promise<number> {
  const [row] = await db.run(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now',
  );
  return Number(row?.['now']);
}

export interface Backlog {
  readonly due: number;
  readonly oldestMs: number;
  readonly parked: number;
  /** Of one of the parked, in words. */
  readonly parkedReason?: string;
  /** Alerts whose start has failed so far. */
  readonly unstarted: number;
}

export async function backlog(db: Database, now: number): Promise<Backlog> {
  const rows = await lag(db, now);
  const [row] = await db.run(
    `select (select parked_reason from period where state = 'parked' limit 1) as reason,
       (select count(*) from alert_outbox where due_at is not null and tries > 0) as unstarted`,
  );
  const reason = (row?.['reason'] ?? undefined) as string | undefined;
  return {
    ...rows,
    unstarted: Number(row?.['unstarted'] ?? 0),
    ...(reason === undefined ? {} : { parkedReason: reason }),
  };
}

export interface Reach {
  /** Channels with a default destination, over all organisations. */
  readonly defaults: readonly string[];
  /** Organisations with agents, and those of them whose operators can be told. */
  readonly organisations: number;
  readonly operated: number;
  /** Destinations by health. */
  readonly health: Readonly<Record<string, number>>;
  readonly unverified: number;
  readonly emailDomains: readonly string[];
}

export async function reach(db: Database): Promise<Reach> {
  const [row] = await db.run(
    `select (select json_agg(distinct channel) from default_destination) as defaults,
       (select count(distinct org) from scope_configuration) as organisations,
       (select count(*) from organisation where jsonb_array_length(operators) > 0) as operated,
       (select json_object_agg(health, count) from
         (select health, count(*) from destination group by health) as by_health) as health,
       (select count(*) from destination d where d.channel = 'email' and not d.verified
         -- A person's own address waits for its code, and for nobody else's word.
         and not exists (select from contact c where c.org = d.org and c.reference = d.reference)
       ) as unverified,
       (select json_agg(distinct domain) from organisation,
         jsonb_array_elements_text(email_domains) as domain) as domains`,
  );
  return {
    defaults: (row?.['defaults'] ?? []) as readonly string[],
    organisations: Number(row?.['organisations'] ?? 0),
    operated: Number(row?.['operated'] ?? 0),
    health: (row?.['health'] ?? {}) as Readonly<Record<string, number>>,
    unverified: Number(row?.['unverified'] ?? 0),
    emailDomains: (row?.['domains'] ?? []) as readonly string[],
  };
}
