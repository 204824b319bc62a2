/**
 * What an engine is given of the world it runs in: web APIs only, all of it replaceable, so that
 * tests own time, chance and network.
 */

export interface Clock {
  /** Epoch ms. It may be set, back and forth. */
  wall(): number;
  /** Ms of a clock that nobody sets; it may stand still while the machine sleeps. */
  mono(): number;
}

export interface Timers {
  /** Runs `run` once after `ms`; the answer cancels it. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
  /** Keeps the process alive until the answer is called: somebody of the host's waits for us. */
  hold(): () => void;
}

type Say = (message: string, fields?: object) => void;

/** What a host brings: the shape of `console`. */
export interface HostLogger {
  readonly info?: Say;
  readonly warn?: Say;
  readonly error?: Say;
}

/** Never given a key or a prompt. Never throws. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly timers: Timers;
  /** In [0, 1). Spreads retries; ids come from the platform. */
  readonly random: () => number;
  readonly logger: Logger;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  mono: () => performance.now(),
};

/** The longest a timer can be set for, about 24 days. */
const LONG_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after: (ms, run) => {
    // A browser's timers are numbers, and keep nothing alive.
    const timer: unknown = setTimeout(run, ms);
    if (hasUnref(timer)) timer.unref();
    return () => {
      clearTimeout(timer as ReturnType<typeof setTimeout>);
    };
  },
  hold: () => {
    const timer = setInterval(() => undefined, LONG_MS);
    return () => {
      clearInterval(timer);
    };
  },
};

/** A host's logger that throws must not end a call of the host's. */
export function loggerOf(host: HostLogger): Logger {
  const say =
    (level: keyof HostLogger): Logger[typeof level] =>
    (fields, message) => {
      try {
        host[level]?.(message, fields);
      } catch {
        // There is nobody left to tell.
      }
    };
  return { info: say('info'), warn: say('warn'), error: say('error') };
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}
