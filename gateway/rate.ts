/**
 * How fast a key may ask: a token bucket per key and kind of request, in this process.
 * G-R1. Usage has a bucket of its own: whoever polls or configures in a loop never slows down the
 *       usage that is reported with the same key.
 */
import type { MiddlewareHandler } from 'hono';
import type { Env } from './env.js';
import { Problem } from './problem.js';

/** `usage`: ingest, runs and what they need; `other`: everything else. */
export type RateName = 'usage' | 'other';

/** Requests a second that one key may keep up. */
export type Rates = Readonly<Record<RateName, number>>;

/** A bucket holds so many seconds of its rate: a burst after a silence. */
const BURST_S = 10;
/** Buckets that are full again say nothing: they are dropped when there are this many. */
const REMEMBERED_BUCKETS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** `now` is epoch ms; a clock that is set back refills nothing. */
export function createRateLimits(
  rates: Rates,
  now: () => number,
): (name: RateName) => MiddlewareHandler<Env> {
  const buckets = new Map<string, Bucket>();

  /** 0: go on; else how many seconds until there is a token. */
  function waitFor(name: RateName, key: string): number {
    const rate = rates[name];
    const at = now();
    const bucket = buckets.get(`${name} ${key}`) ?? { tokens: rate * BURST_S, at };
    const refilled = bucket.tokens + (Math.max(0, at - bucket.at) / 1_000) * rate;
    bucket.tokens = Math.min(rate * BURST_S, refilled);
    bucket.at = at;
    if (!buckets.has(`${name} ${key}`) && buckets.size >= REMEMBERED_BUCKETS) sweep(at);
    buckets.set(`${name} ${key}`, bucket);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / rate;
    bucket.tokens -= 1;
    return 0;
  }

  function sweep(at: number): void {
    for (const [name, bucket] of buckets) {
      if (at - bucket.at >= BURST_S * 1_000) buckets.delete(name);
    }
    if (buckets.size >= REMEMBERED_BUCKETS) buckets.clear();
  }

  return (name) => async (c, next) => {
    const { org, id } = c.get('key');
    const waitS = waitFor(name, `${org} ${id}`);
    if (waitS > 0) throw tooFast(name, rates[name], Math.max(1, Math.ceil(waitS)));
    await next();
  };
}

/** Without a `reason`: the Python SDK keeps its events then, and sends them again. */
function tooFast(name: RateName, rate: number, waitS: number): Problem {
  const what = name === 'usage' ? 'requests that report usage' : 'requests';
  return new Problem({
    status: 429,
    title: 'Too many requests',
    detail: `This key makes more than ${String(rate)} ${what} a second: go on in ${String(waitS)} s.`,
    headers: { 'retry-after': String(waitS) },
  });
}
