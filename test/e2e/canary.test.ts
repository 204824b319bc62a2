/**
 * Canaries: every destination and key of a run in which everything fails carries a word of its own,
 * and none of them is found in a history, a log, an answer, Temporal's database or what the CLI
 * prints. In the ledger addresses are sealed; its files are searched as well.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../../bench/stack.js';
import { first } from '../../fakes/sink.js';
import { runCli } from '../../cli/program.js';
import { until } from './service-kit.js';

const CANARY = {
  slack: 'canaryslackpath',
  webhook: 'canarywebhookpath',
  secret: 'canary-signing-secret-0123456789',
  email: 'canarymailbox',
  ownKey: 're_canaryownkey',
  ourKey: 're_canaryourkey',
  routingKey: 'canaryroutingkey0123456789abcdef',
  number: '+15550100777',
  twilioToken: 'canarytwiliotoken',
  operators: 'canaryoperators',
} as const;
const AGENT = 'clumsy';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    env: process.env,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    variables: (sink) => ({
      KAVACH_LOG_LEVEL: 'trace',
      KAVACH_LADDER_MS: '100,100',
      KAVACH_ESCALATE_AFTER_MS: '500',
      KAVACH_EMAIL_DOMAINS: 'example.com',
      KAVACH_EMAIL_FROM: 'Kavach <kavach@example.com>',
      RESEND_API_KEY: CANARY.ourKey,
      RESEND_BASE_URL: `${sink.url}/resend`,
      PAGERDUTY_BASE_URL: `${sink.url}/pagerduty`,
      TWILIO_BASE_URL: `${sink.url}/twilio`,
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: CANARY.twilioToken,
      TWILIO_FROM: '+15550100000',
      KAVACH_OPERATORS_WEBHOOK_URL: `${sink.url}/webhook/${CANARY.operators}`,
    }),
  });
  for (const channel of ['slack', 'webhook', 'email', 'pagerduty', 'sms']) {
    const faults = [
      { type: 'status', status: 500, body: JSON.stringify(CANARY) },
      { type: 'html', status: 502 },
      { type: 'reset', at: 'answer' },
      { type: 'junk', body: JSON.stringify(CANARY) },
    ] as const;
    stack.sink.script(
      channel,
      faults.flatMap((fault) => first(15, fault)),
    );
  }
}, 120_000);

afterAll(() => stack.close(), 60_000);

function targetsOf(url: string) {
  return [
    { channel: 'slack', target: `${url}/slack/${CANARY.slack}` },
    { channel: 'webhook', target: `${url}/webhook/${CANARY.webhook}`, secret: CANARY.secret },
    { channel: 'email', target: `${CANARY.email}@example.com` },
    { channel: 'email', target: `${CANARY.email}2@example.com`, secret: CANARY.ownKey },
    { channel: 'pagerduty', target: CANARY.routingKey },
    { channel: 'sms', target: CANARY.number },
  ];
}

test('no secret and no address leaves its place when everything fails', async () => {
  const service = await stack.service();
  const headers = {
    authorization: `Bearer ${service.apiKey}`,
    'content-type': 'application/json',
  };
  const said: string[] = [];
  const ask = async (path: string, body?: object): Promise<string> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const text = await (await fetch(service.url + path, { ...init, headers })).text();
    said.push(text);
    return text;
  };
  const targets = targetsOf(stack.sink.url);
  await ask('/v1/sync-config', {
    agent_name: AGENT,
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 100, unit: 'usd' }],
    alert_configs: targets.flatMap((target) =>
      [0.95, 1].map((ratio) => ({ ...target, threshold_pct: ratio, budget_type: 'cost' })),
    ),
    org_budget: null,
  });
  await ask('/v1/sync-config', {
    agent_name: AGENT,
    alert_configs: [{ channel: 'webhook', threshold_pct: 7, target: targets[1]?.target }],
  });
  for (const { channel, target } of targets) await ask('/v1/test-send', { channel, target });
  const event = (key: string, cost: number) => ({
    ...{ agent_name: AGENT, provider: 'openai', model: 'gpt-4o', run_id: 'r' },
    ...{ input_tokens: 1, output_tokens: 1, cost, duration_ms: 1 },
    ...{ timestamp: new Date().toISOString(), idempotency_key: key },
  });
  await ask('/v1/ingest', { events: [event('a', 96), event('b', 10)] });

  const ids = await until('two alerts that have ended', async () => {
    const { alerts } = JSON.parse(await ask(`/v1/alerts?agent=${AGENT}`)) as {
      alerts: { id: string }[];
    };
    if (alerts.length < 2) return undefined;
    const details = await Promise.all(
      alerts.map(async ({ id }) => ask(`/v1/alerts/${encodeURIComponent(id)}`)),
    );
    const isOver = details.every(
      (detail) => detail.includes('"escalated"') && !detail.includes('"under_way"'),
    );
    return isOver ? alerts.map(({ id }) => id) : undefined;
  });
  expect(new Set(stack.sink.requests.map(({ channel }) => channel))).toEqual(
    new Set(['slack', 'webhook', 'email', 'pagerduty', 'sms']),
  );

  const print = (chunk: string): void => {
    said.push(chunk);
  };
  const env = { ...process.env, KAVACH_URL: service.url, KAVACH_API_KEY: service.apiKey };
  for (const command of [['status'], ['alerts'], ...ids.map((id) => ['alert', id])]) {
    for (const argv of [command, [...command, '--json']]) {
      await runCli(argv, { env, stdout: { write: print }, stderr: { write: print } });
    }
  }
  const histories: string[] = [];
  for await (const { workflowId, runId } of stack.client.workflow.list()) {
    const history = await stack.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const bytes = (_name: string, value: unknown): unknown =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
    histories.push(JSON.stringify(history, bytes));
  }
  expect(histories.length).toBeGreaterThanOrEqual(3);
  expect(histories.join('')).toContain(AGENT);

  const files = readdirSync(stack.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.some((file) => file.endsWith('service.log'))).toBe(true);
  const places: [string, string][] = [
    ...said.map((text): [string, string] => ['an answer or what the CLI printed', text]),
    ...histories.map((text): [string, string] => ['a history', text]),
    ...files.map((file): [string, string] => [file, readFileSync(file, 'latin1')]),
  ];
  const found = places.flatMap(([place, text]) =>
    Object.entries(CANARY)
      .filter(([, word]) => text.includes(word))
      .map(([name]) => `${name} in ${place}`),
  );
  expect(found).toEqual([]);
}, 120_000);
