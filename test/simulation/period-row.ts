/**
 * One row of a ledger in memory, doing what ledger/ledger.ts says of it: own totals, notify
 * amounts, claims under a lease and a fence, publishes that never go back (L-3), late evaluation.
 * When a row is due follows the statements in ledger/period-sql.ts.
 */
import type { ThresholdAlert } from '../../domain/alert/state.js';
import type { PeriodOpening } from '../../domain/budget/input.js';
import type { Limits } from '../../domain/budget/limits.js';
import { initialNotify, notifyFor } from '../../domain/budget/notify.js';
import type { Notify, Published } from '../../domain/budget/state.js';
import { runLength } from '../../domain/budget/sum.js';
import type { Totals } from '../../domain/budget/totals.js';
import type { ClaimedPeriod } from '../../ledger/ledger.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Usage extends Pick<Totals, 'cost' | 'tokens' | 'calls'> {
  readonly at: number;
}

export interface Row extends Mutable<Omit<ClaimedPeriod, 'closing' | 'crossing' | 'key'>> {
  readonly key: ClaimedPeriod['key'];
  notify: Notify;
  direct: Totals;
  closesAt: number;
  reportedSeq: number;
  claimedSeq: number;
  dueAt: number | undefined;
  nextAt: number;
  leaseUntil: number;
  publishedMark: readonly [number, number, number];
}

const NOTHING: Totals = { cost: 0, tokens: 0, calls: 0 };

export function createRow(opening: PeriodOpening, runIdleMs: number): Row {
  const { window, limits } = opening;
  const closesAt = window.endsAt ?? window.startsAt + runIdleMs;
  return {
    ...opening,
    ...{ id: 'row', fence: 0, state: 'open', started: false, epoch: 1, seq: 0, tries: 0 },
    ...{ own: NOTHING, direct: NOTHING, appliedRev: 0, latches: {}, firingNo: 0, senders: {} },
    ...{ openAlerts: [], notify: initialNotify(limits), closesAt, dueAt: closesAt },
    ...{ reportedSeq: 0, claimedSeq: 0, nextAt: 0, leaseUntil: 0, publishedMark: [-1, -1, -1] },
  };
}

const lengthOf = ({ key, own, run }: Row): number =>
  key.cadence === 'run' ? runLength(own, run, false, 0) : 0;

function passes(row: Row, { cost, tokens, calls, duration }: Notify): boolean {
  const reached = (own: number, amount: number | undefined): boolean =>
    amount !== undefined && own >= amount;
  return (
    reached(row.own.cost, cost) ||
    reached(row.own.tokens, tokens) ||
    reached(row.own.calls, calls) ||
    reached(lengthOf(row), duration)
  );
}

export const isCrossing = (row: Row): boolean => row.state === 'open' && passes(row, row.notify);

function wakes({ started, key, run, notify }: Row): boolean {
  if (started) return true;
  if (key.cadence === 'run') return run?.open === true && notify.duration !== undefined;
  return Object.keys(notify).length > 0;
}

function dueAtOf(row: Row, now: number, crossing = isCrossing(row)): number | undefined {
  const nextAt = Math.max(row.nextAt, now);
  const untold = row.seq > row.reportedSeq;
  if (row.state === 'closed') return untold ? now : undefined;
  if (crossing) return now;
  if (untold && wakes(row)) return row.closesAt > now ? Math.min(nextAt, row.closesAt) : nextAt;
  return row.closesAt <= now ? nextAt : row.closesAt;
}

/** Counts one event; a run is heard of by it. */
export function ingest(row: Row, usage: Usage, now: number, runIdleMs: number): void {
  const { own } = row;
  row.own = {
    cost: own.cost + usage.cost,
    tokens: own.tokens + usage.tokens,
    calls: own.calls + usage.calls,
    firstAt: Math.min(own.firstAt ?? usage.at, usage.at),
    lastAt: Math.max(own.lastAt ?? usage.at, usage.at),
  };
  if (row.key.cadence === 'run') hear(row, usage.at, row.run?.open ?? false, runIdleMs);
  row.seq += 1;
  wake(row, now, isCrossing(row) || row.state === 'closed');
}

/** B7. `started` is kept as the earliest word. */
export function tellRun(
  row: Row,
  what: 'started' | 'heartbeat' | 'ended',
  now: number,
  runIdleMs: number,
): void {
  hear(row, now, what === 'started' ? true : what === 'ended' ? false : row.run?.open, runIdleMs);
  if (what === 'started') {
    row.run = { ...row.run!, startedAt: Math.min(row.run?.startedAt ?? now, now) };
  }
  row.seq += 1;
  const hurries = what !== 'heartbeat' && row.notify.duration !== undefined;
  wake(row, now, row.state === 'closed' || (hurries && (row.run?.open === true || row.started)));
}

