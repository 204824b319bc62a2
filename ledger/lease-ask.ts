/**
 * What one ask comes to, of rows that are under lock (L1 to L5). Keeps the books of its periods
 * up to date, so that the asks behind it in the batch see what it was granted.
 */
import { killHolds } from '../domain/budget/hold.js';
import { fitsIn, minAmounts } from '../domain/lease/amounts.js';
import { decideGrant } from '../domain/lease/grant.js';
import type { LeaseAnswer, LeaseAsk, LeaseBudget, RefusedLease } from '../domain/lease/lease.js';
import { periodRowId } from '../domain/ids.js';
import type { LeasePolicy, PlacedAsk } from './lease.js';
import {
  DIMENSION_OF,
  budgetView,
  grantedLease,
  grantedOf,
  isTooLong,
  limitingOf,
  meets,
  recount,
  roomOf,
  settledOf,
  withGranted,
  type Limiting,
} from './lease-room.js';
import { leaseIdOf, type LeaseRow, type PeriodBook } from './lease-rows.js';
import type { StopRow } from './stops.js';

/** What the ask is decided by. */
export interface AskBooks {
  readonly period: (id: string) => PeriodBook | undefined;
  /** Under the id it names, or would have. */
  readonly lease: LeaseRow | undefined;
  readonly stop: StopRow | undefined;
}

export interface Decided {
  readonly answer: LeaseAnswer;
  /** As it is to be written. */
  readonly lease?: LeaseRow;
}

/** One ask with all that its steps read. */
interface Case {
  readonly placed: PlacedAsk;
  readonly ask: LeaseAsk;
  readonly lease: LeaseRow | undefined;
  readonly periods: readonly PeriodBook[];
  readonly limiting: readonly Limiting[];
  readonly now: number;
  readonly policy: LeasePolicy;
}

export function decideAsk(
  placed: PlacedAsk,
  books: AskBooks,
  now: number,
  policy: LeasePolicy,
): Decided {
  const { ask } = placed;
  const { lease } = books;
  const periods = placed.seeds.flatMap(({ key }) => books.period(periodRowId(key)) ?? []);
  const limiting = periods.flatMap((book) => limitingOf(book, ask.agent));
  const given: Case = { placed, ask, lease, periods, limiting, now, policy };
  const isOver =
    ask.lease === undefined ? lease !== undefined : !mayAsk(lease, ask, now) || isRunOver(given);
  if (isOver) return { answer: refusal(given, 'ended') };
  if (books.stop !== undefined) {
    const { by, reason } = books.stop;
    return holdBack(given, 'stopped', { reason: `${by}: ${reason}` });
  }
  const killed = killedFor(given);
  if (killed !== undefined) return holdBack(given, 'killed', { budget: killed });
  if (limiting.length === 0) {
    return { answer: { type: 'unlimited', renewInMs: policy.renewMs, now } };
  }
  return grant(given);
}

/** It is this guard's, goes on, and its time is not over. */
function mayAsk(lease: LeaseRow | undefined, ask: LeaseAsk, now: number): boolean {
  return (
    lease?.state === 'open' &&
    lease.holder === ask.holder &&
    lease.agent === ask.agent &&
    (lease.run ?? undefined) === ask.run &&
    (lease.ends_at ?? Infinity) > now
  );
}

/** B2. A run that was not heard of for too long is another one when it goes on. */
function isRunOver({ limiting, now }: Case): boolean {
  return limiting.some(
    ({ book: { row } }) =>
      row.cadence === 'run' && (row.state === 'closed' || (row.closes_at ?? Infinity) <= now),
  );
}

function killedFor({ periods, ask, now }: Case): LeaseBudget | undefined {
  for (const book of periods) {
    const { killed, ends_at } = book.row;
    if (killed === null || !killHolds(killed, ask.agent) || (ends_at ?? Infinity) <= now) continue;
    return budgetView(book, killed.dimension, killed.limit);
  }
  return undefined;
}

interface Told {
  readonly budget?: LeaseBudget;
  readonly reason?: string;
  readonly othersHold?: boolean;
  readonly lease?: LeaseRow;
}

function refusal(given: Case, why: RefusedLease, told: Told = {}): LeaseAnswer {
  const { limiting, now } = given;
  const { lease, othersHold = false, ...words } = told;
  return {
    ...{ type: 'refused', why, othersHold },
    ...words,
    ...(lease === undefined ? {} : { lease: grantedLease(lease, limiting, now) }),
    now,
  };
}

