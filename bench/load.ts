/**
 * Usage as an agent's SDK sends it: every field of the wire format, in batches that are written
 * out before the clock starts, posted over four connections.
 * L-1. All that is posted is added up here: the ledger's own sum must come to the same.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { createPricer } from '../gateway/price.js';

export const BATCH = 512;
const IN_FLIGHT = 4;
const DAY_MS = 86_400_000;
/** As an SDK does where it is told to come again later. */
const TRIES = 10;
const AGAIN_AFTER_MS = 500;

export interface Sum {
  readonly events: number;
  /** Nano-USD. */
  readonly cost: number;
  readonly tokens: number;
}

export interface Batch extends Sum {
  readonly body: Buffer;
}

export interface EventShape {
  readonly agent: string;
  readonly run?: string;
  /** Nano-USD of every event; absent: half of them carry a cost, half are priced by the gateway. */
  readonly cost?: number;
}

const pricer = createPricer();
const MODEL = { provider: 'openai', model: 'gpt-4o' } as const;
const PROMPT = 'Summarise the ticket below in three sentences and name the next step.';

/** `count` events of one sender, as the SDK would write them now. */
export function writeBatch(shape: EventShape, count = BATCH): Batch {
  const at = Date.now();
  const timestamp = new Date(at).toISOString();
  const prefix = randomUUID();
  const events: unknown[] = [];
  let [cost, tokens] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    const [inputTokens, outputTokens] = [400 + (i % 700), 50 + (i % 90)];
    const isGiven = shape.cost !== undefined || i % 2 === 0;
    const costReported = isGiven ? (shape.cost ?? 1_000_000 + i * 1_000) : 0;
    const call = { ...MODEL, inputTokens, outputTokens, costReported, at };
    cost += pricer.price(call).costUsed;
    tokens += inputTokens + outputTokens;
    events.push({
      agent_name: shape.agent,
      ...MODEL,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cost: costReported / 1e9,
      duration_ms: 800 + (i % 400),
      timestamp,
      idempotency_key: `${prefix}-${String(i)}`,
      ...(shape.run === undefined ? {} : { run_id: shape.run }),
      prompt: PROMPT,
      status: 'success',
    });
  }
  return { events: count, cost, tokens, body: Buffer.from(JSON.stringify({ events })) };
}

export function sumOf(batches: readonly Sum[]): Sum {
  const total = { events: 0, cost: 0, tokens: 0 };
  for (const { events, cost, tokens } of batches) {
    total.events += events;
    total.cost += cost;
    total.tokens += tokens;
  }
  return total;
}

export interface Poster {
  /**
   * Four at a time, or fewer; resolves when all were answered. What is answered 429 is sent again;
   * throws on anything else but 202 for all of it.
   */
  post(batches: readonly Batch[], inFlight?: number): Promise<void>;
  sync(document: object): Promise<void>;
  get(path: string): Promise<unknown>;
  /** L-1. */
  posted(): Sum;
  /** L-1. Adds what was posted past this. */
  count(sum: Sum): void;
  close(): Promise<void>;
}

export function createPoster(url: string, apiKey: string, connections = IN_FLIGHT): Poster {
  const pool = new Pool(url, { connections });
  const authorization = `Bearer ${apiKey}`;
  const headers = { authorization, 'content-type': 'application/json' };
  let posted: Sum = { events: 0, cost: 0, tokens: 0 };
  const ask = async (method: 'GET' | 'POST', path: string, body?: Buffer) => {
    const answer = await pool.request({ method, path, headers, body: body ?? null });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  const postOne = async (batch: Batch): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      const { status, text } = await ask('POST', '/v1/ingest', batch.body);
      const { accepted = 0, duplicates = 0 } = JSON.parse(text) as Partial<Record<string, number>>;
      // What was put off may have been stored all the same: then its repeat is known.
      const stored = tries === 1 ? accepted : accepted + duplicates;
      if (status === 202 && stored === batch.events) break;
      // Its keys make a repeat harmless (B5), and the pause counts as the poster's time.
      if (status !== 429 || tries === TRIES) {
        throw new Error(`A batch was answered with ${String(status)} ${text.slice(0, 300)}`);
      }
      await delay(AGAIN_AFTER_MS);
    }
    posted = sumOf([posted, batch]);
  };
  return {
    post: async (batches, inFlight = IN_FLIGHT) => {
      let next = 0;
      const send = async (): Promise<void> => {
        for (;;) {
          const batch = batches[next];
          next += 1;
          if (batch === undefined) return;
          await postOne(batch);
        }
      };
      await Promise.all(Array.from({ length: inFlight }, send));
    },
    sync: async (document) => {
      const body = Buffer.from(JSON.stringify(document));
      const { status, text } = await ask('POST', '/v1/sync-config', body);
      if (status >= 300) throw new Error(`A configuration was answered with ${text.slice(0, 300)}`);
    },
    get: async (path) => JSON.parse((await ask('GET', path)).text) as unknown,
    posted: () => posted,
    count: (sum) => {
      posted = sumOf([posted, sum]);
    },
    close: () => pool.close(),
  };
}

/** Periods end at midnight UTC: nothing is begun so close before it that it might end after it. */
export async function awayFromMidnight(needMs: number): Promise<void> {
  const left = DAY_MS - (Date.now() % DAY_MS);
  if (left < needMs) await delay(left + 1_000);
}
