/**
 * One campaign: steady load, kills all the while, then quiet, then the accounts.
 * CA-1. The load never minds what is away: it repeats under the same keys until it is acknowledged,
 *       so what was acknowledged, and which thresholds it passes, is known to the last event.
 * CA-2. It ends: a load that is not acknowledged, or parts that do not come back, within the bound
 *       are a failure that is said.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../cli/demo/random.js';
import type { Check } from '../bench/figure.js';
import { createPoster } from '../bench/load.js';
import { accountOf } from '../bench/recovery-account.js';
import { startTraffic, type TrafficSize } from '../bench/recovery-traffic.js';
import { bookChecks } from './books.js';
import { runKiller } from './killer.js';
import type { Target } from './target.js';

export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  readonly everyMs: number;
  readonly onKill: (name: string, no: number) => void;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface CampaignReport {
  readonly set: Target['name'];
  readonly what: string;
  readonly seed: number;
  readonly seconds: number;
  /** By the name of the part. */
  readonly kills: Readonly<Record<string, number>>;
  /** What was acknowledged. */
  readonly events: number;
  /** Posts that had to be sent more than once. */
  readonly repeatedPosts: number;
  readonly crossings: number;
  /** From a crossing's first sending to its message, ms. */
  readonly slowestMs: number;
  /** Messages that were sent again, under the same key. */
  readonly repeatedMessages: number;
  readonly checks: readonly Check[];
}

const PATH = '/webhook/faults';
const AGENTS = 24;
const POSTS_PER_SECOND = 24;
/** Of each agent, over the whole campaign: enough to be under way at any kill. */
const CROSSINGS_PER_AGENT = 30;
/** What a part takes to come back, on a slow machine. */
const RESTART_MS = 4_000;
/** A crossing is more work than a post: so many posts of each agent to one of them, at least. */
const POSTS_PER_CROSSING = 6;
/** What has not come when nothing has come for so long is missing. */
const SETTLE_MS = 60_000;
/** CA-2. Beyond the kills themselves. */
const SLACK_MS = 240_000;

export async function runCampaign(
  target: Target,
  options: CampaignOptions,
): Promise<CampaignReport> {
  const { kills, seed, everyMs, say } = options;
  const beganAt = Date.now();
  const bound = AbortSignal.timeout(longestMs(options));
  const signal = AbortSignal.any([options.signal, bound]);
  const { sink, parts, apiKey } = target;
  const poster = createPoster(target.urls[0] ?? '', apiKey);
  try {
    const webhook = sink.url + PATH;
    const sync = (document: object): Promise<void> => poster.sync(document);
    const load = await startTraffic(
      { urls: target.urls, apiKey, webhook, sync },
      sizeOf(kills * (everyMs + RESTART_MS)),
    );
    const ended = await orAbort(
      (async () => {
        const killed = await runKiller({ ...options, parts, random: createRandom(seed), signal });
        say('the last part is back; waiting for what is under way');
        return { killed, ...(await load.stop()) };
      })(),
      signal,
    );
    const { crossings, byAgent, posted, repeated } = ended;
    const heard = () => sink.requests.filter(({ path }) => path.startsWith(PATH));
    let left = crossings.length + 1;
    for (let since = Date.now(); left > 0 && Date.now() < since + SETTLE_MS;) {
      const { length } = accountOf(crossings, heard()).missed;
      if (length < left) since = Date.now();
      left = length;
      await delay(200, undefined, { signal });
    }
    // What would come twice has its chance.
    await delay(3_000, undefined, { signal });
    const { arrived, missed, ...account } = accountOf(crossings, heard());
    return {
      ...{ set: target.name, what: target.what, seed },
      seconds: Math.round((Date.now() - beganAt) / 1_000),
      kills: Object.fromEntries(ended.killed),
      ...{ events: posted.events, repeatedPosts: repeated, crossings: crossings.length },
      slowestMs: Math.max(0, ...arrived.map(({ tookMs }) => tookMs)),
      repeatedMessages: account.repeats,
      checks: [
        { what: 'kills', expected: kills, actual: sumOfValues(ended.killed) },
        ...(await bookChecks(target, byAgent)),
        { what: 'thresholds: missed', expected: 0, actual: missed.length },
        { what: 'thresholds: decided twice', expected: 0, actual: account.decidedTwice },
        { what: 'alerts of no crossing', expected: 0, actual: account.unexpected },
        { what: 'alerts under two keys', expected: 0, actual: account.underTwoKeys },
      ],
    };
  } finally {
    await poster.close();
  }
}

/** CA-2. */
export function longestMs({ kills, everyMs }: Pick<CampaignOptions, 'kills' | 'everyMs'>): number {
  return kills * (everyMs + 3 * RESTART_MS) + SLACK_MS;
}

function sizeOf(playMs: number): TrafficSize {
  const postsPerAgent = (playMs / 1_000) * (POSTS_PER_SECOND / AGENTS);
  return {
    periods: AGENTS,
    postsPerSecond: POSTS_PER_SECOND,
    postsPerCrossing: Math.max(POSTS_PER_CROSSING, Math.ceil(postsPerAgent / CROSSINGS_PER_AGENT)),
  };
}

function sumOfValues(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** CA-2. What is given up goes on in the background until its parts are gone. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  const aborted = new Promise<never>((_, reject) => {
    const fail = (): void => {
      const isBound = (signal.reason as Error | undefined)?.name === 'TimeoutError';
      reject(
        isBound
          ? new Error(
              'The campaign did not end in time: a part did not come back, or the load was not taken',
            )
          : (signal.reason as Error),
      );
    };
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail);
  });
  return await Promise.race([work, aborted]);
}
