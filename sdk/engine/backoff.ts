/** How long to wait before the next try: doubling, spread, and never shorter than was asked for. */

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly random: () => number;
}

export interface Backoff {
  /** Ms until the next try; `atLeastMs` is the other side's Retry-After. */
  next(atLeastMs?: number): number;
  /** It worked. */
  reset(): void;
}

export function createBackoff({ firstMs, mostMs, random }: BackoffOptions): Backoff {
  let tries = 0;
  return {
    next: (atLeastMs = 0) => {
      const top = Math.min(firstMs * 2 ** Math.min(tries, 30), mostMs);
      tries += 1;
      // Half of it is chance: guards that lost one gateway together do not come back together.
      return Math.max(atLeastMs, Math.round(top * (0.5 + random() / 2)));
    },
    reset: () => {
      tries = 0;
    },
  };
}
