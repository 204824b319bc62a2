/** A period's row as SQL answers it, and what the rest of the program sees of it. */
import { sinceReset, type Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow, Scope } from '../domain/budget/period-key.js';
import type { Killed, Latches, OpenAlert, SenderTotals } from '../domain/budget/state.js';
import type { RunLife, Totals } from '../domain/budget/totals.js';
import type { Cadence, Dimension } from '../domain/words.js';
import type { Row } from './database.js';
import type { ClaimedPeriod, TouchedPeriod } from './ledger.js';

/** The columns of `period` as they come over the wire; the table is ours, so a cast is enough. */
export interface PeriodRow {
  readonly id: string;
  readonly org: string;
  readonly scope: Scope;
  readonly cadence: Cadence;
  readonly period: string;
  readonly generation: number;
  readonly name: string;
  readonly starts_at: number;
  readonly ends_at: number | null;
  readonly zone: string;
  readonly closes_at: number | null;
  readonly own_cost: number;
  readonly own_tokens: number;
  readonly own_calls: number;
  readonly own_first_at: number | null;
  readonly own_last_at: number | null;
  readonly run_started_at: number | null;
  readonly run_heard_at: number | null;
  readonly run_open: boolean;
  readonly seq: number;
  readonly limits: Limits;
  readonly block_cost: number | null;
  readonly block_tokens: number | null;
  readonly block_calls: number | null;
  readonly block_duration: number | null;
  readonly applied_rev: number;
  readonly latches: Latches;
  readonly firing_no: number;
  readonly killed: Killed | null;
  readonly direct: Totals;
  readonly senders: Readonly<Record<string, SenderTotals>>;
  readonly open_alerts: readonly OpenAlert[];
  readonly published_order: number;
  readonly state: 'open' | 'closed' | 'parked';
  readonly started: boolean;
  readonly fence: number;
  readonly tries: number;
  readonly parked_reason: string | null;
}

const COLUMNS = {
  id: true,
  org: true,
  scope: true,
  cadence: true,
  period: true,
  generation: true,
  name: true,
  starts_at: true,
  ends_at: true,
  zone: true,
  closes_at: true,
  own_cost: true,
  own_tokens: true,
  own_calls: true,
  own_first_at: true,
  own_last_at: true,
  run_started_at: true,
  run_heard_at: true,
  run_open: true,
  seq: true,
  limits: true,
  block_cost: true,
  block_tokens: true,
  block_calls: true,
  block_duration: true,
  applied_rev: true,
  latches: true,
  firing_no: true,
  killed: true,
  direct: true,
  senders: true,
  open_alerts: true,
  published_order: true,
  state: true,
  started: true,
  fence: true,
  tries: true,
  parked_reason: true,
} satisfies Record<keyof PeriodRow, true>;

/** For a statement that answers rows: those columns and no more, as a batch answers many. */
export const ROW_COLUMNS = Object.keys(COLUMNS)
  .map((name) => `period.${name}`)
  .join(', ');

/** What a claim's statement answers beside the row. */
export interface ClaimedRow extends PeriodRow {
  readonly epoch: number;
  readonly crossing: boolean;
}

export function periodRowOf(row: Row): PeriodRow {
  return row as unknown as PeriodRow;
}

export function keyOf(
  row: Pick<PeriodRow, 'org' | 'scope' | 'cadence' | 'period' | 'generation'>,
): PeriodKey {
  const { org, scope, cadence, period, generation } = row;
  return { org, scope, cadence, period, generation };
}

export function windowOf(row: Pick<PeriodRow, 'starts_at' | 'ends_at' | 'zone'>): PeriodWindow {
  const { starts_at, ends_at, zone } = row;
  return { startsAt: starts_at, ...(ends_at === null ? {} : { endsAt: ends_at }), zone };
}

export function ownTotalsOf(row: PeriodRow): Totals {
  return {
    ...{ cost: row.own_cost, tokens: row.own_tokens, calls: row.own_calls },
    ...(row.own_first_at === null ? {} : { firstAt: row.own_first_at }),
    ...(row.own_last_at === null ? {} : { lastAt: row.own_last_at }),
  };
}

function runLifeOf(row: PeriodRow): RunLife | undefined {
  if (row.cadence !== 'run') return undefined;
  return {
    ...(row.run_started_at === null ? {} : { startedAt: row.run_started_at }),
    ...(row.run_heard_at === null ? {} : { heardAt: row.run_heard_at }),
    open: row.run_open,
  };
}

type Counted = Pick<
  PeriodRow,
  | ('cadence' | 'own_cost' | 'own_tokens' | 'own_calls' | 'own_first_at' | 'own_last_at')
  | ('run_started_at' | 'run_heard_at' | 'run_open' | 'direct')
>;

/** B7. So far: to the last word while the run is open, else to the last event. 0 outside a run. */
export function durationOf(row: Counted): number {
  if (row.cadence !== 'run') return 0;
  const firsts = [row.own_first_at, row.run_started_at].filter((at) => at !== null);
  const lasts = [row.own_last_at, row.run_open ? row.run_heard_at : null];
  const last = Math.max(...lasts.filter((at) => at !== null));
  return firsts.length === 0 || !Number.isFinite(last)
    ? 0
    : Math.max(0, last - Math.min(...firsts));
}

/** B9. Own and direct totals together have reached a `block` limit. */
export function isBlocked(row: PeriodRow): boolean {
  const { direct } = row;
  const reached = (limit: number | null, own: number, others: number): boolean =>
    limit !== null && own >= limit - others;
  return (
    reached(row.block_cost, row.own_cost, direct.cost) ||
    reached(row.block_tokens, row.own_tokens, direct.tokens) ||
    reached(row.block_calls, row.own_calls, direct.calls) ||
    reached(row.block_duration, durationOf(row), 0)
  );
}

/** All senders together, whatever was reset. */
export function totalsOf(row: Counted): Readonly<Record<Dimension, number>> {
  const { direct } = row;
  return {
    cost: row.own_cost + direct.cost,
    tokens_total: row.own_tokens + direct.tokens,
    calls: row.own_calls + direct.calls,
    duration: durationOf(row),
  };
}

export function killedOf(row: PeriodRow): { killed?: Killed } {
  return row.killed === null ? {} : { killed: row.killed };
}

export function touchedPeriodOf(row: PeriodRow, claim: ClaimedPeriod | undefined): TouchedPeriod {
  return {
    id: row.id,
    key: keyOf(row),
    ...killedOf(row),
    blocked: isBlocked(row),
    spent: sinceReset(row.limits, totalsOf(row)),
    ...(claim === undefined ? {} : { claim }),
  };
}

/** `now` decides whether the row's end has passed. */
export function claimedPeriodOf(row: ClaimedRow, now: number): ClaimedPeriod {
  const run = runLifeOf(row);
  return {
    id: row.id,
    fence: row.fence,
    key: keyOf(row),
    window: windowOf(row),
    name: row.name,
    state: row.state === 'closed' ? 'closed' : 'open',
    started: row.started,
    epoch: row.epoch,
    seq: row.seq,
    own: ownTotalsOf(row),
    ...(run === undefined ? {} : { run }),
    limits: row.limits,
    appliedRev: row.applied_rev,
    latches: row.latches,
    firingNo: row.firing_no,
    ...killedOf(row),
    senders: row.senders,
    openAlerts: row.open_alerts,
    publishes: Math.max(0, row.published_order),
    closing: row.state === 'open' && row.closes_at !== null && row.closes_at <= now,
    crossing: row.crossing,
    tries: row.tries,
  };
}
