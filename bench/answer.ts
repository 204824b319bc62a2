/**
 * answer.*: how long an ingest is answered for, at 5 % and at 80 % of what one gateway takes at
 * most. Posts go out by the clock whether or not earlier ones were answered, and a post's time
 * begins when it was due: what a slow answer holds up is not left out.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { figure, quantile, type Report } from './figure.js';
import { awayFromMidnight, createPoster, sumOf, writeBatch, type Poster } from './load.js';
import type { SetStack } from './set-stack.js';
import { syncDocument } from './sync.js';
import { usageChecks } from './watch.js';

/** What an SDK has gathered when it flushes. */
const PER_POST = 50;
const LAG_EVERY_MS = 250;
/** As many agents' connections: what waits shall wait at the gateway, not for a connection. */
const CONNECTIONS = 64;

export interface AnswerSize {
  /** Of the search for the most it takes, and of each of the two loads. */
  readonly seconds: number;
}

interface Status {
  readonly relay: { readonly oldestMs: number };
}

export async function benchAnswer(
  { set, posters }: SetStack,
  { seconds }: AnswerSize,
): Promise<Report> {
  const [poster] = posters;
  const [url] = set.urls;
  if (poster === undefined || url === undefined) throw new Error('The set has no gateway');
  await awayFromMidnight(seconds * 5_000 + 60_000);
  const agents = Array.from({ length: 20 }, () => `answer-${randomUUID()}`);
  for (const agent of agents) {
    const webhook = 'http://127.0.0.1:9/never';
    await poster.sync(
      syncDocument({ agent, budgets: { daily: 2 ** 52 }, thresholds: [1], webhook }),
    );
  }
  const wide = createPoster(url, set.apiKey, CONNECTIONS);
  const post = (no: number): Promise<void> =>
    wide.post([writeBatch({ agent: agents[no % agents.length] ?? '' }, PER_POST)], 1);
  const most = await mostPerSecond(post, seconds);
  const low = await byTheClock(poster, post, most * 0.05, seconds);
  const high = await byTheClock(poster, post, most * 0.8, seconds);
  await wide.close();
  poster.count(wide.posted());
  return {
    figures: [
      figure('answer.at5.p50', 'ms', [quantile(low.ms, 0.5)]),
      figure('answer.at5.p99', 'ms', [quantile(low.ms, 0.99)]),
      figure('answer.at80.p50', 'ms', [quantile(high.ms, 0.5)]),
      figure('answer.at80.p99', 'ms', [quantile(high.ms, 0.99)]),
      figure('answer.at80.relayLag.p99', 'ms', [quantile(high.lags, 0.99)]),
    ],
    checks: await usageChecks('answer', poster, sumOf(posters.map((each) => each.posted()))),
    notes: [
      `answer: posts of ${String(PER_POST)} events; one gateway took ${(most * PER_POST).toFixed(0)} ` +
        `events/s at most, and ${String(low.ms.length)} and ${String(high.ms.length)} posts were timed.`,
    ],
  };
}

/** Posts a second with four always under way. */
async function mostPerSecond(
  post: (no: number) => Promise<void>,
  seconds: number,
): Promise<number> {
  const began = performance.now();
  let posts = 0;
  const send = async (): Promise<void> => {
    while (performance.now() - began < seconds * 1_000) {
      posts += 1;
      await post(posts);
    }
  };
  await Promise.all([send(), send(), send(), send()]);
  return posts / ((performance.now() - began) / 1_000);
}

async function byTheClock(
  poster: Poster,
  post: (no: number) => Promise<void>,
  perSecond: number,
  seconds: number,
): Promise<{ readonly ms: readonly number[]; readonly lags: readonly number[] }> {
  const ms: number[] = [];
  const lags: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const watching = (async () => {
    while (performance.now() < end) {
      const { relay } = (await poster.get('/v1/status')) as Status;
      lags.push(relay.oldestMs);
      await delay(LAG_EVERY_MS);
    }
  })();
  const sending: Promise<void>[] = [];
  for (let no = 0; ; no += 1) {
    const due = began + (no * 1_000) / perSecond;
    if (due >= end) break;
    await delay(Math.max(due - performance.now(), 0));
    sending.push(post(no).then(() => void ms.push(performance.now() - due)));
  }
  await Promise.all([...sending, watching]);
  return { ms, lags };
}
