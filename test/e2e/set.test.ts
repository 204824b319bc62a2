/**
 * The set from binaries: usage through both gateways comes to one budget, one alert and one
 * message; each kind of process can be lost; nothing is left at the end.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processesOf } from '../support/processes.js';
import { startTestSet, type TestSet } from './set-kit.js';
import { until } from './service-kit.js';

let kit: TestSet;
beforeAll(async () => {
  kit = await startTestSet();
}, 180_000);
afterAll(async () => {
  await kit.stop();
  expect(existsSync(kit.folder)).toBe(false);
  expect(processesOf(kit.folder)).toEqual([]);
}, 60_000);

const post = (gateway: number, path: string, body: object): Promise<Response> =>
  kit.ask(gateway, path, { method: 'POST', body: JSON.stringify(body) });

const event = (agent: string, key: string, cost: number) => ({
  ...{ agent_name: agent, provider: 'openai', model: 'gpt-4o', run_id: agent },
  ...{ input_tokens: 10, output_tokens: 10, cost, duration_ms: 1, idempotency_key: key },
  timestamp: new Date().toISOString(),
});

async function configure(gateway: number, agent: string): Promise<void> {
  const answer = await post(gateway, '/v1/sync-config', {
    agent_name: agent,
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 10, unit: 'usd' }],
    alert_configs: [
      {
        ...{ channel: 'webhook', threshold_pct: 0.5, budget_type: 'cost' },
        target: `${kit.sink.url}/webhook/${agent}`,
      },
    ],
    org_budget: null,
  });
  expect(answer.status).toBe(200);
}

const messages = (agent: string) =>
  kit.sink.requests.filter(({ path }) => path === `/webhook/${agent}`);

async function spentBy(gateway: number, agent: string): Promise<number | undefined> {
  const answer = await kit.ask(gateway, `/v1/status?agent=${agent}`);
  const { budgets } = (await answer.json()) as { budgets: { spent: { calls: number } }[] };
  return budgets[0]?.spent.calls;
}

test('every process says that it is ready, and what only a gateway has is only there', async () => {
  expect(kit.set.parts.map(({ name }) => name)).toEqual([
    ...['postgres', 'temporal', 'gateway 1', 'gateway 2'],
    ...['relay 1', 'relay 2', 'worker 1', 'worker 2'],
  ]);
  for (const part of kit.set.parts) expect(part.pid()).toBeGreaterThan(0);
  for (const gateway of [0, 1]) expect((await kit.ask(gateway, '/readyz')).status).toBe(200);
});

test('usage through both gateways is one budget and one alert, delivered once', async () => {
  await configure(0, 'shared');
  for (let i = 0; i < 6; i += 1) {
    const answer = await post(i % 2, '/v1/ingest', { events: [event('shared', `e${i}`, 1)] });
    expect(answer.status).toBe(202);
  }
  // The same call again, through the other gateway: it is known.
  const again = await post(1, '/v1/ingest', { events: [event('shared', 'e0', 1)] });
  expect(await again.json()).toMatchObject({ duplicates: 1 });
  await until('the alert', () => messages('shared').length > 0, 30_000);
  for (const gateway of [0, 1]) expect(await spentBy(gateway, 'shared')).toBe(6);
  const { alerts } = (await (await kit.ask(1, '/v1/alerts?agent=shared')).json()) as {
    alerts: object[];
  };
  expect(alerts).toHaveLength(1);
  // One process of each kind may be lost at any time, and the other does its work.
  const { gateways, relays, workers } = kit.set;
  await Promise.all([gateways[0]!, relays[0]!, workers[0]!].map((part) => part.kill()));
  await configure(1, 'after');
  const stored = await post(1, '/v1/ingest', { events: [event('after', 'after', 6)] });
  expect(stored.status).toBe(202);
  await until('the other alert', () => messages('after').length > 0, 30_000);
  await Promise.all(kit.set.parts.map((part) => part.serving()));
  expect([gateways[0]!.ends(), relays[0]!.ends(), workers[0]!.ends()]).toEqual([1, 1, 1]);
  expect(messages('shared')).toHaveLength(1);
  expect(messages('after')).toHaveLength(1);
}, 120_000);
