/**
 * What a batch of asks works on: rows under lock, and what else is counted in them.
 * LE-2. One statement takes the locks: configuration, holders, leases and periods, each kind
 *       whole and in order before the next begins, as ingest does. The next statement sees what
 *       was committed before the locks were there.
 */
import { NOTHING, type Amounts } from '../domain/lease/amounts.js';
import type { LeaseState } from '../domain/lease/lease.js';
import { periodRowId } from '../domain/ids.js';
import type { Run } from './database.js';
import type { PlacedAsk } from './lease.js';
import { countedIn, sumOf } from './lease-sql.js';
import { textArray } from './literals.js';
import type { PeriodRow } from './period-row.js';
import type { StopRow } from './stops.js';

export interface LeaseRow {
  readonly org: string;
  readonly id: string;
  readonly agent: string;
  readonly run: string | null;
  readonly holder: string;
  readonly state: LeaseState;
  readonly granted_cost: number;
  readonly granted_tokens: number;
  readonly granted_calls: number;
  readonly settled_cost: number;
  readonly settled_tokens: number;
  readonly settled_calls: number;
  readonly periods: readonly string[];
  readonly starts_at: number;
  readonly ends_at: number | null;
  readonly opened_at: number;
  readonly renewed_at: number;
  readonly expires_at: number;
  readonly closed_at: number | null;
  readonly why: string | null;
}

export interface HolderRow {
  readonly org: string;
  readonly holder: string;
  readonly agent: string;
  readonly last_n: number;
  readonly answer: string | null;
}

const HELD_COLUMNS = [
  ...(['id', 'org', 'scope', 'cadence', 'period', 'starts_at', 'ends_at', 'zone'] as const),
  ...(['closes_at', 'state', 'own_cost', 'own_tokens', 'own_calls', 'own_first_at'] as const),
  ...(['own_last_at', 'run_started_at', 'run_heard_at', 'run_open', 'limits', 'direct'] as const),
  'killed',
] as const;

/** Of a period what decides about leases; parsed once a batch. */
export interface HeldPeriod extends Pick<PeriodRow, (typeof HELD_COLUMNS)[number]> {
  readonly leased_at: number | null;
  readonly wanted_at: number | null;
}

/** A period with what is counted in it; a batch keeps it up to date as it grants. */
export interface PeriodBook {
  readonly row: HeldPeriod;
  leased: Amounts;
  /** Live ones. */
  holders: number;
  /** When the first lease was granted in it, and when room was wanted last. */
  leasedAt: number | undefined;
  wantedAt: number | undefined;
}

export interface Locked {
  readonly revisions: ReadonlyMap<string, number>;
  readonly holders: ReadonlyMap<string, HolderRow>;
  readonly leases: ReadonlyMap<string, LeaseRow>;
  readonly periods: ReadonlyMap<string, HeldPeriod>;
}

export interface Counted {
  readonly periods: ReadonlyMap<string, PeriodBook>;
  /** By organisation and agent. */
  readonly stops: ReadonlyMap<string, StopRow>;
}

/** Of names that hold no line feed of their own: organisations. */
export const nameOf = (org: string, name: string): string => `${org}\n${name}`;

const LOCK = `
with scope_row as materialized (
  select c.org, c.scope, c.rev from scope_configuration c
  where (c.org, c.scope) in (select * from unnest($1::text[], $2::text[]))
  order by c.org, c.scope for share
), holder_row as materialized (
  select h.org, h.holder, h.agent, h.last_n, h.answer from lease_holder h
  where (h.org, h.holder) in (select * from unnest($3::text[], $4::text[]))
    and (select count(*) >= 0 from scope_row)
  order by h.org, h.holder for update
), lease_row as materialized (
  select l.* from lease l
  where (l.org, l.id) in (select * from unnest($5::text[], $6::text[]))
    and (select count(*) >= 0 from holder_row)
  order by l.org, l.id for update
), period_row as materialized (
  select ${HELD_COLUMNS.map((name) => `p.${name}`).join(', ')}, p.leased_at, p.wanted_at
  from period p
  where p.id = any($7::text[]) and (select count(*) >= 0 from lease_row)
  order by p.id for update
)
select (select json_agg(scope_row) from scope_row) as scopes,
  (select json_agg(holder_row) from holder_row) as holders,
  (select json_agg(lease_row) from lease_row) as leases,
  (select json_agg(period_row) from period_row) as periods`;

