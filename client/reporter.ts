/**
 * The reporter of agents that signal Temporal themselves, without a gateway in between.
 *
 * Invariants
 * Every recorded call counts in each period it belongs to, once, from the moment `record`
 *      returns; what is not told yet is kept until it is, or said to be lost.
 * Restarted it is a new sender, whose totals add: the name must not be used twice, so whoever
 *      makes one gives it a random end.
 * A call belongs to the period of its time (B4). What lies past the end of a period waits for
 *      the next one to be known; what lies before its start is late, counted and told, not sent.
 */
import { usdToNanos } from '../domain/money.js';
import { isRefusal } from '../domain/refusal.js';
import { createBookSender, outstanding, type SendReport } from './book-sender.js';
import { createBooks } from './books.js';
import type { KavachClient } from './client.js';
import type { Book, ReporterPeriod } from './reporter-period.js';
import { systemTimers, type Timers } from './timers.js';

/** One LLM call. Either `costNanos` (cheapest) or `usd`. */
export interface Usage {
  readonly costNanos?: number;
  readonly usd?: number;
  readonly tokens: number;
  /** Epoch ms; now, when absent. More than 5 min ahead it is read as now (B4). */
  readonly at?: number;
  readonly run?: string;
}

export interface ReporterOptions {
  /** Either a client, or a port of one's own: `(period, report) => …`. */
  readonly client?: Pick<KavachClient, 'reportDirect'>;
  readonly send?: SendReport;
  /** Who reports, with a random end: `research-bot-7f3a9c`. Never reused. */
  readonly sender: string;
  /** The periods usage counts in; a function is asked again when one ends, and every 30 s. */
  readonly periods: readonly ReporterPeriod[] | (() => Promise<readonly ReporterPeriod[]>);
  readonly flushEveryMs?: number;
  readonly refreshEveryMs?: number;
  readonly sendTimeoutMs?: number;
  readonly timers?: Timers;
  /** Told about outages (once each), late usage and what can no longer be delivered. */
  readonly onError: (error: Error) => void;
}

export interface Undelivered {
  /** Absent: counted before any period was known. */
  readonly period?: ReporterPeriod['key'];
  readonly cost: number;
  readonly tokens: number;
  readonly calls: number;
}

export interface Reporter {
  /** Resolves when the periods are known for the first time. Recording need not wait for it. */
  readonly ready: Promise<void>;
  /** Throws a RangeError for what is no usage; nothing of it is counted then. */
  record(usage: Usage): void;
  /** The run is over: its totals are told a last time and forgotten. */
  endRun(run: string): void;
  /** Tells what is left, and resolves when all arrived or `timeoutMs` (default 5 s) have passed. */
  drain(timeoutMs?: number): Promise<{ readonly undelivered: readonly Undelivered[] }>;
  stats(): { readonly periods: number; readonly late: number; readonly outstanding: number };
}

const AHEAD_MS = 300_000;

export function createReporter(options: ReporterOptions): Reporter {
  const timers = options.timers ?? systemTimers;
  let isDraining = false;
  let changed = (): void => undefined;
  const sender = createBookSender({
    send: sendPort(options),
    timers,
    flushEveryMs: options.flushEveryMs ?? 5_000,
    sendTimeoutMs: options.sendTimeoutMs ?? 10_000,
    onError: options.onError,
    onChange: () => {
      changed();
    },
  });
  const books = createBooks({
    sender: options.sender,
    periods: options.periods,
    refreshEveryMs: options.refreshEveryMs ?? 30_000,
    timers,
    tell: sender,
    onError: options.onError,
  });

  const record = (usage: Usage): void => {
    if (isDraining) throw new Error('The reporter has been drained: make a new one.');
    const { tokens } = usage;
    const cost = usage.costNanos ?? costOf(usage.usd);
    if (!isCount(cost)) throw notACount('costNanos', cost);
    if (!isCount(tokens)) throw notACount('tokens', tokens);
    const now = timers.now();
    let at = usage.at ?? now;
    if (!isCount(at)) throw notACount('at', at);
    if (at > now + AHEAD_MS) at = now;
    books.count(cost, tokens, at, usage.run);
  };

  const drain = async (timeoutMs = 5_000): Promise<{ undelivered: readonly Undelivered[] }> => {
    isDraining = true;
    let isOver = false;
    let cancel = (): void => undefined;
    const timedOut = new Promise<void>((resolve) => {
      cancel = timers.after(timeoutMs, () => {
        isOver = true;
        changed();
        resolve();
      });
    });
    // Usage that still waits for its period gets one more chance to learn it.
    if (books.held().calls > 0) await Promise.race([books.refresh(), timedOut]);
    const all = books.all();
    const told = new Promise<void>((resolve) => {
      changed = () => {
        if (isOver || all.every((book) => book.isDone)) resolve();
      };
    });
    for (const book of all) sender.close(book);
    changed();
    await told;
    cancel();
    books.stop();
    for (const book of all) book.isDone = true;
    return { undelivered: undeliveredOf(all, books.held()) };
  };

  return {
    ready: books.ready,
    record,
    endRun: (run) => {
      books.endRun(run);
    },
    drain,
    stats: () => ({
      periods: books.all().length,
      late: books.late(),
      outstanding: books.all().reduce((sum, book) => sum + outstanding(book).calls, 0),
    }),
  };
}

function undeliveredOf(all: readonly Book[], held: Undelivered): readonly Undelivered[] {
  const left = all
    .map((book) => ({ period: book.period.key, ...outstanding(book) }))
    .filter((each) => each.calls > 0);
  return held.calls > 0 ? [...left, held] : left;
}

function sendPort({ client, send }: ReporterOptions): SendReport {
  if (send !== undefined) return send;
  if (client === undefined) throw new Error('A reporter needs a client, or a send of its own.');
  return (period, report) => client.reportDirect(period, report);
}

function costOf(usd: number | undefined): number {
  const nanos = usdToNanos(usd);
  if (isRefusal(nanos)) throw new RangeError(`usd: ${nanos.message}`);
  return nanos;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function notACount(path: string, value: number): RangeError {
  return new RangeError(`${path}: expected an integer from 0 below 2^53, not ${String(value)}.`);
}
