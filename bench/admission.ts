/**
 * admission.*: the decision whether a call may be made, in the agent's own process under a lease,
 * against a check in Lua on a Redis on loopback: what the field's guards ask before each call.
 * AD-1. Both arms decide the same calls under a budget that holds all of them, one at a time, in
 *       turns; what a call costs afterwards is settled outside the clock in both.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Amounts } from '../domain/lease/amounts.js';
import { createLeasedAdmission } from '../sdk/engine/admission.js';
import { figure, interleave, quantile, type Check, type Report } from './figure.js';
import { awayFromMidnight } from './load.js';
import { startRedis, type Redis } from './redis.js';
import type { Stack } from './stack.js';
import { syncDocument } from './sync.js';

export interface AdmissionSize {
  readonly pairs: number;
  /** Calls of an arm in each pair. */
  readonly calls: number;
}

/** A call at its worst, nano-USD, and what it came to. */
const WORST: Amounts = { cost: 2_000_000, tokens: 600, calls: 1 };
const ACTUAL: Amounts = { cost: 1_000_000, tokens: 300, calls: 1 };
const REPORT = {
  ...{ provider: 'openai', model: 'bench', inputTokens: 200, outputTokens: 100 },
  ...{ cost: ACTUAL.cost, durationMs: 1, status: 'success' as const },
} as const;

/** Spent, reserved, limit and the worst case in; 1 where the call may be made. */
const CHECK = `
local held = tonumber(redis.call('GET', KEYS[1]) or '0')
if held + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
return 1`;

export async function benchAdmission(stack: Stack, size: AdmissionSize): Promise<Report> {
  const service = await stack.service();
  await awayFromMidnight(120_000);
  const total = size.pairs * size.calls;
  const warm = size.calls;
  // As many as the figure about round trips speaks of: ten thousand calls at their worst, at least.
  const limit = Math.max(total + warm, 10_000) * WORST.cost;
  const agent = `admission-${randomUUID()}`;
  let asks = 0;
  const admission = createLeasedAdmission({
    ...{ endpoint: service.url, apiKey: service.apiKey, agentName: agent, runId: randomUUID() },
    syncDocument: {
      ...syncDocument({ agent, budgets: { daily: limit }, thresholds: [], webhook: '' }),
      alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
    },
    ...{ hasBlockBudget: true, whenUnreachable: 'closed' },
    fetch: (input, init) => {
      if (urlOf(input).endsWith('/v1/leases')) asks += 1;
      return fetch(input, init);
    },
  });
  const redis = await startRedis(process.env);
  let admitted = 0;
  let allowed = 0;
  const ours = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let no = 0; no < size.calls; no += 1) {
      const began = performance.now();
      const leave = admission.admit(WORST);
      const answer = leave instanceof Promise ? await leave : leave;
      times.push((performance.now() - began) * 1_000);
      if (answer.type === 'admitted') {
        admitted += 1;
        answer.reservation.settle(ACTUAL, REPORT);
      }
      // The call itself: an agent gives its process room between two decisions.
      if (no % 16 === 0) await nextTurn();
    }
    return times;
  };
  const theirs = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let no = 0; no < size.calls; no += 1) {
      const began = performance.now();
      const answer = await redis.send('EVALSHA', sha, 1, agent, WORST.cost, limit);
      times.push((performance.now() - began) * 1_000);
      if (answer === 1) {
        allowed += 1;
        await redis.send('DECRBY', agent, WORST.cost - ACTUAL.cost);
      }
      if (no % 16 === 0) await nextTurn();
    }
    return times;
  };
  let sha = '';
  try {
    sha = String(await redis.send('SCRIPT', 'LOAD', CHECK));
    // The first lease is there before the clock: it is asked for once in an agent's life.
    const first = await admission.admit(WORST);
    if (first.type === 'admitted') first.reservation.release();
    // Both arms warm: what is compared is the ten-thousandth call, not the first.
    await ours();
    await theirs();
    [asks, admitted, allowed] = [0, 0, 0];
    const runs = await interleave(size.pairs, ours, theirs);
    await admission.close(10_000);
    const spent = await spentOf(service, agent);
    return {
      figures: [
        figure(
          'admission.p99Ratio',
          'x',
          runs.map(({ a, b }) => quantile(b, 0.99) / quantile(a, 0.99)),
          { atLeast: 20 },
        ),
        ...figuresOf(
          'admission.ours',
          runs.flatMap(({ a }) => a),
        ),
        ...figuresOf(
          'admission.redis',
          runs.flatMap(({ b }) => b),
        ),
        figure('admission.asksPerThousand', '', [(asks * 1_000) / total], { atMost: 100 }),
      ],
      checks: checksOf({
        total,
        warm,
        admitted,
        allowed,
        spent,
        redisSpent: await readSpent(redis, agent),
      }),
      notes: [
        `admission: ${String(total)} calls an arm, one at a time; a budget of ${String(limit / WORST.cost)} calls at their worst.`,
      ],
    };
  } finally {
    await admission.close(1_000);
    await redis.close();
  }
}

function urlOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : String(input);
}

function figuresOf(name: string, micros: readonly number[]) {
  return [
    figure(`${name}.p50`, 'µs', [quantile(micros, 0.5)]),
    figure(`${name}.p99`, 'µs', [quantile(micros, 0.99)]),
  ];
}

interface Counted {
  readonly total: number;
  /** Calls before the clock, of each arm. */
  readonly warm: number;
  readonly admitted: number;
  readonly allowed: number;
  readonly spent: number;
  readonly redisSpent: number;
}

function checksOf({ total, warm, admitted, allowed, spent, redisSpent }: Counted): Check[] {
  const cost = (total + warm) * ACTUAL.cost;
  return [
    { what: 'admission: calls admitted under leases', expected: total, actual: admitted },
    { what: 'admission: calls allowed by Redis', expected: total, actual: allowed },
    { what: 'admission: nano-USD in the ledger', expected: cost, actual: spent },
    { what: 'admission: nano-USD in Redis', expected: cost, actual: redisSpent },
  ];
}

async function readSpent(redis: Redis, key: string): Promise<number> {
  return Number(await redis.send('GET', key));
}

async function spentOf(
  { url, apiKey }: { readonly url: string; readonly apiKey: string },
  agent: string,
): Promise<number> {
  const answer = await fetch(`${url}/v1/status?agent=${encodeURIComponent(agent)}`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  return ((await answer.json()) as { usage: { cost: number } }).usage.cost;
}
