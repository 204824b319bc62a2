/**
 * Four processes of the unmodified PyPI package share one budget, while things go wrong: one of
 * them is killed and comes back with an older, higher limit than the operator's, the service is killed
 * twice, one agent is stopped. The fake model provider knows what it billed: the ledger must say the
 * same, and every alert come once, with the right numbers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isWorded } from '../../domain/alert/facts.js';
import { startStack, type BenchService, type Stack } from '../../bench/stack.js';
import { startLlm, type Llm } from '../../fakes/llm.js';
import type { StatusView } from '../../gateway/views.js';
import type { AlertView, Stop } from '../../ledger/ledger.js';
import { pythonWithSdk, startAgent, type RunningAgent } from './python-agent.js';
import { until } from './service-kit.js';

/** gpt-4o at 2.50 and 10.00 USD a million tokens: half a cent a call. */
const TURN = { inputTokens: 1_000, outputTokens: 250 };
const NANOS_A_CALL = 5_000_000;
/** Reached by the thirtieth call, whoever makes it. */
const BUDGET_USD = 0.15;
const LIMIT = 30 * NANOS_A_CALL;
/** What the budget was in a release before the operator said otherwise. */
const OLDER_USD = 4 * BUDGET_USD;
const NAMES = ['researcher', 'writer', 'coder', 'reviewer'] as const;
type Name = (typeof NAMES)[number];
/** The SDK flushes every 5 s, and waits a while where nobody answered. */
const FLUSH_MS = 40_000;

let stack: Stack;
let service: BenchService;
let llm: Llm;
let python: string;
let home: string;
const closing: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  python = await pythonWithSdk();
  home = mkdtempSync(join(tmpdir(), 'kavach-team-'));
  closing.push(() => {
    rmSync(home, { recursive: true, force: true });
  });
  llm = await startLlm({ script: () => TURN });
  closing.push(() => llm.stop());
  const { signal } = new AbortController();
  stack = await startStack({
    ...{ env: process.env, onProgress: () => undefined, signal },
    variables: ({ url }) => ({
      KAVACH_RELAY_INTERVAL_MS: '200',
      KAVACH_LADDER_MS: '500,1000,2000',
      PAGERDUTY_BASE_URL: `${url}/pagerduty`,
    }),
  });
  closing.push(() => stack.close());
  service = await stack.service();
}, 300_000);

afterAll(async () => {
  for (const step of closing.splice(0).reverse()) await step();
});

