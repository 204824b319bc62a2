/** R2: a service that is killed (SIGKILL) inside a cooldown holds it all the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type BenchService, type Stack } from '../../bench/stack.js';
import { until } from './service-kit.js';

const COOLDOWN_MS = 12_000;
const OPERATORS = '/webhook/operators';

let stack: Stack;
let service: BenchService;
beforeAll(async () => {
  stack = await startStack({
    env: process.env,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    variables: ({ url }) => ({
      KAVACH_RELAY_INTERVAL_MS: '200',
      KAVACH_OPERATORS_WEBHOOK_URL: `${url}${OPERATORS}`,
    }),
  });
  service = await stack.service();
}, 120_000);
afterAll(() => stack.close(), 60_000);

async function post(path: string, body: object): Promise<Response> {
  const headers = {
    authorization: `Bearer ${service.apiKey}`,
    'content-type': 'application/json',
  };
  return fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** As an agent does: again and again until it is taken, under one key. */
async function send(no: number): Promise<void> {
  const event = { agent_id: 'bot', metrics: { errors: 1 }, idempotency_key: String(no) };
  await until(`event ${String(no)}`, async () => {
    const answer = await post('/v1/events', event).catch(() => undefined);
    return answer?.status === 202;
  });
}

test('killed twice inside a cooldown: one alert, and everything counted', async () => {
  const rule = { name: 'errors', condition: 'errors > 0', channels: ['webhook'] };
  await post('/v1/rules', { ...rule, cooldownSeconds: COOLDOWN_MS / 1_000 });
  const told = () => stack.sink.messages(OPERATORS);
  await send(0);
  const first = await until('the alert', () => told()[0]);
  for (const no of [1, 2]) {
    await send(no);
    await service.killAndRestart();
    // The same event once more, as its sender may have had no answer.
    await send(no);
  }
  await until('the end of the cooldown', () => Date.now() > first.at + COOLDOWN_MS + 500);
  expect(told()).toHaveLength(1);
  await send(3);
  const second = await until('the next alert', () => told()[1]);
  expect(second.body).toContain('2 more since the last alert');
  expect(second.at - first.at).toBeGreaterThanOrEqual(COOLDOWN_MS);
}, 90_000);