function hear(row: Row, at: number, open = false, runIdleMs = 0): void {
  row.run = { ...row.run, heardAt: Math.max(row.run?.heardAt ?? at, at), open };
  row.closesAt = Math.max(row.closesAt, at + runIdleMs);
}

function wake(row: Row, now: number, atOnce: boolean): void {
  if (atOnce) row.dueAt = now;
  else if (wakes(row)) row.dueAt = Math.min(row.dueAt ?? now, Math.max(row.nextAt, now));
  else row.dueAt = row.closesAt;
}

/** A write of configuration: what is passed already the report that is due now will tell. */
export function setLimits(row: Row, limits: Limits, now: number): void {
  if (row.state === 'closed' || row.closesAt <= now || row.key.cadence === 'run') return;
  const { own, direct } = row;
  const spent = {
    ...{ cost: own.cost + direct.cost, tokens_total: own.tokens + direct.tokens },
    ...{ calls: own.calls + direct.calls, duration: 0 },
  };
  row.limits = limits;
  row.notify = notifyFor(limits, row.latches, spent, direct);
  row.seq += 1;
  if (wakes(row)) row.dueAt = now;
}

export function claim(row: Row, now: number, leaseMs: number): ClaimedPeriod | undefined {
  if (row.dueAt === undefined || row.dueAt > now || row.leaseUntil > now) return undefined;
  row.leaseUntil = now + leaseMs;
  row.fence += 1;
  row.claimedSeq = row.seq;
  const closing = row.state === 'open' && row.closesAt <= now;
  return structuredClone({ ...row, closing, crossing: isCrossing(row) });
}

export function reported(
  row: Row,
  told: ClaimedPeriod,
  now: number,
  nextInMs: number,
  isStarted: boolean,
): void {
  if (row.fence !== told.fence) return;
  row.started ||= isStarted;
  row.tries = 0;
  row.nextAt = now + nextInMs;
  if (row.state === 'open') row.reportedSeq = Math.max(row.reportedSeq, told.seq);
  if (told.crossing && row.leaseUntil > now) {
    row.dueAt = row.state === 'open' ? row.leaseUntil : dueAtOf(row, now);
    return;
  }
  row.leaseUntil = 0;
  row.dueAt = dueAtOf(row, now);
}

export function failed(row: Row, told: ClaimedPeriod, now: number, backoffMs: number): void {
  if (row.fence !== told.fence) return;
  row.tries += 1;
  row.leaseUntil = 0;
  row.dueAt = now + backoffMs;
}

export function closeRow(row: Row, told: ClaimedPeriod, seq: number, now: number): void {
  if (row.fence !== told.fence || row.state !== 'open') return;
  row.leaseUntil = 0;
  row.tries = 0;
  if (row.closesAt <= now) row.state = 'closed';
  row.reportedSeq = Math.max(row.reportedSeq, seq);
  row.dueAt = dueAtOf(row, now);
}

/** B4. Answers whether the alert is to be started. */
export function recordLate(
  row: Row,
  told: ClaimedPeriod,
  late: { latches: Row['latches']; firingNo: number; alert?: ThresholdAlert },
  now: number,
): boolean {
  if (row.fence !== told.fence || row.state !== 'closed') return false;
  row.latches = late.latches;
  row.firingNo = late.firingNo;
  row.leaseUntil = 0;
  row.reportedSeq = Math.max(row.reportedSeq, told.seq);
  row.dueAt = dueAtOf(row, now);
  return late.alert !== undefined;
}

/** L-3. Answers false when a newer one is there already. */
export function publish(row: Row, published: Published, now: number): boolean {
  const mark = [published.epoch, published.seq, published.order] as const;
  if (!isAfter(mark, row.publishedMark)) return false;
  const { notify, latches, firingNo, appliedRev, killed, direct, senders, openAlerts } =
    structuredClone(published);
  const wasOpen = row.state === 'open';
  Object.assign(row, { notify, appliedRev, direct, senders, openAlerts });
  // What fired after it was closed is the ledger's own (B4).
  if (wasOpen) Object.assign(row, { latches, firingNo });
  if (killed === undefined) delete row.killed;
  else row.killed = killed;
  row.publishedMark = mark;
  row.started = true;
  const answers = published.seq >= row.claimedSeq;
  // What a closed period has not taken in is late, whoever was told of it (B4).
  if (published.closed && wasOpen) {
    row.state = 'closed';
    row.reportedSeq = published.seq;
  } else row.reportedSeq = Math.max(row.reportedSeq, published.seq);
  if (answers) row.leaseUntil = 0;
  if (answers || published.closed) {
    row.dueAt = dueAtOf(row, now, wasOpen && row.state === 'open' && passes(row, notify));
  }
  return true;
}

function isAfter(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, part] of a.entries()) {
    if (part !== b[index]) return part > (b[index] ?? 0);
  }
  return false;
}
