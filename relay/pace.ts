/**
 * One pace for all that is sent to Temporal: a token bucket whose rate follows the answers.
 *
 * Invariants
 * P-1. The bound is common to all periods: a rate for each drowned the server (architecture.md §5).
 * P-2. Crossings and alerts may go into debt by one burst, which the rest then pays back: they
 *      wait for nobody, and the rate over time stays the same.
 * P-3. The rate is halved at most once a second, never below the floor, and grows by addition.
 */

export interface PaceOptions {
  /** Signals a second to begin with. */
  readonly perSecond: number;
  readonly floorPerSecond: number;
  readonly capPerSecond: number;
}

export interface Pace {
  /** Whole tokens that ordinary work may take now. */
  available(now: number): number;
  /** Whether urgent work may go now. */
  mayHurry(now: number): boolean;
  take(now: number): void;
  /** Ms until the next token. */
  waitMs(now: number): number;
  /** An answer came after `ms`. */
  answered(ms: number, now: number): void;
  /** The server asked for less. */
  throttled(now: number): void;
  perSecond(): number;
}

const SLOW_MS = 500;
const ADJUST_EVERY_MS = 1_000;
const GROWTH_PER_SECOND = 5;
const MAX_SAMPLES = 256;

export function createPace(
  { perSecond, floorPerSecond, capPerSecond }: PaceOptions,
  at: number,
): Pace {
  let rate = Math.min(perSecond, capPerSecond);
  let tokens = burst();
  let filledAt = at;
  let adjustedAt = at;
  let samples: number[] = [];

  /** Half a second's worth, so that a poll of 200 ms never leaves the bucket idle. */
  function burst(): number {
    return Math.max(rate / 2, 1);
  }

  const fill = (now: number): void => {
    tokens = Math.min(tokens + ((now - filledAt) / 1_000) * rate, burst());
    filledAt = now;
  };

  const change = (to: number, now: number): void => {
    fill(now);
    rate = Math.min(Math.max(to, floorPerSecond), capPerSecond);
    tokens = Math.min(tokens, burst());
    adjustedAt = now;
    samples = [];
  };

  return {
    available: (now) => {
      fill(now);
      return Math.max(Math.floor(tokens), 0);
    },
    mayHurry: (now) => {
      fill(now);
      return tokens > -burst();
    },
    take: (now) => {
      fill(now);
      tokens -= 1;
    },
    waitMs: (now) => {
      fill(now);
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / rate) * 1_000);
    },
    answered: (ms, now) => {
      if (samples.length < MAX_SAMPLES) samples.push(ms);
      if (now - adjustedAt < ADJUST_EVERY_MS) return;
      const isSlow = medianOf(samples) > SLOW_MS;
      change(isSlow ? rate / 2 : rate + GROWTH_PER_SECOND, now);
    },
    throttled: (now) => {
      if (now - adjustedAt >= ADJUST_EVERY_MS) change(rate / 2, now);
    },
    perSecond: () => rate,
  };
}

function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
