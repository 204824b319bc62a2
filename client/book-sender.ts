/**
 * Tells a period what was counted for it.
 *
 * Invariants
 * S-1. One report a period is under way at a time; what is counted meanwhile goes with the next.
 * S-2. A failure loses nothing: totals stay, and are told again after 1 s, 2 s, … 10 s.
 * S-3. A report that hangs is a failure. Its late success is harmless: totals are cumulative.
 */
import type { Report } from '../domain/budget/report.js';
import { advanceMarks, nextReport, type Book, type ReporterPeriod } from './reporter-period.js';
import type { ReportAnswer } from './client.js';
import type { Timers } from './timers.js';

/** One report on its way; rejects when it may not have arrived. */
export type SendReport = (period: ReporterPeriod, report: Report) => Promise<ReportAnswer>;

export interface BookSenderOptions {
  readonly send: SendReport;
  readonly timers: Timers;
  readonly flushEveryMs: number;
  readonly sendTimeoutMs: number;
  /** Told once an outage, and when totals can no longer reach their period. */
  readonly onError: (error: Error) => void;
  /** A book's state of telling has changed: somebody may be waiting for it to be done. */
  readonly onChange: () => void;
}

export interface BookSender {
  /** Something was counted: it is told within `flushEveryMs`, or at once. */
  touched(book: Book, isUrgent: boolean): void;
  /** Tells the totals a last time, even unchanged, so that the period knows the sender is done. */
  close(book: Book): void;
}

const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 10_000;
/** A report sent so long before a period's end still meets it open. */
const BEFORE_END_MS = 500;

export function createBookSender(options: BookSenderOptions): BookSender {
  const { timers, flushEveryMs, onError, onChange } = options;
  const armed = new Map<Book, { at: number; cancel: () => void }>();

  const arm = (book: Book, at: number): void => {
    const known = armed.get(book);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = timers.after(Math.max(at - timers.now(), 0), () => {
      armed.delete(book);
      flush(book);
    });
    armed.set(book, { at, cancel });
  };

  const disarm = (book: Book): void => {
    armed.get(book)?.cancel();
    armed.delete(book);
  };

  const flush = (book: Book): void => {
    if (book.isInFlight || book.isDone || !book.isDirty) return;
    if (timers.now() < book.notBefore) {
      arm(book, book.notBefore);
      return;
    }
    disarm(book);
    book.isDirty = false;
    book.isUrgent = false;
    book.isInFlight = true;
    advanceMarks(book);
    const wasClosing = book.isClosing;
    const report = nextReport(book);
    inTime(report, book.period).then(
      (answer) => {
        delivered(book, report, answer, wasClosing);
      },
      (error: unknown) => {
        failed(book, error);
      },
    );
  };

  const inTime = (report: Report, period: ReporterPeriod): Promise<ReportAnswer> =>
    new Promise((done, fail) => {
      const cancel = timers.after(options.sendTimeoutMs, () => {
        fail(new Error(`no answer within ${String(options.sendTimeoutMs)} ms`));
      });
      // A `send` that throws at once is a failure like any other.
      Promise.resolve()
        .then(() => options.send(period, report))
        .then(done, fail)
        .finally(cancel);
    });

  const delivered = (
    book: Book,
    report: Report,
    answer: ReportAnswer,
    wasClosing: boolean,
  ): void => {
    book.isInFlight = false;
    book.failures = 0;
    book.notBefore = 0;
    if (answer === 'already_ended') {
      book.isDone = true;
      disarm(book);
      const lost = outstanding(book);
      if (lost.calls > 0) onError(endedError(book, lost));
    } else {
      book.delivered = { cost: report.cost, tokens: report.tokens, calls: report.calls };
      // Counted after the last report was built: a closed sender is not heard again.
      if (wasClosing) book.isDone = true;
      else if (book.isDirty) schedule(book);
    }
    onChange();
  };

  const failed = (book: Book, error: unknown): void => {
    book.isInFlight = false;
    book.isDirty = true;
    book.failures += 1;
    const wait = Math.min(FIRST_BACKOFF_MS * 2 ** (book.failures - 1), LAST_BACKOFF_MS);
    book.notBefore = timers.now() + wait;
    arm(book, book.notBefore);
    if (book.failures === 1) onError(outageError(book, error));
    onChange();
  };

  const schedule = (book: Book): void => {
    if (book.isUrgent) {
      flush(book);
      return;
    }
    const now = timers.now();
    arm(book, Math.max(now, Math.min(now + flushEveryMs, book.endsAt - BEFORE_END_MS)));
  };

  return {
    touched: (book, isUrgent) => {
      const wasDirty = book.isDirty;
      book.isDirty = true;
      if (isUrgent && !book.isUrgent) {
        book.isUrgent = true;
        flush(book);
      } else if (!wasDirty && !book.isInFlight) schedule(book);
    },
    close: (book) => {
      if (book.isDone || book.isClosing) return;
      book.isClosing = true;
      if (book.seq === 0 && !book.isDirty) {
        book.isDone = true;
        onChange();
        return;
      }
      book.isDirty = true;
      book.isUrgent = true;
      book.notBefore = 0;
      flush(book);
    },
  };
}

/** What was counted and is not known to have arrived. */
export function outstanding(book: Book): { cost: number; tokens: number; calls: number } {
  const { tally, delivered } = book;
  return {
    cost: tally.cost - delivered.cost,
    tokens: tally.tokens - delivered.tokens,
    calls: tally.calls - delivered.calls,
  };
}

function nameOf({ period }: Book): string {
  return `the ${period.key.cadence} budget of ${period.name}`;
}

function endedError(book: Book, lost: { cost: number; tokens: number; calls: number }): Error {
  return new Error(
    `${String(lost.calls)} calls (${String(lost.cost)} nano-USD, ${String(lost.tokens)} tokens) came ` +
      `too late for ${nameOf(book)}, whose period has ended; send late usage to the gateway.`,
  );
}

function outageError(book: Book, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : 'unknown failure';
  return new Error(
    `Usage of ${nameOf(book)} could not be reported: ${why}. Nothing is lost; it is tried again.`,
    { cause },
  );
}
