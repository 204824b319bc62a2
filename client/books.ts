/**
 * Which periods a reporter counts in, and their succession: one book a (scope, cadence), the next
 * one when its window has ended, and one a run.
 */
import type { BookSender } from './book-sender.js';
import {
  add,
  ANY_RUN,
  count,
  countTally,
  emptyTally,
  openBook,
  updateBook,
  type Book,
  type ReporterPeriod,
  type Tally,
} from './reporter-period.js';
import type { Timers } from './timers.js';

export interface BooksOptions {
  readonly sender: string;
  readonly periods: readonly ReporterPeriod[] | (() => Promise<readonly ReporterPeriod[]>);
  readonly refreshEveryMs: number;
  readonly timers: Timers;
  readonly tell: BookSender;
  readonly onError: (error: Error) => void;
}

export interface Books {
  readonly ready: Promise<void>;
  count(cost: number, tokens: number, at: number, run: string | undefined): void;
  endRun(run: string): void;
  /** Asks for the periods; never rejects. */
  refresh(): Promise<void>;
  all(): readonly Book[];
  /** What waits for a period that is not known yet. */
  held(): { cost: number; tokens: number; calls: number };
  late(): number;
  stop(): void;
}

/** A window after another: `next` collects what lies past the end of the current one. */
interface Slot {
  book: Book;
  next: Tally;
}

const RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;
/** So many answers may lag behind the clock before it is said that they do. */
const STALE_ANSWERS = 5;
/** B2. A run that was silent for so long is over. */
const RUN_IDLE_MS = 86_400_000;

