/**
 * The service is killed (SIGKILL) at each moment of an alert's delivery: nothing is missing
 * afterwards, and comes twice only where the provider cannot drop a repeat (A11, A12).
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type BenchService, type Stack } from '../../bench/stack.js';
import type { AlertDetailView } from '../../gateway/alert-state.js';
import { until } from './service-kit.js';

const LADDER_MS = 2_000;
const ESCALATE_AFTER_MS = 4_000;

let stack: Stack;
let service: BenchService;
const servers: Server[] = [];

beforeAll(async () => {
  stack = await startStack({
    env: process.env,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    variables: (sink) => ({
      KAVACH_LADDER_MS: [LADDER_MS, LADDER_MS, LADDER_MS].join(),
      KAVACH_ESCALATE_AFTER_MS: String(ESCALATE_AFTER_MS),
      KAVACH_OPERATORS_SLACK_WEBHOOK_URL: `${sink.url}/slack/operators`,
    }),
  });
  service = await stack.service();
}, 120_000);

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await stack.close();
}, 60_000);

interface Entry {
  readonly channel: 'webhook' | 'slack';
  readonly target: string;
}

/** One threshold with these entries, crossed by one event. */
async function crossed(agent: string, ratio: number, entries: readonly Entry[]): Promise<void> {
  await service.poster.sync({
    agent_name: agent,
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 100, unit: 'usd' }],
    alert_configs: entries.map((entry) => ({
      ...{ ...entry, threshold_pct: ratio, budget_type: 'cost' },
    })),
    org_budget: null,
  });
  const event = {
    ...{ agent_name: agent, provider: 'openai', model: 'gpt-4o', run_id: agent },
    ...{ input_tokens: 1, output_tokens: 1, cost: 100 * ratio, duration_ms: 1 },
    ...{ timestamp: new Date().toISOString(), idempotency_key: agent },
  };
  const answer = await ask('/v1/ingest', {
    method: 'POST',
    body: JSON.stringify({ events: [event] }),
  });
  expect([200, 202]).toContain(answer.status);
}

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = {
    authorization: `Bearer ${service.apiKey}`,
    'content-type': 'application/json',
  };
  return fetch(service.url + path, { ...init, headers });
}

/** The agent's one alert as the ledger has it; undefined while the service is away. */
async function alertOf(agent: string): Promise<AlertDetailView | undefined> {
  try {
    const list = (await (await ask(`/v1/alerts?agent=${agent}`)).json()) as {
      alerts: { id: string }[];
    };
    expect(list.alerts.length).toBeLessThanOrEqual(1);
    const id = list.alerts[0]?.id;
    if (id === undefined) return undefined;
    return (await (await ask(`/v1/alerts/${encodeURIComponent(id)}`)).json()) as AlertDetailView;
  } catch {
    return undefined;
  }
}

const accepted = async (agent: string, count: number): Promise<AlertDetailView> =>
  until(
    `${String(count)} accepted deliveries of ${agent}`,
    async () => {
      const found = await alertOf(agent);
      // The workflow's own word: an outcome in the ledger may be one it has not heard of yet.
      const good = found?.journal.filter(({ what }) => what === 'delivered') ?? [];
      return good.length >= count ? found : undefined;
    },
    30_000,
  );

