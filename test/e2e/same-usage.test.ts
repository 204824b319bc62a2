/**
 * The whole trace posted once, twice, and in reversed halves with every tenth call doubled: the
 * same totals, the same thresholds fired, the same deliveries (B5, T2).
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTrace } from '../../cli/demo/trace.js';
import { startTestService, until, type TestService } from './service-kit.js';

interface Sent {
  readonly idempotency_key: string;
  readonly [field: string]: unknown;
}
interface StatusAnswer {
  readonly budgets: readonly {
    readonly key: { readonly cadence: string; readonly period: string };
    readonly spent: {
      readonly cost: number;
      readonly tokens_total: number;
      readonly calls: number;
    };
  }[];
}
interface AlertsAnswer {
  readonly alerts: readonly {
    readonly subject: string;
    readonly facts: {
      readonly dimension: string;
      readonly cadence: string;
      readonly thresholdBps: number;
    };
  }[];
}

const trace = readTrace(
  readFileSync(new URL('../../examples/trace/azure-llm-conv-2023.csv', import.meta.url), 'utf8'),
);
// One cent a thousand tokens: the costs are exact in a float's decimals.
const costOf = (tokens: number): number => Number((tokens / 100_000).toFixed(5));
const totalTokens = trace.reduce((sum, call) => sum + call.inputTokens + call.outputTokens, 0);
const RUNS = 3;

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(async () => {
  await service.stop();
});

function callsOf(agent: string, now: number): Sent[] {
  return trace.map(({ inputTokens, outputTokens }, index) => ({
    agent_name: agent,
    idempotency_key: `${agent}-${String(index)}`,
    run_id: `${agent}-run-${String(index % RUNS)}`,
    ...{ provider: 'openai', model: 'gpt-4o', status: 'success', duration_ms: 1 },
    ...{ input_tokens: inputTokens, output_tokens: outputTokens },
    cost: costOf(inputTokens + outputTokens),
    timestamp: new Date(now - 1_000).toISOString(),
  }));
}

async function configure(agent: string): Promise<void> {
  const slack = { channel: 'slack', target: `${service.sink.url}/slack/${agent}` };
  const webhook = { channel: 'webhook', target: `${service.sink.url}/webhook/${agent}` };
  await service.post('/v1/sync-config', {
    agent_name: agent,
    budgets: [
      { budget_type: 'cost', period: 'daily', limit_value: costOf(totalTokens) * 0.9, unit: 'usd' },
      {
        budget_type: 'tokens_total',
        period: 'per_run',
        limit_value: Math.floor(totalTokens / 4),
        unit: 'tokens',
      },
    ],
    alert_configs: [
      { ...slack, threshold_pct: 0.5, budget_type: 'cost' },
      { ...webhook, threshold_pct: 0.8, budget_type: 'cost' },
      { channel: 'kill', threshold_pct: 1, budget_type: 'cost' },
      { ...slack, threshold_pct: 1, budget_type: 'cost' },
      { ...webhook, threshold_pct: 1, budget_type: 'tokens_total' },
    ],
    org_budget: null,
  });
}

/** Three senders at once; a refusal for good has stored its batch (K3). */
async function post(events: readonly Sent[]): Promise<void> {
  const batches: Sent[][] = [];
  for (let at = 0; at < events.length; at += 512) batches.push(events.slice(at, at + 512));
  const sender = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const answer = await fetch(`${service.url}/v1/ingest`, {
        method: 'POST',
        headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ events: batch }),
      });
      const { reason } = (await answer.json()) as { reason?: string };
      if (answer.status === 429 && reason === undefined) batches.push(batch);
      else expect([200, 202, 429]).toContain(answer.status);
    }
  };
  await Promise.all([sender(), sender(), sender()]);
}

/** What is to be the same: totals by period, thresholds by period, messages by path and content. */
async function outcomeOf(agent: string) {
  const bare = (text: string): string => text.replaceAll(agent, 'agent');
  const { budgets } = await service.get<StatusAnswer>(`/v1/status?agent=${agent}`);
  const { alerts } = await service.get<AlertsAnswer>(`/v1/alerts?agent=${agent}&limit=100`);
  const seen = (path: string) =>
    service.sink.messages(path).filter((message) => !message.body.includes('resolved')).length;
  return {
    totals: budgets
      .map(({ key, spent }) =>
        bare(
          JSON.stringify([key.cadence, key.period, spent.cost, spent.tokens_total, spent.calls]),
        ),
      )
      .sort(),
    fired: alerts
      .map(({ subject, facts }) =>
        bare(`${subject} ${facts.dimension} ${String(facts.thresholdBps)}`),
      )
      .sort(),
    slack: seen(`/slack/${agent}`),
    webhook: seen(`/webhook/${agent}`),
  };
}

test('once, twice, and reversed with doubles come to the same', async () => {
  const now = Date.now();
  const agents = ['once', 'twice', 'reversed'] as const;
  for (const agent of agents) await configure(agent);
  await post(callsOf('once', now));
  const twice = callsOf('twice', now);
  await post(twice);
  await post(twice);
  const calls = callsOf('reversed', now);
  const half = calls.length >> 1;
  const doubled = (list: Sent[]): Sent[] =>
    list.flatMap((call, index) => (index % 10 === 0 ? [call, call] : [call]));
  await post(doubled(calls.slice(half)).reverse());
  await post(doubled(calls.slice(0, half)).reverse());

  // Three thresholds of the day, and one of each run.
  const expected = 3 + RUNS;
  await until(
    'the last delivery',
    async () => {
      const outcomes = await Promise.all(agents.map(outcomeOf));
      return outcomes.every(
        ({ fired, slack, webhook }) => fired.length >= expected && slack + webhook >= expected,
      );
    },
    40_000,
  );
  const [once, ...others] = await Promise.all(agents.map(outcomeOf));
  expect(once?.fired).toHaveLength(expected);
  expect([once?.slack, once?.webhook]).toEqual([2, 1 + RUNS]);
  expect(
    once?.totals.some((line) => line.includes(`,${String(totalTokens)},${String(trace.length)}]`)),
  ).toBe(true);
  for (const other of others) expect(other).toEqual(once);
});