/** Nothing grows and nothing is renewed; what is given back is taken. */
function holdBack(given: Case, why: RefusedLease, told: Told): Decided {
  const { lease, limiting } = given;
  if (lease === undefined) return { answer: refusal(given, why, told) };
  const kept = givenBack(lease, given.ask);
  recount(limiting, lease, kept);
  return { answer: refusal(given, why, { ...told, lease: kept }), lease: kept };
}

/** What it was granted, without what is not wanted any more. */
function givenBack(lease: LeaseRow, { need, want }: LeaseAsk): LeaseRow {
  const granted = grantedOf(lease);
  const less = decideGrant([], {
    ...{ granted, settled: settledOf(lease) },
    ...{ need: minAmounts(need, granted), want: minAmounts(want, granted) },
  });
  return less.type === 'granted' ? withGranted(lease, less.granted) : lease;
}

/** LE-1. All budgets or none. */
function grant(given: Case): Decided {
  const { ask, lease, limiting, periods, now, policy } = given;
  const startsAt = Math.max(...limiting.map(({ book }) => book.row.starts_at));
  const endsAt = Math.min(...limiting.map(({ book }) => book.row.ends_at ?? Infinity));
  const times = { renewed_at: now, expires_at: now + policy.ttlMs };
  // One of the next period that is renewed among today's, or the other way round, only stays.
  if (lease !== undefined && !limiting.every(({ book }) => meets(lease, book.row))) {
    return stay(given, { ...lease, ...times });
  }
  const isTooSoon = ask.startsNext === true && startsAt - now > policy.aheadMs;
  if (endsAt <= now || isTooSoon) return { answer: refusal(given, 'ended') };
  const long = periods.find(({ row }) => isTooLong(row, ask.agent));
  if (long !== undefined) {
    return exhaust(given, { budget: budgetView(long, 'duration'), othersHold: false }, times);
  }
  const before = lease ?? newLease(given);
  const isCounted = lease !== undefined && lease.expires_at > now;
  const decided = decideGrant(
    limiting.map((each) => roomOf(each, isCounted)),
    { need: ask.need, want: ask.want, granted: grantedOf(before), settled: settledOf(before) },
  );
  if (decided.type === 'refused') {
    const book = limiting.find(({ book: { row } }) => row.id === decided.periodId)?.book;
    if (book === undefined) throw new Error(`A refusal names ${decided.periodId}, unasked.`);
    if (decided.othersHold) book.wantedAt = now;
    const budget = budgetView(book, DIMENSION_OF[decided.dimension]);
    return exhaust(given, { budget, othersHold: decided.othersHold }, times);
  }
  const after: LeaseRow = {
    ...withGranted(before, decided.granted),
    ...times,
    ...{ starts_at: startsAt, ends_at: Number.isFinite(endsAt) ? endsAt : null },
    periods: limiting.map(({ book }) => book.row.id),
  };
  recount(limiting, lease, after);
  for (const { book } of limiting) {
    if (!isCounted) book.holders += 1;
    book.leasedAt ??= now;
  }
  return { answer: granted(given, after), lease: after };
}

function granted({ limiting, now, policy }: Case, lease: LeaseRow): LeaseAnswer {
  const wanted = limiting.some(({ book }) => (book.wantedAt ?? -Infinity) > now - policy.wantedMs);
  return { type: 'granted', lease: grantedLease(lease, limiting, now), wanted, now };
}

type Times = Pick<LeaseRow, 'renewed_at' | 'expires_at'>;

/** What was granted before stands, and its guard lives. */
function exhaust(given: Case, told: Told, times: Times): Decided {
  if (given.lease === undefined) return { answer: refusal(given, 'exhausted', told) };
  const lease = { ...given.lease, ...times };
  return { answer: refusal(given, 'exhausted', { ...told, lease }), lease };
}

/** Renewed, and less where it gives back; more of it has to be asked for in its own time. */
function stay(given: Case, renewed: LeaseRow): Decided {
  const lease = givenBack(renewed, given.ask);
  recount(given.limiting, given.lease, lease);
  if (fitsIn(given.ask.need, grantedOf(renewed))) return { answer: granted(given, lease), lease };
  const told = { lease, othersHold: true };
  return { answer: refusal(given, 'exhausted', told), lease };
}

function newLease({ placed, ask, now }: Case): LeaseRow {
  return {
    ...{ org: placed.org, id: leaseIdOf(placed), agent: ask.agent, run: ask.run ?? null },
    ...{ holder: ask.holder, state: 'open', periods: [], starts_at: now, ends_at: null },
    ...{ granted_cost: 0, granted_tokens: 0, granted_calls: 0 },
    ...{ settled_cost: 0, settled_tokens: 0, settled_calls: 0 },
    ...{ opened_at: now, renewed_at: now, expires_at: now, closed_at: null, why: null },
  };
}
