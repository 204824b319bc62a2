/**
 * One agent process that reports its calls over HTTP in batches, as the SDKs do.
 * SE-1. A batch that was not answered, or was answered "later", is posted again with the same
 *       keys until it is stored: whatever died in between, it counts once (B5).
 * SE-2. A refusal with a reason was stored first (K3); the sender goes on, as the demo's point is
 *       that usage which happened is never lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayApi, PostAnswer } from './gateway-api.js';
import { MODEL, type PlannedCall } from './plan.js';

/** As many events as the SDKs put into one post. */
const MAX_BATCH = 512;
const FLUSH_EVERY_MS = 250;
const RETRY_AFTER_MS = 200;
/** Without any batch stored for so long the service is not coming back. */
const GIVE_UP_MS = 60_000;

export interface Tally {
  posts: number;
  retries: number;
  stored: number;
  duplicates: number;
  quarantined: number;
  /** Posts that were stored and then answered with a refusal, and the events in them. */
  refusedPosts: number;
  refusedEvents: number;
  refusal?: string;
}

export interface SenderOptions {
  readonly api: GatewayApi;
  readonly agent: string;
  readonly calls: readonly PlannedCall[];
  /** Epoch ms of the play's start; a call happens `atMs` after it. */
  readonly startAt: number;
  /** Leaves the price to the gateway, as an SDK does that does not know the model (B6). */
  readonly unpriced: boolean;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

export function emptyTally(): Tally {
  return {
    ...{ posts: 0, retries: 0, stored: 0, duplicates: 0, quarantined: 0 },
    ...{ refusedPosts: 0, refusedEvents: 0 },
  };
}

/** Posts every call when its time has come. Throws when the service stays away or says it is us. */
export async function runSender(options: SenderOptions): Promise<void> {
  const { calls, startAt, signal } = options;
  let next = 0;
  while (next < calls.length) {
    const elapsed = Date.now() - startAt;
    let end = next;
    while (end < calls.length && end - next < MAX_BATCH && (calls[end]?.atMs ?? 0) <= elapsed) {
      end += 1;
    }
    if (end > next) await postUntilStored(options, calls.slice(next, end));
    // A full batch means that more may be waiting.
    if (end - next < MAX_BATCH && end < calls.length) {
      await delay(FLUSH_EVERY_MS, undefined, { signal });
    }
    next = end;
  }
}

/** Posts one batch until it is stored, and counts what came of it. Answers the last answer. */
export async function postUntilStored(
  options: SenderOptions,
  batch: readonly PlannedCall[],
): Promise<Extract<PostAnswer, { type: 'stored' }>> {
  const { api, tally, signal } = options;
  const events = batch.map((call) => eventOf(options, call));
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (;;) {
    tally.posts += 1;
    const answer = await api.postUsage(events, signal);
    if (answer.type === 'stored') {
      count(tally, answer, batch.length);
      return answer;
    }
    if (answer.type === 'refused' || Date.now() > giveUpAt) {
      throw new Error(`A batch of ${String(batch.length)} events was not stored: ${answer.reason}`);
    }
    tally.retries += 1;
    await delay(Math.max(answer.afterMs ?? 0, RETRY_AFTER_MS), undefined, { signal });
  }
}

function count(tally: Tally, answer: Extract<PostAnswer, { type: 'stored' }>, size: number): void {
  tally.stored += answer.accepted;
  tally.duplicates += answer.duplicates;
  tally.quarantined += answer.rejected;
  if (answer.refusal === undefined) return;
  tally.refusedPosts += 1;
  tally.refusedEvents += size;
  tally.refusal = answer.refusal;
}

/** The wire form of the SDKs. */
function eventOf({ agent, startAt, unpriced }: SenderOptions, call: PlannedCall): object {
  return {
    agent_name: agent,
    ...MODEL,
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    // A float of USD, whose digits tell the nano exactly (plan.ts bounds the sum).
    cost: unpriced ? 0 : call.cost / 1e9,
    duration_ms: 0,
    timestamp: new Date(startAt + call.atMs).toISOString(),
    idempotency_key: call.idempotencyKey,
    run_id: call.run,
    status: 'success',
  };
}
