/**
 * The TypeScript SDK against the real service: its examples as processes, guards of this process,
 * and a fake model provider that knows what it billed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type BenchService, type Stack } from '../../bench/stack.js';
import { startLlm, type Llm } from '../../fakes/llm.js';
import type { StatusView } from '../../gateway/views.js';
import {
  AgentKavach,
  Budget,
  IngestRejectedError,
  UnboundedCallError,
  UnreachableError,
  type AgentKavachOptions,
} from '../../sdk/index.js';
import { startExample, type RunningExample } from './sdk-example.js';
import { until } from './service-kit.js';

/** What an answer of the fake comes to: all that is asked for, 250 tokens, is written. */
const OUTPUT = 250;
/** gpt-4o at 2.50 and 10.00 USD a million tokens. */
const NANOS_A_TOKEN = { input: 2_500, output: 10_000 };
const CHAT = {
  ...{ model: 'gpt-4o', max_completion_tokens: OUTPUT },
  messages: [{ role: 'user' as const, content: 'How are you?' }],
};
/** K2: within a second, once the Stop is answered. */
const SECOND = { timeout: 1_000, interval: 10 };

let stack: Stack;
let service: BenchService;
let llm: Llm;
let home: string;
const closing: (() => Promise<void> | void)[] = [];
const ending: (() => Promise<void>)[] = [];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kavach-sdk-'));
  closing.push(() => {
    rmSync(home, { recursive: true, force: true });
  });
  llm = await startLlm({ script: ({ maxTokens }) => ({ outputTokens: maxTokens ?? OUTPUT }) });
  closing.push(() => llm.stop());
  const { signal } = new AbortController();
  stack = await startStack({
    ...{ env: process.env, onProgress: () => undefined, signal },
    variables: ({ url }) => ({
      KAVACH_RELAY_INTERVAL_MS: '200',
      KAVACH_LADDER_MS: '500,1000,2000',
      PAGERDUTY_BASE_URL: `${url}/pagerduty`,
      RESEND_API_KEY: 're_test',
      RESEND_BASE_URL: `${url}/resend`,
      KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
      KAVACH_EMAIL_DOMAINS: 'acme.com',
    }),
  });
  closing.push(() => stack.close());
  service = await stack.service();
}, 300_000);

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

afterAll(async () => {
  for (const step of closing.splice(0).reverse()) await step();
});

function example(name: string, variables: Record<string, string> = {}): RunningExample {
  const started = startExample({
    name,
    variables: {
      HOME: home,
      AGENTKAVACH_BACKEND_URL: service.url,
      AGENTKAVACH_API_KEY: service.apiKey,
      AGENTKAVACH_SLACK_WEBHOOK_URL: `${stack.sink.url}/slack/team`,
      AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R0123456789abcdef0123456789abcde',
      ...{ OPENAI_BASE_URL: `${llm.url}/v1`, OPENAI_API_KEY: 'sk-fake' },
      ...{ ANTHROPIC_BASE_URL: llm.url, ANTHROPIC_API_KEY: 'sk-fake' },
      ...variables,
    },
  });
  ending.push(() => started.kill());
  return started;
}

interface TestGuard {
  readonly guard: AgentKavach;
  readonly kills: string[];
}