/** The id of the lease that this ask is about, or opens. */
export const leaseIdOf = ({ ask }: PlacedAsk): string =>
  ask.lease ?? `${ask.holder}/${String(ask.n)}`;

export async function lockRows(run: Run, asks: readonly PlacedAsk[]): Promise<Locked> {
  const [row] = await run(LOCK, [
    ...pairs(asks.flatMap(({ org, revisions }) => revisions.map(({ scope }) => [org, scope]))),
    ...pairs(asks.map(({ org, ask }) => [org, ask.holder])),
    ...pairs(asks.map((each) => [each.org, leaseIdOf(each)])),
    textArray([...new Set(asks.flatMap(({ seeds }) => seeds.map(({ key }) => periodRowId(key))))]),
  ]);
  const locked = row as unknown as {
    scopes: readonly { org: string; scope: string; rev: number }[] | null;
    holders: readonly HolderRow[] | null;
    leases: readonly LeaseRow[] | null;
    periods: readonly HeldPeriod[] | null;
  };
  return {
    revisions: new Map(
      (locked.scopes ?? []).map(({ org, scope, rev }) => [nameOf(org, scope), rev]),
    ),
    holders: new Map((locked.holders ?? []).map((each) => [nameOf(each.org, each.holder), each])),
    leases: new Map((locked.leases ?? []).map((each) => [nameOf(each.org, each.id), each])),
    periods: new Map((locked.periods ?? []).map((each) => [each.id, each])),
  };
}

const READ = `
with p as materialized (
  select id, org, scope, cadence, period, starts_at, ends_at from period
  where id = any($1::text[])
), counted as materialized (${countedIn('p')}
), sums as (
  select l.period_id as id, ${sumOf()} as leased,
    count(distinct l.holder) filter (where l.state = 'open' and l.expires_at > $2::bigint)
      as holders
  from counted l group by l.period_id
)
select (select json_agg(sums) from sums) as sums,
  (select json_agg(stop) from stop
    where (org, agent) in (select * from unnest($3::text[], $4::text[]))) as stops`;

/** LE-2. Only right in a statement after the one that took the locks. */
export async function readCounted(
  run: Run,
  asks: readonly PlacedAsk[],
  { periods }: Locked,
  now: number,
): Promise<Counted> {
  const [row] = await run(READ, [
    textArray([...periods.keys()]),
    now,
    ...pairs(asks.map(({ org, ask }) => [org, ask.agent])),
  ]);
  const read = row as unknown as {
    sums: readonly { id: string; leased: Amounts; holders: number }[] | null;
    stops: readonly (StopRow & { org: string })[] | null;
  };
  const sums = new Map((read.sums ?? []).map((each) => [each.id, each]));
  return {
    periods: new Map(
      Array.from(periods, ([id, held]) => [
        id,
        {
          row: held,
          leased: sums.get(id)?.leased ?? NOTHING,
          holders: sums.get(id)?.holders ?? 0,
          leasedAt: held.leased_at ?? undefined,
          wantedAt: held.wanted_at ?? undefined,
        },
      ]),
    ),
    stops: new Map((read.stops ?? []).map((each) => [nameOf(each.org, each.agent), each])),
  };
}

/** Each pair once, as two columns. */
export function pairs(all: readonly (readonly [string, string])[] | string[][]): [string, string] {
  const unique = new Map(all.map((pair) => [pair.join('\n'), pair]));
  const column = (no: 0 | 1): string =>
    textArray(Array.from(unique.values(), (pair) => pair[no] ?? ''));
  return [column(0), column(1)];
}
