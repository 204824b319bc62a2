/**
 * At most so many at a time, the rest in order of arrival. The pool has a queue of its own, but
 * its time-out counts waiting for a turn like waiting for a database that is away.
 * TU-1. Work that yields (usage coming in) lets all other go ahead, so that under a load of usage
 *       the few statements a crossing needs do not each wait behind it; of every five turns one
 *       is its own, so that it never stands still.
 */
export type InTurn = <T>(work: () => Promise<T>, yields?: boolean) => Promise<T>;

/** Turns in a row that others may take while work that yields waits. */
const AHEAD = 4;

export function createTurns(width: number): InTurn {
  let free = width;
  let ahead = 0;
  const waiting: (() => void)[] = [];
  const yielding: (() => void)[] = [];
  const take = (yields: boolean): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((turn) => (yields ? yielding : waiting).push(turn));
  };
  const nextTurn = (): (() => void) | undefined => {
    if (waiting.length > 0 && (yielding.length === 0 || ahead < AHEAD)) {
      ahead += 1;
      return waiting.shift();
    }
    ahead = 0;
    return yielding.shift();
  };
  const giveBack = (): void => {
    const next = nextTurn();
    if (next === undefined) free += 1;
    else next();
  };
  return async (work, yields = false) => {
    await take(yields);
    try {
      return await work();
    } finally {
      giveBack();
    }
  };
}