function guardOf(
  agentName: string,
  options: Partial<AgentKavachOptions<'openai'>> = {},
): TestGuard {
  const kills: string[] = [];
  const guard = new AgentKavach({
    ...{ apiKey: service.apiKey, llmKey: 'sk-fake', agentName, budget: Budget.daily(1) },
    ...{ endpoint: service.url, llmBaseUrl: `${llm.url}/v1`, journalDir: join(home, 'journals') },
    channels: [AgentKavach.channel('kill', { threshold: 1 })],
    onKill: (reason) => kills.push(reason),
    ...options,
  });
  ending.push(() => guard.close({ timeoutMs: 2_000 }));
  return { guard, kills };
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(service.url + path, {
    headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path} -> ${String(answer.status)}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface LeaseShown {
  readonly id: string;
  readonly state: string;
  readonly granted: { readonly cost_nano_usd: number };
  readonly settled: { readonly cost_nano_usd: number };
  readonly remainder: { readonly cost_nano_usd: number };
}

const statusOf = (agent: string): Promise<StatusView> => ask(`/v1/status?agent=${agent}`);
const leasesOf = async (agent: string): Promise<readonly LeaseShown[]> =>
  (await ask<{ leases: LeaseShown[] }>(`/v1/leases?agent_name=${agent}`)).leases;
const untilLease = (agent: string, state: string): Promise<LeaseShown> =>
  until(`a lease that is ${state}`, async () =>
    (await leasesOf(agent)).find((lease) => lease.state === state),
  );
/** Nano-USD that its budget counts for leases. */
const leasedOf = async (agent: string): Promise<number | undefined> =>
  (await statusOf(agent)).budgets[0]?.leased.cost;

/** Nano-USD. */
function billed(model = 'gpt-4o'): number {
  const { inputTokens, outputTokens } = llm.billed(model);
  return inputTokens * NANOS_A_TOKEN.input + outputTokens * NANOS_A_TOKEN.output;
}

describe('the examples', () => {
  test('an agent gets its alerts once each, is killed once at its budget, and stays inside it', async () => {
    const { sink } = stack;
    const limit = 52_000_000;
    const agent = example('guarded-agent.ts', { DAILY_BUDGET_USD: String(limit / 1e9) });
    const before = billed();
    let replies = 0;
    let reply = await agent.ask();
    for (; reply.startsWith('answer'); reply = await agent.ask()) replies += 1;
    expect(replies).toBeGreaterThan(15);
    expect(reply).toMatch(/^refused: BudgetExceededError: .*research-bot/);
    expect(await agent.ask()).toMatch(/^refused: BudgetExceededError: /);
    const told = await agent.finish();
    expect(told.filter((line) => line.startsWith('killed'))).toEqual(['killed: cost']);

    const spent = billed() - before;
    expect(spent).toBeGreaterThan(0.95 * limit);
    expect(spent).toBeLessThanOrEqual(limit);
    const { budgets, usage } = await statusOf('research-bot');
    expect(usage).toMatchObject({ events: replies, cost: spent });
    expect(budgets[0]?.spent.cost).toBe(spent);
    expect(told.at(-1)).toBe(`spent: $${(spent / 1e9).toFixed(6)}`);
    expect(await leasedOf('research-bot')).toBe(0);

    await until('the alerts', () => sink.messages().length >= 3);
    await until('the incident', () => sink.incidents().length > 0);
    const paths = sink.messages().map(({ path }) => path);
    expect(paths.filter((path) => path === '/resend/emails')).toHaveLength(1);
    expect(paths.filter((path) => path === '/slack/team')).toHaveLength(1);
    expect(sink.incidents()).toMatchObject([{ triggers: 1 }]);
    expect(paths).toHaveLength(3);
  }, 120_000);

  test('a wrapped client streams, and what it was billed is booked', async () => {
    const told = await example('wrap-client.ts').finish();
    expect(told[0]).toBe('All is well.');
    const { usage } = await statusOf('story-teller');
    const { calls, inputTokens, outputTokens } = llm.billed('claude-sonnet-4-6');
    expect(calls).toBe(1);
    expect(usage).toMatchObject({ events: 1, cost: inputTokens * 3_000 + outputTokens * 15_000 });
    expect(await leasedOf('story-teller')).toBe(0);
  }, 60_000);

  test('what was recorded and what was made inside a bound are booked as they were billed', async () => {
    const before = billed();
    const told = await example('record-usage.ts').finish();
    expect(told[0]).toBe('answer: All is well.');
    const recorded = 1_200 * NANOS_A_TOKEN.input + 300 * NANOS_A_TOKEN.output;
    const { usage } = await statusOf('night-job');
    expect(usage).toMatchObject({ events: 2, cost: recorded + billed() - before });
    expect(await leasedOf('night-job')).toBe(0);
  }, 60_000);
});

describe('a Stop', () => {
  test('reaches a running guard within a second, lets no call through, and is lifted by a resume', async () => {
    const { guard, kills } = guardOf('stopped-while-running');
    await guard.create(CHAT);
    const { calls } = llm.billed();
    await ask('/v1/agents/stopped-while-running/stop', { reason: 'runs in circles', by: 'ana' });
    await expect.poll(() => kills, SECOND).toEqual(['tier_agent_limit']);
    for (let no = 0; no < 3; no += 1) {
      await expect(guard.create(CHAT)).rejects.toThrow(IngestRejectedError);
    }
    await expect(guard.create(CHAT)).rejects.toThrow(/ana.*runs in circles/);
    expect(llm.billed().calls).toBe(calls);
    expect(guard.status().killed).toBe('tier_agent_limit');

    await ask('/v1/agents/stopped-while-running/resume', { by: 'ana' });
    await expect.poll(() => guard.status().killed, SECOND).toBeUndefined();
    await guard.create(CHAT);
    expect(llm.billed().calls).toBe(calls + 1);
    expect(kills).toEqual(['tier_agent_limit']);
  }, 60_000);

  test('that stands is seen by a new guard before its first call', async () => {
    await ask('/v1/agents/stopped-before/stop', { reason: 'not today', by: 'ana' });
    const { calls } = llm.billed();
    const { guard, kills } = guardOf('stopped-before');
    await expect(guard.create(CHAT)).rejects.toThrow(IngestRejectedError);
    await expect(guard.create(CHAT)).rejects.toThrow(/not today/);
    expect(kills).toEqual(['tier_agent_limit']);
    expect(llm.billed().calls).toBe(calls);
  }, 60_000);
});

test('L4: what a killed process held stays counted until its restart gives it back', async () => {
  const name = 'comes-back';
  const first = example('guarded-agent.ts', { AGENT_NAME: name });
  const start = billed();
  for (let call = 0; call < 3; call += 1) expect(await first.ask()).toMatch(/^answer/);
  await first.kill();
  const before = await untilLease(name, 'open');
  expect(before.remainder.cost_nano_usd).toBeGreaterThan(0);
  expect(await leasedOf(name)).toBe(before.remainder.cost_nano_usd);

  const spent = billed() - start;

  // The same home, so the same journal: it ends its predecessor's lease by itself.
  const second = example('guarded-agent.ts', { AGENT_NAME: name });
  expect(await second.ask()).toMatch(/^answer/);
  const after = await untilLease(name, 'abandoned');
  expect(after.id).toBe(before.id);
  // What lies above the mark came back. Below it nobody knows what its last calls came to: that
  // stays counted, so whatever its end has taken with it is.
  expect(after.remainder.cost_nano_usd).toBeLessThan(before.remainder.cost_nano_usd);
  expect(after.remainder.cost_nano_usd).toBeLessThanOrEqual(before.granted.cost_nano_usd / 2);
  expect(after.settled.cost_nano_usd + after.remainder.cost_nano_usd).toBeGreaterThanOrEqual(spent);
  await second.finish();
  expect(await leasedOf(name)).toBe(after.remainder.cost_nano_usd);

  await ask(`/v1/leases/${after.id}/release`, { by: 'ana', reason: 'looked up at the provider' });
  expect(await leasedOf(name)).toBe(0);
}, 120_000);

test('B6: a model that nobody can price is refused while a budget blocks', async () => {
  const { guard } = guardOf('unpriced');
  const { calls } = llm.billed();
  const call = guard.create({ ...CHAT, model: 'nobody-knows-it' });
  await expect(call).rejects.toThrow(UnboundedCallError);
  await expect(call).rejects.toThrow(/nobody knows the price of nobody-knows-it/);
  expect(llm.billed().calls).toBe(calls);
  // Named by its author it is like any other.
  const priced = guardOf('priced', { prices: { 'nobody-knows-it': { input: 1, output: 2 } } });
  await priced.guard.create({ ...CHAT, model: 'nobody-knows-it' });
  expect(llm.billed().calls).toBe(calls + 1);
}, 60_000);

test('L6: while the gateway is away a guard keeps to its lease, then refuses; what it spent is booked once', async () => {
  const name = 'left-alone';
  const { guard, kills } = guardOf(name);
  const first = { cost: billed(), calls: llm.billed().calls };
  for (let call = 0; call < 3; call += 1) await guard.create(CHAT);
  process.kill(service.pid, 'SIGKILL');
  const [before, callsBefore] = [billed(), llm.billed().calls];
  const granted = guard.status().held?.cost ?? 0;
  let refusal: unknown;
  while (refusal === undefined) {
    await guard.create(CHAT).catch((error: unknown) => {
      refusal = error;
    });
  }
  expect(refusal).toBeInstanceOf(UnreachableError);
  expect(llm.billed().calls).toBeGreaterThan(callsBefore);
  expect(billed() - before).toBeLessThanOrEqual(granted);
  expect(guard.status()).toMatchObject({ connected: false });
  expect(guard.status().waiting).toBeGreaterThan(0);
  expect(kills).toEqual([]);

  await service.killAndRestart();
  const goesOn = (): Promise<boolean> =>
    guard.create(CHAT).then(
      () => true,
      () => false,
    );
  await until('leave', goesOn);
  await guard.close();
  const { usage } = await statusOf(name);
  expect(usage).toMatchObject({
    ...{ events: llm.billed().calls - first.calls, cost: billed() - first.cost },
  });
  expect(await leasedOf(name)).toBe(0);
}, 120_000);

test('L2: two agents on one budget of the organisation stay inside it together', async () => {
  // The last of this file: what all agents have spent counts in it.
  const { usage } = await ask<StatusView>('/v1/status');
  const room = 40_000_000;
  const before = billed();
  const limit = { TEAM_BUDGET_USD: String((usage.cost + room) / 1e9) };
  const told = await example('shared-budget.ts', limit).finish();
  const end = (name: string): unknown =>
    expect.stringMatching(new RegExp(`^${name}: \\d+ calls, then: `));
  expect([...told].sort()).toEqual([end('researcher'), end('writer')]);
  const spent = billed() - before;
  expect(spent).toBeLessThanOrEqual(room);
  // No more is left than a call of each might have needed.
  expect(spent).toBeGreaterThan(room - 6_000_000);
  const { budgets } = await ask<StatusView>('/v1/status');
  const shared = budgets.find(({ key }) => key.scope === 'org');
  expect(shared).toMatchObject({ spent: { cost: usage.cost + spent }, leased: { cost: 0 } });
}, 120_000);
