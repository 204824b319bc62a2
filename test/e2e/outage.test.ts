/**
 * What is away, on the set: the database, the database that answers nothing, Temporal, and
 * Temporal's whole database for good. Nothing that was acknowledged is lost, stops go on without
 * Temporal (K3), alerts follow, and none is sent again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './service-kit.js';
import { startTestSet, type TestSet } from './set-kit.js';

/** The 30 s are data; what is proved does not hang on them. */
const AWAY_MS = Number(process.env['OUTAGE_MS'] ?? 4_000);
/** LW-1. */
const ANSWERED_MS = 1_000;

let kit: TestSet;
beforeAll(async () => {
  kit = await startTestSet({ KAVACH_LADDER_MS: '1000,2000,4000', KAVACH_RELAY_INTERVAL_MS: '500' });
}, 180_000);
afterAll(() => kit.stop(), 60_000);

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly reason: unknown;
  readonly ms: number;
}

const ask = (gateway: number, path: string, body: object): Promise<Response> =>
  kit.ask(gateway, path, { method: 'POST', body: JSON.stringify(body) });

/** One call of a dollar. */
async function spend(gateway: number, agent: string, key: string): Promise<Answered> {
  const began = performance.now();
  const answer = await ask(gateway, '/v1/ingest', {
    events: [
      {
        ...{ agent_name: agent, provider: 'openai', model: 'gpt-4o', run_id: agent },
        ...{ input_tokens: 1, output_tokens: 1, cost: 1, duration_ms: 1, idempotency_key: key },
        timestamp: new Date().toISOString(),
      },
    ],
  });
  const { reason } = (await answer.json()) as { reason?: unknown };
  const ms = performance.now() - began;
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), reason, ms };
}

async function spendUntilTaken(gateway: number, agent: string, key: string): Promise<void> {
  await until(
    `${key} is taken`,
    async () => (await spend(gateway, agent, key)).status === 202,
    60_000,
  );
}

async function configure(agent: string, thresholds: readonly number[]): Promise<void> {
  const target = `${kit.sink.url}/webhook/${agent}`;
  const answer = await ask(0, '/v1/sync-config', {
    agent_name: agent,
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 100, unit: 'usd' }],
    alert_configs: thresholds.map((ratio) => ({
      ...{ channel: 'webhook', threshold_pct: ratio, budget_type: 'cost', target },
    })),
    org_budget: null,
  });
  expect(answer.status).toBe(200);
}

/** The thresholds that arrived, in bps, one for each message that was taken. */
const told = (agent: string): number[] =>
  kit.sink
    .messages(`/webhook/${agent}`)
    .map(({ body }) => (JSON.parse(body) as { data: { threshold_bps: number } }).data.threshold_bps)
    .sort((a, b) => a - b);

async function callsOf(agent: string): Promise<number | undefined> {
  const answer = await kit.ask(0, `/v1/status?agent=${agent}`);
  const { budgets = [] } = (await answer.json()) as { budgets?: { spent: { calls: number } }[] };
  return budgets[0]?.spent.calls;
}

/** Posts through both gateways, ten a second each, for as long as it is away. */
async function spendMeanwhile(agent: string): Promise<Answered[]> {
  const answers: Answered[] = [];
  const posts: Promise<unknown>[] = [];
  const end = Date.now() + AWAY_MS;
  for (let n = 0; Date.now() < end; n += 1) {
    const one = spend(n % 2, agent, `${agent}-meanwhile-${n}`);
    posts.push(one.then((answer) => answers.push(answer)));
    await delay(50);
  }
  await Promise.all(posts);
  return answers;
}

function expectAllPutOff(answers: readonly Answered[]): void {
  expect(answers.length).toBeGreaterThan(20);
  const others = answers.filter(
    ({ status, retryAfter, reason }) =>
      status !== 429 || !(Number(retryAfter) >= 1) || reason !== undefined,
  );
  expect(others).toEqual([]);
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(ANSWERED_MS);
}

/** The server and its children: a machine that is cut off, not one that says no. */
function postgresPids(): number[] {
  const server = kit.set.postgres.pid()!;
  const children = readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === server;
    } catch {
      return false;
    }
  });
  return [server, ...children.map(Number)];
}

