/** The clock and the timers of reporter and relay, injected so that tests own the time. */
export interface Timers {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `run` once after `ms`; the answer cancels it, and is harmless after it ran. */
  after(ms: number, run: () => void): () => void;
}

/** The machine's own. Its timers do not keep a process alive: whoever needs the work done drains. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
