/**
 * Time without promises: what falls due runs in order of its moment, then of its making. Much
 * faster than test/support/virtual-timers.ts, for worlds whose parts are all synchronous.
 */

export interface VirtualClock {
  now(): number;
  /** Runs after `ms`, never at once: what is called from a step cannot interleave with it. */
  after(ms: number, run: () => void): void;
  /** Runs everything up to `at`; answers how much was run. */
  runUntil(at: number): number;
  /** How much is still to come, and when the next of it. */
  pending(): number;
  nextAt(): number | undefined;
}

export function createVirtualClock(startAt: number): VirtualClock {
  let time = startAt;
  // The earliest is last, so that taking it is cheap.
  const due: { at: number; run: () => void }[] = [];
  return {
    now: () => time,
    after: (ms, run) => {
      const at = time + Math.max(Math.round(ms), 0);
      let low = 0;
      let high = due.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (due[middle]!.at > at) low = middle + 1;
        else high = middle;
      }
      due.splice(low, 0, { at, run });
    },
    runUntil: (at) => {
      let steps = 0;
      for (let next = due.at(-1); next !== undefined && next.at <= at; next = due.at(-1)) {
        due.pop();
        time = Math.max(time, next.at);
        next.run();
        steps += 1;
        if (steps > 200_000) throw new Error('the world never comes to rest');
      }
      return steps;
    },
    pending: () => due.length,
    nextAt: () => due.at(-1)?.at,
  };
}
