/**
 * The set from binaries: usage through both gateways comes to one budget, one alert and one
 * message; each kind of process can be lost; nothing is left at the end.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
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
  // The list is written after the message was sent.
  const listed = async (): Promise<number> => {
    const answer = await kit.ask(1, '/v1/alerts?agent=shared');
    return ((await answer.json()) as { alerts: object[] }).alerts.length;
  };
  await until('the list', async () => (await listed()) > 0, 30_000);
  expect(await listed()).toBe(1);
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

test('the guide leads from there to a stopped agent', async () => {
  const guide = readFileSync(new URL('../../docs/guides/deploy.md', import.meta.url), 'utf8');
  const section = guide.split('## From there to a stopped agent')[1]?.split('\n## ')[0] ?? '';
  const [configuring, spending] = [...section.matchAll(/```sh\n([^]*?)```/g)].map(
    ([, text]) => text,
  );
  const env = {
    PATH: process.env['PATH'],
    KAVACH_URL: kit.set.urls[1],
    KAVACH_API_KEY: kit.set.apiKey,
  };
  const shell = async (script: string): Promise<string> =>
    (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env })).stdout;
  await shell(configuring!);
  expect(JSON.parse(await shell(spending!))).toMatchObject({ accepted: 1 });
  const refusal = await until(
    'the kill',
    async () => {
      const answer = JSON.parse(await shell(spending!)) as { status?: number };
      return answer.status === 429 && answer;
    },
    30_000,
  );
  expect(refusal).toMatchObject({ reason: expect.any(String) as string });
}, 60_000);
