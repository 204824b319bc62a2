/**
 * What a direct reporter has counted in one period, and what it still waits for. Mutable on
 * purpose: `count` runs once per LLM call and allocates nothing.
 */
import { thresholdAmount } from '../domain/ratio.js';
import type { PeriodOpening } from '../domain/budget/input.js';
import type { Report } from '../domain/budget/report.js';
import type { Notify } from '../domain/budget/state.js';

/**
 * A period as the gateway tells it, or as the constructor was given it. `notify` are amounts of
 * this reporter's own totals at which the period wants to hear at once; the thresholds of
 * `limits` are watched beside them, so it may be absent. An optimisation: correctness never
 * depends on it.
 */
export interface ReporterPeriod extends PeriodOpening {
  readonly notify?: Notify;
}

/** The `period` of a run budget that stands for every run: each run gets its own book from it. */
export const ANY_RUN = '*';

export interface Tally {
  cost: number;
  tokens: number;
  calls: number;
  firstAt: number;
  lastAt: number;
}

/** Amounts to hear of at once, ascending, per dimension. */
interface Marks {
  readonly cost: readonly number[];
  readonly tokens: readonly number[];
  readonly calls: readonly number[];
  readonly duration: readonly number[];
}

/** One period's totals of this sender, and the state of telling them. */
export interface Book {
  period: ReporterPeriod;
  readonly sender: string;
  readonly startsAt: number;
  endsAt: number;
  readonly tally: Tally;
  marks: Marks;
  nextCost: number;
  nextTokens: number;
  nextCalls: number;
  nextDuration: number;
  seq: number;
  /** Counted since the last report was built. */
  isDirty: boolean;
  isInFlight: boolean;
  /** Passed a mark while a report was under way: the next one follows at once. */
  isUrgent: boolean;
  /** The next report is the last one: the period is over for this sender. */
  isClosing: boolean;
  /** The last report was delivered, or the period's workflow is gone: nothing more is sent. */
  isDone: boolean;
  failures: number;
  notBefore: number;
  /** What the period is known to have. */
  delivered: { cost: number; tokens: number; calls: number };
}

export const emptyTally = (): Tally => ({
  cost: 0,
  tokens: 0,
  calls: 0,
  firstAt: Number.POSITIVE_INFINITY,
  lastAt: 0,
});

export function openBook(period: ReporterPeriod, sender: string): Book {
  const book: Book = {
    period,
    sender,
    startsAt: period.window.startsAt,
    endsAt: endOf(period),
    tally: emptyTally(),
    marks: marksOf(period),
    nextCost: 0,
    nextTokens: 0,
    nextCalls: 0,
    nextDuration: 0,
    seq: 0,
    isDirty: false,
    isInFlight: false,
    isUrgent: false,
    isClosing: false,
    isDone: false,
    failures: 0,
    notBefore: 0,
    delivered: { cost: 0, tokens: 0, calls: 0 },
  };
  advanceMarks(book);
  return book;
}

/** Takes over newer limits and amounts of the same period; its totals stay. */
export function updateBook(book: Book, period: ReporterPeriod): void {
  book.period = period;
  book.endsAt = endOf(period);
  book.marks = marksOf(period);
  advanceMarks(book);
}

/** Adds one call, saturating (B1). True when a mark was passed and the period wants to know now. */
export function count(book: Book, cost: number, tokens: number, at: number): boolean {
  const { tally } = book;
  add(tally, cost, tokens, 1, at, at);
  return isPastMark(book);
}

/** Adds what was held for this period before it was known; as `count`. */
export function countTally(book: Book, held: Tally): boolean {
  if (held.calls === 0) return false;
  add(book.tally, held.cost, held.tokens, held.calls, held.firstAt, held.lastAt);
  return isPastMark(book);
}

export function add(
  tally: Tally,
  cost: number,
  tokens: number,
  calls: number,
  firstAt: number,
  lastAt: number,
): void {
  tally.cost = saturating(tally.cost, cost);
  tally.tokens = saturating(tally.tokens, tokens);
  tally.calls = saturating(tally.calls, calls);
  if (firstAt < tally.firstAt) tally.firstAt = firstAt;
  if (lastAt > tally.lastAt) tally.lastAt = lastAt;
}

/** Looks for the next mark of each dimension above what was counted. */
export function advanceMarks(book: Book): void {
  const { marks, tally } = book;
  book.nextCost = above(marks.cost, tally.cost);
  book.nextTokens = above(marks.tokens, tally.tokens);
  book.nextCalls = above(marks.calls, tally.calls);
  book.nextDuration = above(marks.duration, tally.calls === 0 ? 0 : tally.lastAt - tally.firstAt);
}

/** The next report: totals so far under a new number, so that the highest one always wins. */
export function nextReport(book: Book): Report {
  const { tally } = book;
  book.seq += 1;
  return {
    sender: book.sender,
    epoch: 1,
    seq: book.seq,
    cost: tally.cost,
    tokens: tally.tokens,
    calls: tally.calls,
    ...(tally.calls === 0 ? {} : { firstAt: tally.firstAt, lastAt: tally.lastAt }),
    ...(book.isClosing ? { closing: true } : {}),
  };
}

function isPastMark(book: Book): boolean {
  const { tally } = book;
  return (
    tally.cost >= book.nextCost ||
    tally.tokens >= book.nextTokens ||
    tally.calls >= book.nextCalls ||
    tally.lastAt - tally.firstAt >= book.nextDuration
  );
}

function marksOf({ limits, notify }: ReporterPeriod): Marks {
  const of = (dimension: string, asked: number | undefined): readonly number[] => {
    const limit = limits.limits.find((each) => each.dimension === dimension);
    const amounts = (limit?.thresholds ?? []).map(({ bps }) =>
      thresholdAmount(limit?.amount ?? 0, bps),
    );
    return (asked === undefined ? amounts : [...amounts, asked]).sort((a, b) => a - b);
  };
  return {
    cost: of('cost', notify?.cost),
    tokens: of('tokens_total', notify?.tokens),
    calls: of('calls', notify?.calls),
    duration: of('duration', notify?.duration),
  };
}

function above(marks: readonly number[], amount: number): number {
  return marks.find((mark) => mark > amount) ?? Number.POSITIVE_INFINITY;
}

function saturating(a: number, b: number): number {
  return a > Number.MAX_SAFE_INTEGER - b ? Number.MAX_SAFE_INTEGER : a + b;
}

function endOf(period: ReporterPeriod): number {
  return period.window.endsAt ?? Number.POSITIVE_INFINITY;
}