function start(teamName: Name, budgetUsd = BUDGET_USD): RunningAgent {
  const agent = startAgent({
    ...{ python, home, teamName, budgetUsd },
    backendUrl: service.url,
    apiKey: service.apiKey,
    llmUrl: llm.url,
    slackUrl: `${stack.sink.url}/slack/team`,
  });
  closing.push(() => agent.kill());
  return agent;
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(service.url + path, {
    headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path} -> ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const status = (): Promise<StatusView> => ask('/v1/status');
const organisation = async () =>
  (await status()).budgets.find(({ key }) => key.scope === 'org' && key.cadence === 'daily');
const alerts = async () => (await ask<{ alerts: AlertView[] }>('/v1/alerts')).alerts;
const untilBooked = () =>
  until(
    'what was billed, in the ledger',
    async () => (await status()).usage.events === llm.billed().calls,
    FLUSH_MS,
  );

async function calls(agent: RunningAgent, count: number): Promise<void> {
  for (let call = 0; call < count; call += 1) expect(await agent.ask()).toMatch(/^answer/);
}

/** One call after the other, each booked before the next: by its own count it could go on. */
async function untilRefused(agent: RunningAgent): Promise<string> {
  for (;;) {
    const reply = await agent.ask();
    if (reply.startsWith('refused')) return reply;
    await untilBooked();
  }
}

test('one budget, four processes, three kills, a stop and an older limit: every book says the same', async () => {
  await ask('/v1/limits', {
    organisation: true,
    limits: [{ cadence: 'daily', kind: 'ceiling', amount: BUDGET_USD }],
    by: 'ops',
  });
  const team = Object.fromEntries(NAMES.map((name) => [name, start(name)])) as Record<
    Name,
    RunningAgent
  >;
  const { researcher, writer, coder, reviewer } = team;
  await Promise.all(NAMES.map((name) => calls(team[name], 2)));
  await untilBooked();
  expect((await organisation())?.spent.cost).toBe(8 * NANOS_A_CALL);
  expect(await alerts()).toEqual([]);

  // One dies in the middle, and the service while others go on: they pass half of the budget.
  await coder.kill();
  await Promise.all([service.killAndRestart(), calls(researcher, 2), calls(writer, 2)]);
  // What a process could not report waits on its disk for its next report that is taken.
  await Promise.all([researcher, writer, reviewer].map((agent) => calls(agent, 1)));
  const slack = await until('Slack', () => stack.sink.messages('/slack/team')[0], FLUSH_MS);
  expect(slack.body).toContain('$0.15');
  await untilBooked();

  await ask('/v1/agents/writer/stop', { reason: 'runs in circles', by: 'ana' });
  expect(await untilRefused(writer)).toMatch(/IngestRejectedError: .*tier_agent_limit/);

  const again = start('coder', OLDER_USD);
  await calls(again, 2);
  await untilBooked();
  expect((await organisation())?.status[0]?.limit).toBe(LIMIT);

  await Promise.all([service.killAndRestart(), calls(researcher, 2), calls(reviewer, 2)]);
  await Promise.all([researcher, reviewer].map((agent) => calls(agent, 1)));
  await untilBooked();
  await Promise.all([researcher, reviewer].map((agent) => calls(agent, 3)));
  await until('the kill', async () => (await organisation())?.killed !== undefined, FLUSH_MS);
  await until('PagerDuty', () => stack.sink.incidents().length > 0, FLUSH_MS);

  // All that go on are told; a new process with another budget is no way around it.
  for (const refusal of await Promise.all([researcher, reviewer, again].map(untilRefused))) {
    expect(refusal).toMatch(/IngestRejectedError: .*org_budget_exceeded/);
  }

  const spent = await Promise.all(
    [researcher, writer, reviewer, again].map((agent) => agent.finish()),
  );
  await untilBooked();
  const billed = llm.billed().calls * NANOS_A_CALL;
  const { usage } = await status();
  expect(usage).toMatchObject({ events: llm.billed().calls, cost: billed });
  const budget = await organisation();
  expect(budget?.spent.cost).toBe(billed);
  // By the agents' own books; the one that died had made two calls.
  const own = spent.reduce((sum, usd) => sum + usd, 0);
  expect(Math.round(own * 1e9) + 2 * NANOS_A_CALL).toBe(billed);

  // The right ones: the kill holds for the four that synced it, the Stop for one.
  const { stopped } = await ask<{ stopped: Stop[] }>('/v1/agents');
  expect(stopped).toMatchObject([{ agent: 'writer', by: 'ana', reason: 'runs in circles' }]);
  expect([...(budget?.killed?.agents ?? [])].sort()).toEqual([...NAMES].sort());

  const raised = await alerts();
  const told = raised
    .filter(({ subject }) => subject.includes('/org/'))
    .map(({ facts }) => (isWorded(facts) ? [] : [facts.thresholdBps, facts.limit]))
    .sort(([a = 0], [b = 0]) => a - b);
  expect(told).toEqual([5_000, 8_000, 10_000].map((bps) => [bps, LIMIT]));
  expect(raised).toHaveLength(3);
  for (const { facts } of raised) {
    if (isWorded(facts)) throw new Error(facts.title);
    // At what it was raised: a whole number of calls, past its threshold, and no more than there were.
    expect(facts.spent % NANOS_A_CALL).toBe(0);
    expect(facts.spent).toBeGreaterThanOrEqual((facts.thresholdBps / 10_000) * facts.limit);
    expect(facts.spent).toBeLessThanOrEqual(billed);
  }
  expect(stack.sink.messages('/slack/team')).toHaveLength(1);
  expect(stack.sink.incidents()).toMatchObject([{ triggers: 1, state: 'triggered' }]);
  expect(stack.sink.messages()).toHaveLength(2);
}, 300_000);
