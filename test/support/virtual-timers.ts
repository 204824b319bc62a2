/** Time that a test owns: timers run in order when it is advanced, each with all that it set off. */
import type { Timers } from '../../client/timers.js';

export interface VirtualTimers extends Timers {
  /** Lets `ms` pass, running what falls due on the way. */
  advance(ms: number): Promise<void>;
  /** Lets everything settle that needs no time. */
  settle(): Promise<void>;
  /** Timers that have not run. */
  waiting(): number;
}

export function createVirtualTimers(startAt: number): VirtualTimers {
  let time = startAt;
  let order = 0;
  const due = new Map<number, { at: number; run: () => void }>();

  const settle = async (): Promise<void> => {
    // Promise chains of any length here end within a few turns of the event loop.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  const earliest = (until: number): [number, { at: number; run: () => void }] | undefined => {
    let found: [number, { at: number; run: () => void }] | undefined;
    for (const entry of due) {
      if (entry[1].at <= until && (found === undefined || entry[1].at < found[1].at)) found = entry;
    }
    return found;
  };

  return {
    now: () => time,
    after: (ms, run) => {
      order += 1;
      const id = order;
      due.set(id, { at: time + Math.max(ms, 0), run });
      return () => {
        due.delete(id);
      };
    },
    settle,
    waiting: () => due.size,
    advance: async (ms) => {
      const until = time + ms;
      await settle();
      for (let next = earliest(until); next !== undefined; next = earliest(until)) {
        due.delete(next[0]);
        time = Math.max(time, next[1].at);
        next[1].run();
        await settle();
      }
      time = until;
    },
  };
}
