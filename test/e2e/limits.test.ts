/** C1, K4 through the whole service: a limit that a redeployed agent cannot pass, and a raise that ends. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusView } from '../../gateway/views.js';
import { startTestService, until, type TestService } from './service-kit.js';

const USD = 1_000_000_000;
const RAISED_MS = 4_000;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    variables: ({ url }) => ({ AGENTKAVACH_SLACK_WEBHOOK_URL: `${url}/slack/team` }),
  });
});
afterAll(async () => {
  await service.stop();
});

const AGENT = 'redeployed';
const document = (limit_value: number) => ({
  agent_name: AGENT,
  budgets: [{ budget_type: 'cost', period: 'daily', limit_value }],
  alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
});
let sent = 0;
const spend = async (cost: number): Promise<number> => {
  const event = { agent_name: AGENT, provider: 'openai', model: 'gpt-4o', input_tokens: 10, cost };
  const answer = await fetch(`${service.url}/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ ...event, idempotency_key: `e${String((sent += 1))}` }] }),
  });
  return answer.status;
};
const today = async () => {
  const { budgets } = await service.get<StatusView>(`/v1/status?agent=${AGENT}`);
  const found = budgets.find(({ key }) => key.cadence === 'daily');
  if (found === undefined) throw new Error('There is no daily budget.');
  return found;
};
const told = () => service.sink.messages().filter(({ path }) => path === '/slack/team').length;

test('an older, higher limit of a redeploy does not hold; a raise does, until it is over', async () => {
  await service.post('/v1/sync-config', document(50));
  await service.post('/v1/limits', {
    agent: AGENT,
    limits: [
      {
        ...{ cadence: 'daily', amount: 5 },
        thresholds: [
          { ratio: 0.8, channel: 'slack' },
          { ratio: 0.9, channel: 'kill' },
        ],
      },
    ],
  });
  const { warnings } = await service.post<{ warnings: string[] }>('/v1/sync-config', document(80));
  expect(warnings[0]).toContain("the operator's limit of $5.00 holds, not the synced $80.00");

  expect(await spend(4.6)).toBe(202);
  await until('the kill', async () => (await today()).killed);
  await until('the alert', () => told() === 1);
  expect(await spend(0.01)).toBe(429);

  const ends = Date.now() + RAISED_MS;
  const moment = new Date(ends).toISOString();
  const raise = { agent: AGENT, amount: 50, until: moment, reason: 'the launch', id: 'launch' };
  await service.post('/v1/raises', raise);
  expect(await today()).toMatchObject({
    status: [{ limit: 55 * USD, origin: { layer: 'operator', raised: 50 * USD, until: ends } }],
  });
  expect((await today()).killed).toBeUndefined();
  expect(await spend(0.01)).toBe(202);

  const killed = await until('the kill again', async () => (await today()).killed);
  expect(Date.now()).toBeGreaterThanOrEqual(ends);
  expect(killed).toMatchObject({ bps: 9_000, limit: 5 * USD });
  expect(await spend(0.01)).toBe(429);
  const after = await today();
  expect(after).toMatchObject({ own: { cost: 4.63 * USD }, status: [{ limit: 5 * USD }] });
  // The kill that holds again was told before.
  const { alerts } = await service.get<{ alerts: unknown[] }>(`/v1/alerts?agent=${AGENT}`);
  expect(alerts).toHaveLength(2);
  expect(told()).toBe(1);

  await service.post('/v1/resets', { agent: AGENT, reason: 'it was us' });
  await until('the period to go on', async () => (await today()).killed === undefined);
  expect(await spend(0.01)).toBe(202);
  expect(await today()).toMatchObject({
    own: { cost: 4.64 * USD },
    status: [{ spent: 0.01 * USD }],
  });
  const { entries } = await service.get<{ entries: { what: string }[] }>(
    `/v1/audit?agent=${AGENT}`,
  );
  expect(entries.map(({ what }) => what)).toEqual([
    ...['reset', 'raise_ended', 'raised', 'configured', 'limits_set', 'configured'],
  ]);
});