/** An endpoint that ends the service the first time something happens at it. */
async function deadlyEndpoint(when: 'connection' | 'answered', answer: string) {
  const keys: string[] = [];
  let restarted: Promise<void> | undefined;
  const kill = (): void => {
    restarted ??= service.killAndRestart();
  };
  const server = createServer((request, response) => {
    keys.push(String(request.headers['webhook-id'] ?? ''));
    request.resume();
    request.on('end', () => {
      response.end(answer, () => {
        if (when === 'answered') kill();
      });
    });
  });
  if (when === 'connection') {
    server.on('connection', (socket) => {
      if (restarted !== undefined) return;
      kill();
      socket.destroy();
    });
  }
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/hook`,
    keys,
    restarted: () => until('the kill', () => restarted?.then(() => true)),
  };
}

const reasons = ({ journal }: AlertDetailView): string[] =>
  journal.filter(({ what }) => what === 'attempt').map(({ reason = '' }) => reason);

describe('a service killed', () => {
  test('before the request was sent: the attempt is repeated, and arrives once', async () => {
    const endpoint = await deadlyEndpoint('connection', 'ok');
    await crossed('before', 0.5, [{ channel: 'webhook', target: endpoint.url }]);
    await endpoint.restarted();
    await accepted('before', 1);
    expect(endpoint.keys).toHaveLength(1);
  }, 60_000);

  test('after the answer, before it was recorded: an idempotent channel repeats under one key', async () => {
    const endpoint = await deadlyEndpoint('answered', 'ok');
    await crossed('answered', 0.5, [{ channel: 'webhook', target: endpoint.url }]);
    await endpoint.restarted();
    await accepted('answered', 1);
    expect(endpoint.keys.length).toBeLessThanOrEqual(2);
    expect(new Set(endpoint.keys).size).toBe(1);
  }, 60_000);

  test('after Slack answered: at most one double, and that is said to be ambiguous', async () => {
    const endpoint = await deadlyEndpoint('answered', 'ok');
    await crossed('slack', 0.5, [{ channel: 'slack', target: endpoint.url }]);
    await endpoint.restarted();
    const alert = await accepted('slack', 1);
    expect(endpoint.keys.length).toBeLessThanOrEqual(2);
    if (endpoint.keys.length === 2) {
      expect(reasons(alert).some((reason) => reason.startsWith('ambiguous'))).toBe(true);
    }
  }, 60_000);

  test('between two attempts: the next one comes at its time, once', async () => {
    const path = '/webhook/between';
    stack.sink.script(path, [{ type: 'status', status: 503 }]);
    await crossed('between', 0.5, [{ channel: 'webhook', target: stack.sink.url + path }]);
    const mine = () => stack.sink.requests.filter((request) => request.path === path);
    await until('the first attempt', () => mine().length === 1);
    await service.killAndRestart();
    await accepted('between', 1);
    const [first, second] = mine();
    expect(mine()).toHaveLength(2);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(LADDER_MS);
  }, 60_000);

  test('between the votes of a quorum: the second vote still comes', async () => {
    const good = '/slack/quorum';
    const slow = '/webhook/quorum';
    stack.sink.script(slow, [{ type: 'status', status: 503 }]);
    await crossed('quorum', 1, [
      { channel: 'slack', target: stack.sink.url + good },
      { channel: 'webhook', target: stack.sink.url + slow },
    ]);
    await accepted('quorum', 1);
    await service.killAndRestart();
    const alert = await accepted('quorum', 2);
    expect(stack.sink.messages(good)).toHaveLength(1);
    expect(stack.sink.messages(slow)).toHaveLength(1);
    expect(alert.journal.map(({ what }) => what)).not.toContain('degraded');
  }, 60_000);

  test('while an escalation waits: the operators are told at their time, once', async () => {
    const path = '/webhook/escalating';
    const operators = () =>
      stack.sink.messages('/slack/operators').filter(({ body }) => body.includes('escalating'));
    await crossed('escalating', 0.95, [{ channel: 'webhook', target: stack.sink.url + path }]);
    await accepted('escalating', 1);
    await service.killAndRestart();
    expect(operators()).toHaveLength(0);
    const alert = await accepted('escalating', 2);
    expect(alert.journal.map(({ what }) => what)).toContain('escalated');
    expect(operators()).toHaveLength(1);
    const [told] = stack.sink.messages(path);
    expect((operators()[0]?.at ?? 0) - (told?.at ?? 0)).toBeGreaterThanOrEqual(
      ESCALATE_AFTER_MS - 500,
    );
  }, 60_000);
});