describe('the database is away', () => {
  test('gone: every ingest is put off within a second, and nothing acknowledged is lost', async () => {
    await configure('gone', [0.05, 0.1]);
    for (let n = 0; n < 6; n += 1) await spendUntilTaken(n % 2, 'gone', `gone-${n}`);
    await kit.set.postgres.pause();
    const answers = await spendMeanwhile('gone');
    await kit.set.postgres.resume();
    expectAllPutOff(answers);
    for (let n = 0; n < 6; n += 1) await spendUntilTaken(1, 'gone', `gone-meanwhile-${n}`);
    expect(await callsOf('gone')).toBe(12);
    await until('both alerts', () => told('gone').length >= 2, 60_000);
    expect(told('gone')).toEqual([500, 1000]);
  }, 180_000);

  test('frozen: it answers nothing at all, and senders are answered all the same', async () => {
    await spendUntilTaken(0, 'frozen', 'frozen-0');
    const pids = postgresPids();
    expect(pids.length).toBeGreaterThan(3);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    let answers: Answered[];
    try {
      answers = await spendMeanwhile('frozen');
    } finally {
      for (const pid of pids.reverse()) process.kill(pid, 'SIGCONT');
    }
    expectAllPutOff(answers);
    await spendUntilTaken(1, 'frozen', 'frozen-1');
  }, 120_000);
});

describe('Temporal is away', () => {
  test('usage and stops go on, and the alerts follow when it is back', async () => {
    await configure('without', [0.03]);
    await kit.set.temporal.pause();
    for (let n = 0; n < 4; n += 1) await spendUntilTaken(n % 2, 'without', `without-${n}`);
    expect(await callsOf('without')).toBe(4);
    const stop = { by: 'ada', reason: 'a test' };
    expect((await ask(0, '/v1/agents/without/stop', stop)).status).toBe(200);
    const stoppedAt = Date.now();
    // K3: on the other gateway, within a second of the commit; what is refused is stored.
    const refused = await spend(1, 'without', 'without-stopped');
    expect([refused.status, refused.reason]).toEqual([429, expect.any(String)]);
    expect(Date.now() - stoppedAt).toBeLessThan(1_000);
    expect(await callsOf('without')).toBe(5);
    expect((await ask(1, '/v1/agents/without/resume', { by: 'ada' })).status).toBe(200);
    await delay(Math.max(AWAY_MS - (Date.now() - stoppedAt), 0));
    await spendUntilTaken(0, 'without', 'without-after');
    expect(told('without')).toEqual([]);
    await kit.set.temporal.resume();
    await until('the alert', () => told('without').length > 0, 60_000);
    expect(told('without')).toEqual([300]);
  }, 120_000);
});

describe("Temporal's whole database is lost", () => {
  test('periods start again from the ledger: totals right, nothing sent again, nothing missed', async () => {
    await configure('lost', [0.02, 0.04, 0.06]);
    for (let n = 0; n < 2; n += 1) await spendUntilTaken(0, 'lost', `lost-${n}`);
    await until('the first alert', () => told('lost').length === 1, 60_000);
    // Decided and not delivered: its message waits in the ladder of a workflow that is lost.
    kit.sink.script(
      '/webhook/lost',
      Array.from({ length: 2 }, () => ({ type: 'status', status: 503 })),
    );
    for (let n = 2; n < 4; n += 1) await spendUntilTaken(0, 'lost', `lost-${n}`);
    const tries = () => kit.sink.requests.filter(({ path }) => path === '/webhook/lost').length;
    await until('the first try of the second', () => tries() === 2, 60_000);
    await kit.set.loseTemporal();
    for (let n = 4; n < 6; n += 1) await spendUntilTaken(1, 'lost', `lost-${n}`);
    expect(await callsOf('lost')).toBe(6);
    await until('the third alert', () => told('lost').includes(600), 60_000);
    await until('the second alert', () => told('lost').includes(400), 30_000);
    expect(told('lost')).toEqual([200, 400, 600]);
  }, 240_000);
});
