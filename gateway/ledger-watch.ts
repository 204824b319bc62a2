/**
 * Whether the ledger answers at all. One that is away (frozen, cut off) answers nothing, not even
 * no: each call would wait out its own time-out while a sender waits for us.
 * LW-1. Usage is answered within a second, also then: what is under way is given up when the watch
 *       says so, what comes is refused at once, and both ask the sender to try again.
 * LW-2. Busy is not away: a small question of its own is asked, and only silence on it and on all
 *       usage counts. Nor is it away while it is us who do not come to listen.
 */
import type { MiddlewareHandler } from 'hono';
import type { Env } from './env.js';
import { Problem, tryAgainLater } from './problem.js';

export interface LedgerWatch {
  isAway(): boolean;
  /** As `work`, but rejects with a `Problem` (429) as soon as the ledger is away. */
  orAway<T>(work: Promise<T>): Promise<T>;
  /** The ledger has answered somebody. */
  heard(): void;
  stop(): void;
}

export interface LedgerWatchOptions {
  readonly ledger: { ping(): Promise<void> };
  /** From one question to the next. */
  readonly everyMs: number;
  /** A question that waits so long for its answer says that the ledger is away. */
  readonly silenceMs: number;
  readonly retryAfterS: number;
  readonly say: (isAway: boolean) => void;
}

/** Asks until it is stopped; it does not keep the process alive. */
export function watchLedger(options: LedgerWatchOptions): LedgerWatch {
  const { ledger, everyMs, silenceMs, retryAfterS, say } = options;
  let isAway = false;
  let isAsked = false;
  let isOver = false;
  let heardAt = 0;
  const waiting = new Set<() => void>();
  const turn = (away: boolean): void => {
    if (away === isAway || isOver) return;
    isAway = away;
    say(away);
    if (!away) return;
    for (const tell of [...waiting]) tell();
  };
  const ask = async (): Promise<void> => {
    if (isAsked) return;
    isAsked = true;
    let isAnswered = false;
    const judgeIn = (ms: number): void => {
      // An answer that has arrived meanwhile is read before the judgement.
      setTimeout(() => setImmediate(judge), ms).unref();
    };
    const judge = (): void => {
      if (isAnswered) return;
      const left = heardAt + silenceMs - performance.now();
      if (left > 0) judgeIn(left);
      else turn(true);
    };
    judgeIn(silenceMs);
    try {
      await ledger.ping();
      turn(false);
    } catch {
      turn(true);
    }
    isAnswered = true;
    isAsked = false;
  };
  const asking = setInterval(() => void ask(), everyMs).unref();
  return {
    isAway: () => isAway,
    heard: () => {
      heardAt = performance.now();
    },
    orAway: async (work) => {
      const refuse = (): Problem => new Problem(tryAgainLater(retryAfterS));
      if (isAway) {
        work.catch(() => undefined);
        throw refuse();
      }
      let tell: () => void = () => undefined;
      const away = new Promise<never>((_, reject) => {
        tell = () => {
          reject(refuse());
        };
        waiting.add(tell);
      });
      try {
        return await Promise.race([work, away]);
      } finally {
        waiting.delete(tell);
      }
    },
    stop: () => {
      isOver = true;
      clearInterval(asking);
    },
  };
}

/** Before anything of the ledger is asked, a key's owner included: nobody is told that he is unknown. */
export function refuseWhileAway(watch: LedgerWatch, retryAfterS: number): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (watch.isAway()) throw new Problem(tryAgainLater(retryAfterS));
    await watch.orAway(next());
    if (c.res.status < 300) watch.heard();
  };
}
