/**
 * The unmodified PyPI package against the real service, in one story of one agent: it spends and
 * is ended, comes back, is given more, is stopped, and goes on. Its model provider is a fake that
 * knows what it billed, so that every step can be held against the ledger.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isWorded } from '../../domain/alert/facts.js';
import type { StatusView } from '../../gateway/views.js';
import { startLlm, type Llm } from '../../fakes/llm.js';
import type { Ledger } from '../../ledger/ledger.js';
import { pythonWithSdk, startAgent, type RunningAgent } from './python-agent.js';
import { startTestService, until, type TestService } from './service-kit.js';

const AGENT = 'research-bot';
/** gpt-4o at 2.50 and 10.00 USD a million tokens: half a cent a call. */
const TURN = { inputTokens: 1_000, outputTokens: 250 };
const NANOS_A_CALL = 5_000_000;
/** Passed by the eleventh call. */
const BUDGET_USD = 0.052;
/** The SDK flushes every 5 s. */
const FLUSH_MS = 15_000;

type FoundAlert = NonNullable<Awaited<ReturnType<Ledger['alert']>>>;

let python: string;
let service: TestService;
let llm: Llm;
let home: string;
const closing: (() => Promise<void> | void)[] = [];
const agents: RunningAgent[] = [];
let spentByAgents = 0;

beforeAll(async () => {
  python = await pythonWithSdk();
  home = mkdtempSync(join(tmpdir(), 'kavach-python-'));
  closing.push(() => {
    rmSync(home, { recursive: true, force: true });
  });
  llm = await startLlm({ script: () => TURN });
  closing.push(() => llm.stop());
  service = await startTestService();
  closing.push(() => service.stop());
}, 300_000);

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.kill();
});

afterAll(async () => {
  for (const step of closing.splice(0).reverse()) await step();
});

function start(budgetUsd: number): RunningAgent {
  const agent = startAgent({
    ...{ python, home, budgetUsd },
    backendUrl: service.url,
    apiKey: service.apiKey,
    llmUrl: llm.url,
    slackUrl: `${service.sink.url}/slack/team`,
  });
  agents.push(agent);
  return agent;
}

const status = (): Promise<StatusView> => service.get(`/v1/status?agent=${AGENT}`);
const alertsOf = async (): Promise<FoundAlert[]> => {
  const { alerts } = await service.get<{ alerts: FoundAlert['alert'][] }>(
    `/v1/alerts?agent=${AGENT}`,
  );
  return Promise.all(alerts.map(({ id }) => service.get<FoundAlert>(`/v1/alerts/${id}`)));
};
const alertAt = async (bps: number): Promise<FoundAlert | undefined> =>
  (await alertsOf()).find(({ alert: { facts } }) => !isWorded(facts) && facts.thresholdBps === bps);

/** Everything that was billed is in the ledger: the agent has flushed. */
async function untilFlushed(): Promise<StatusView> {
  return until(
    'the flush',
    async () => {
      const now = await status();
      return now.usage.events === llm.billed().calls && now;
    },
    FLUSH_MS,
  );
}