export function createBooks(options: BooksOptions): Books {
  const { timers, tell, onError } = options;
  const source = options.periods;
  const ask = typeof source === 'function' ? source : () => Promise.resolve(source);
  const slots: Slot[] = [];
  const runs = new Map<string, Book[]>();
  let runPeriods: readonly ReporterPeriod[] = [];
  let runBooks = 0;
  let isKnown = false;
  let early: { tally: Tally; byRun: Map<string, Tally> } = {
    tally: emptyTally(),
    byRun: new Map(),
  };
  let late = 0;
  let failures = 0;
  let staleAnswers = 0;
  /** Books that nobody counts in any more, until their last report has arrived. */
  let closing: Book[] = [];
  let asking: Promise<void> | undefined;
  let isStopped = false;
  let cancelTimer = (): void => undefined;
  let becameReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    becameReady = resolve;
  });

  const countAll = (cost: number, tokens: number, at: number, run: string | undefined): void => {
    if (!isKnown) {
      holdEarly(cost, tokens, at, run);
      return;
    }
    for (const slot of slots) {
      const { book } = slot;
      if (at >= book.endsAt) add(slot.next, cost, tokens, 1, at, at);
      else if (at >= book.startsAt) tell.touched(book, count(book, cost, tokens, at));
      else countLate();
    }
    if (run === undefined) return;
    for (const book of booksOf(run, at)) tell.touched(book, count(book, cost, tokens, at));
  };

  const countLate = (): void => {
    if (late === 0) {
      onError(
        new Error(
          'Usage of a period that had ended was recorded; it is not reported. Send late usage ' +
            'to the gateway, whose ledger still counts it (B4).',
        ),
      );
    }
    late += 1;
  };

  const holdEarly = (cost: number, tokens: number, at: number, run: string | undefined): void => {
    add(early.tally, cost, tokens, 1, at, at);
    if (run === undefined) return;
    const tally = early.byRun.get(run) ?? emptyTally();
    early.byRun.set(run, tally);
    add(tally, cost, tokens, 1, at, at);
  };

  const booksOf = (run: string, at: number): readonly Book[] => {
    const known = runs.get(run);
    if (known !== undefined) return known;
    const opened = runPeriods
      .filter(({ key }) => key.period === run || key.period === ANY_RUN)
      .map((period) => {
        runBooks += 1;
        const key = { ...period.key, period: run };
        const window = { ...period.window, startsAt: at };
        // A run that was forgotten and comes back is a new sender, whose totals add.
        return openBook({ ...period, key, window }, `${options.sender}/${String(runBooks)}`);
      });
    runs.set(run, opened);
    return opened;
  };

  const endRun = (run: string): void => {
    for (const book of runs.get(run) ?? []) close(book);
    runs.delete(run);
  };

  const close = (book: Book): void => {
    tell.close(book);
    if (!book.isDone) closing.push(book);
  };

  const all = (): readonly Book[] => [
    ...slots.map(({ book }) => book),
    ...[...runs.values()].flat(),
    ...closing,
  ];

  const refresh = (): Promise<void> => {
    asking ??= ask()
      .then(take, (error: unknown) => {
        failures += 1;
        if (failures === 1) {
          const why = error instanceof Error ? error.message : 'unknown failure';
          onError(new Error(`The budget periods could not be read: ${why}`, { cause: error }));
        }
      })
      .finally(() => {
        asking = undefined;
        askAgain();
      });
    return asking;
  };

  const take = (periods: readonly ReporterPeriod[]): void => {
    failures = 0;
    forget();
    // A workflow a run is only worth it where somebody set a limit for runs.
    runPeriods = periods.filter(
      ({ key, limits }) => key.cadence === 'run' && limits.limits.length > 0,
    );
    for (const period of periods) {
      if (period.key.cadence !== 'run') takePeriod(period);
    }
    dropDeleted(periods);
    if (isKnown) return;
    isKnown = true;
    for (const slot of slots) giveHeld(slot.book, early.tally);
    for (const [run, tally] of early.byRun) {
      for (const book of booksOf(run, tally.firstAt)) giveHeld(book, tally);
    }
    early = { tally: emptyTally(), byRun: new Map() };
    becameReady();
  };

  const takePeriod = (period: ReporterPeriod): void => {
    const { scope, cadence } = period.key;
    const slot = slots.find(
      ({ book }) => book.period.key.scope === scope && book.period.key.cadence === cadence,
    );
    if (slot === undefined) {
      slots.push({ book: openBook(period, options.sender), next: emptyTally() });
    } else if (slot.book.period.key.period === period.key.period) updateBook(slot.book, period);
    else if (period.window.startsAt > slot.book.startsAt) {
      close(slot.book);
      slot.book = openBook(period, options.sender);
      giveHeld(slot.book, slot.next);
      slot.next = emptyTally();
    }
  };

  /** A budget that nobody has any more counts until its period's end. */
  const dropDeleted = (periods: readonly ReporterPeriod[]): void => {
    const now = timers.now();
    for (const slot of [...slots]) {
      const { scope, cadence } = slot.book.period.key;
      const isKept = periods.some(({ key }) => key.scope === scope && key.cadence === cadence);
      if (isKept || slot.book.endsAt > now) continue;
      close(slot.book);
      slots.splice(slots.indexOf(slot), 1);
    }
  };

  const giveHeld = (book: Book, held: Tally): void => {
    const isUrgent = countTally(book, held);
    if (held.calls > 0) tell.touched(book, isUrgent);
  };

  const forget = (): void => {
    closing = closing.filter((book) => !book.isDone);
    const silentSince = timers.now() - RUN_IDLE_MS;
    for (const [run, books] of runs) {
      if (books.every((book) => book.tally.lastAt < silentSince)) endRun(run);
    }
  };

  /** A failed answer, or one that does not know the next window yet, is asked for again. */
  const askAgain = (): void => {
    const now = timers.now();
    const ended = slots.find(({ book }) => book.endsAt <= now);
    staleAnswers = failures === 0 && ended !== undefined ? staleAnswers + 1 : 0;
    if (staleAnswers === STALE_ANSWERS && ended !== undefined) {
      const { cadence } = ended.book.period.key;
      onError(
        new Error(
          `The ${cadence} period of ${ended.book.period.name} has ended and no next one is known: ` +
            'its usage is held. Give the reporter a `periods` function that answers the current ones.',
        ),
      );
    }
    const attempts = Math.max(failures, staleAnswers);
    if (attempts > 0) askBy(now + Math.min(RETRY_MS * 2 ** (attempts - 1), LAST_RETRY_MS));
    else askBy(Math.min(...slots.map(({ book }) => book.endsAt), now + options.refreshEveryMs));
  };

  const askBy = (at: number): void => {
    if (isStopped) return;
    cancelTimer();
    cancelTimer = timers.after(Math.max(at - timers.now(), 0), () => {
      void refresh();
    });
  };

  const held = (): { cost: number; tokens: number; calls: number } => {
    const sum = emptyTally();
    for (const tally of [early.tally, ...slots.map(({ next }) => next)]) {
      add(sum, tally.cost, tally.tokens, tally.calls, tally.firstAt, tally.lastAt);
    }
    return { cost: sum.cost, tokens: sum.tokens, calls: sum.calls };
  };

  void refresh();
  return {
    ready,
    count: countAll,
    endRun,
    refresh,
    all,
    held,
    late: () => late,
    stop: () => {
      isStopped = true;
      cancelTimer();
    },
  };
}
