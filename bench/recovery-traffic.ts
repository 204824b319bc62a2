/**
 * Agents that spend steadily and never mind a service that is away: each posts one small batch at
 * a time and repeats it, under the same keys, until it is acknowledged.
 * RT-1. An agent's batches follow each other, so which of them crosses what is known beforehand.
 * RT-2. The clock of a crossing starts when its batch is first sent: what the service was away for
 *       is part of it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { sumOf, writeBatch, type Sum } from './load.js';
import { syncDocument } from './sync.js';

/** Of the limit: a threshold every 2 %. */
const STEP_BPS = 200;
const THRESHOLDS = 10_000 / STEP_BPS;
const EVENTS_PER_POST = 4;
/** Nano-USD of one event; whole cents, so that the wire's float tells it to the nano. */
const EVENT_COST = 50_000_000;
const POST_COST = EVENTS_PER_POST * EVENT_COST;
const CONNECTIONS = 32;
const REPEAT_AFTER_MS = 200;
const ANSWER_WITHIN_MS = 5_000;
const NOTHING: Sum = { events: 0, cost: 0, tokens: 0 };

export interface TrafficSize {
  /** One agent and one daily budget each. */
  readonly periods: number;
  /** Of all agents together. */
  readonly postsPerSecond: number;
  readonly postsPerCrossing: number;
}

/** One threshold of one period, and when (epoch ms) the batch that passes it was first sent. */
export interface SentCrossing {
  readonly agent: string;
  readonly bps: number;
  readonly at: number;
}

export interface Traffic {
  /** Ends it when every batch that was sent is acknowledged. */
  stop(): Promise<{
    readonly crossings: readonly SentCrossing[];
    /** What the ledger has to hold of it. */
    readonly posted: Sum;
    /** The same by agent. */
    readonly byAgent: ReadonlyMap<string, Sum>;
    /** Posts that had to be sent more than once. */
    readonly repeated: number;
  }>;
}

export interface TrafficTarget {
  /** Of the gateways: every try goes to the next one. */
  readonly urls: readonly string[];
  readonly apiKey: string;
  /** Where alerts go to, each agent's to a path of its own below: a storm at one would be folded (A14). */
  readonly webhook: string;
  readonly sync: (document: object) => Promise<void>;
}

export async function startTraffic(target: TrafficTarget, size: TrafficSize): Promise<Traffic> {
  const stepCost = POST_COST * size.postsPerCrossing;
  const agents = Array.from({ length: size.periods }, () => `recovery-${randomUUID()}`);
  for (const agent of agents) {
    await target.sync(
      syncDocument({
        agent,
        budgets: { daily: stepCost * THRESHOLDS },
        thresholds: Array.from({ length: THRESHOLDS }, (_, i) => ((i + 1) * STEP_BPS) / 10_000),
        webhook: `${target.webhook}/${agent}`,
      }),
    );
  }
  const everyMs = (size.periods / size.postsPerSecond) * 1_000;
  const stopping = new AbortController();
  const isOver = (): boolean => stopping.signal.aborted;
  const sender = createSender(target);
  const crossings: SentCrossing[] = [];
  const posted = new Map<string, Sum>();
  let repeated = 0;

  const run = async (agent: string, index: number): Promise<void> => {
    const beganAt = Date.now() + (index / size.periods) * everyMs;
    let spent = 0;
    for (let turn = 0; !isOver() && spent < stepCost * THRESHOLDS;) {
      await delay(Math.max(beganAt + turn * everyMs - Date.now(), 0));
      if (isOver()) return;
      // A head start of its own each, so that crossings come evenly.
      const posts = spent === 0 ? 1 + (index % size.postsPerCrossing) : 1;
      const batch = writeBatch({ agent, cost: EVENT_COST }, posts * EVENTS_PER_POST);
      const passed = Math.floor(spent / stepCost);
      spent += batch.cost;
      const at = Date.now();
      for (let no = passed + 1; no <= Math.floor(spent / stepCost); no += 1) {
        crossings.push({ agent, bps: no * STEP_BPS, at });
      }
      if ((await sender.post(batch.body)) > 1) repeated += 1;
      posted.set(agent, sumOf([posted.get(agent) ?? NOTHING, batch]));
      // What the service was away for is not made up for in a burst.
      turn = Math.max(turn + 1, Math.ceil((Date.now() - beganAt) / everyMs));
    }
  };
  const running = Promise.all(agents.map(run));
  return {
    stop: async () => {
      stopping.abort();
      await running;
      await sender.close();
      return { crossings, posted: sumOf([...posted.values()]), byAgent: posted, repeated };
    },
  };
}

function createSender({ urls, apiKey }: TrafficTarget) {
  const pools = urls.map(
    (url) => new Pool(url, { connections: CONNECTIONS, headersTimeout: ANSWER_WITHIN_MS }),
  );
  let next = 0;
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const isAccepted = async (body: Buffer): Promise<boolean> => {
    try {
      const request = { path: '/v1/ingest', method: 'POST', headers, body } as const;
      const pool = pools[next++ % pools.length];
      if (pool === undefined) return false;
      const { statusCode, body: answer } = await pool.request(request);
      await answer.dump();
      return statusCode === 202;
    } catch {
      // Nobody listened, or the answer was lost.
      return false;
    }
  };
  return {
    /** Resolves when it is acknowledged; answers how often it was sent. */
    post: async (body: Buffer): Promise<number> => {
      for (let sent = 1; ; sent += 1) {
        if (await isAccepted(body)) return sent;
        await delay(REPEAT_AFTER_MS);
      }
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