describe('the unmodified Python SDK', () => {
  test('an agent on the documented example gets its alerts once each, and is stopped at its budget', async () => {
    const { sink } = service;
    const agent = start(BUDGET_USD);
    for (let call = 1; call <= 6; call += 1) expect(await agent.ask()).toBe('answer: All is well.');
    const mail = await until('the email', () => sink.messages('/resend/emails')[0], FLUSH_MS);
    expect(JSON.parse(mail.body)).toMatchObject({ to: 'team@acme.com' });
    expect(mail.body).toContain('research-bot');
    expect(sink.messages()).toHaveLength(1);

    for (let call = 7; call <= 11; call += 1) expect(await agent.ask()).toMatch(/^answer/);
    expect(agent.lines).toContain('on_kill: cost');
    expect(await agent.ask()).toMatch(/^refused: BudgetExceededError: /);
    const slack = await until('Slack', () => sink.messages('/slack/team')[0], FLUSH_MS);
    expect(slack.body).toContain('research-bot');

    const pager = await until('PagerDuty', async () => {
      const found = await alertAt(9_500);
      return found?.journal.some(({ what }) => what === 'delivered') === true && found;
    });
    expect(pager.alert).toMatchObject({ exhausted: false, phase: 'firing' });
    expect(sink.incidents()).toMatchObject([{ severity: 'error' }]);

    // By now the service has refused it too: an IngestRejectedError is a BudgetExceededError.
    await agent.askUntil('refused: IngestRejectedError: ', 5_000);
    const spent = await agent.finish();
    spentByAgents += spent;
    const { budgets } = await until('the kill', async () => {
      const now = await status();
      return now.budgets[0]?.killed !== undefined && now;
    });
    expect(budgets).toHaveLength(1);
    expect(budgets[0]?.key.cadence).toBe('daily');
    expect(budgets[0]?.spent.cost).toBe(llm.billed('gpt-4o').calls * NANOS_A_CALL);
    expect(budgets[0]?.spent.cost).toBe(Math.round(spent * 1e9));
    expect(budgets[0]?.spent.tokens_total).toBe(
      llm.billed().inputTokens + llm.billed().outputTokens,
    );
    expect(sink.messages('/resend/emails')).toHaveLength(1);
    expect(sink.messages('/slack/team')).toHaveLength(1);
    expect(sink.messages()).toHaveLength(3);
    expect(sink.requests).toHaveLength(3);
  }, 90_000);

  test('K1: a restart is no way around a budget: the new process is refused after its first flush', async () => {
    const agent = start(BUDGET_USD);
    // Its own counter begins at nothing, so the SDK itself would let it go on.
    expect(await agent.ask()).toMatch(/^answer/);
    await untilFlushed();
    expect(await agent.askUntil('refused', 5_000)).toMatch(
      /^refused: IngestRejectedError: .*org_budget_exceeded/,
    );
    expect(agent.lines).toContain('on_kill: org_budget_exceeded');
    spentByAgents += await agent.finish();
    // The same document was synced again, and a killed agent spent again: nobody is told twice.
    expect(service.sink.requests).toHaveLength(3);
  }, 60_000);

  test('K2, K4: a raise lets a new process go on; a Stop ends it within its next flush, until it is resumed', async () => {
    const running = start(50);
    await until(
      'the end of the kill',
      async () => (await status()).budgets[0]?.killed === undefined,
    );
    expect(await running.ask()).toMatch(/^answer/);
    await untilFlushed();
    expect(await running.ask()).toMatch(/^answer/);

    await service.post(`/v1/agents/${AGENT}/stop`, { reason: 'runs in circles', by: 'ana' });
    await untilFlushed();
    expect(await running.askUntil('refused', 5_000)).toMatch(
      /^refused: IngestRejectedError: .*tier_agent_limit/,
    );
    expect(running.lines.filter((line) => line.startsWith('on_kill'))).toEqual([
      'on_kill: tier_agent_limit',
    ]);
    spentByAgents += await running.finish();

    await service.post(`/v1/agents/${AGENT}/resume`, { by: 'ana' });
    const next = start(50);
    expect(await next.ask()).toMatch(/^answer/);
    await untilFlushed();
    expect(await next.ask()).toMatch(/^answer/);
    spentByAgents += await next.finish();
  }, 90_000);

  test('K3: usage that was answered with a refusal is in the ledger all the same, to the nano-USD', async () => {
    const { usage, budgets } = await untilFlushed();
    const { calls } = llm.billed();
    expect(usage).toMatchObject({ events: calls, cost: calls * NANOS_A_CALL });
    expect(budgets[0]?.spent.cost).toBe(calls * NANOS_A_CALL);
    expect(Math.round(spentByAgents * 1e9)).toBe(calls * NANOS_A_CALL);
  });
});
