/** A gateway over HTTP on a free port, with a ledger in memory, a clock by hand and one API key. */
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import type { GatewayOptions } from '../../gateway/options.js';
import { startGateway } from '../../gateway/server.js';
import { KEY_SCOPES } from '../../domain/words.js';
import type { ApiKey, ClaimedPeriod } from '../../ledger/ledger.js';
import { createMemoryLedger } from './gateway-memory-ledger.js';

export const NOON = Date.parse('2026-11-21T12:00:00Z');
/** The one key of every test gateway; the ledger in memory knows it. */
export const KEY = 'kv_test';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Ends with the test that started it. */
export async function startTestGateway(options: Partial<GatewayOptions> = {}) {
  const ledger = createMemoryLedger();
  ledger.apiKeys.set(hashApiKey(KEY), testKey());
  const clock = { now: NOON };
  const delivered: ClaimedPeriod[] = [];
  const lines: { level: string; fields: object; message: string }[] = [];
  const logTo = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  let ids = 0;
  const gateway = await startGateway({
    ledger,
    relay: { deliver: (claims) => delivered.push(...claims) },
    log: { info: logTo('info'), warn: logTo('warn'), error: logTo('error') },
    port: 0,
    now: () => clock.now,
    newId: () => `id-${String((ids += 1))}`,
    ...options,
    policy: { graceMs: 200, ...options.policy },
  });
  onTestFinished(() => gateway.stop());

  async function request(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }
  const post = (path: string, body: unknown) => request('POST', path, JSON.stringify(body));
  return {
    ...{ gateway, ledger, clock, delivered, lines, request, post },
    get: (path: string) => request('GET', path),
    ingest: (...events: unknown[]) => post('/v1/ingest', { events }),
    ingestPacked: (body: string | Uint8Array) =>
      request('POST', '/v1/ingest', new Uint8Array(gzipSync(body)), { 'content-encoding': 'gzip' }),
  };
}

/** Every scope over the whole organisation, unless told otherwise. */
export function testKey(over: Partial<ApiKey> = {}): ApiKey {
  return { org: 'default', name: 'tester', id: 'tester-id', scopes: KEY_SCOPES, ...over };
}

let made = 0;

/** A usage event as the Python SDK sends it; costs a dollar. */
export function usageEvent(over: Record<string, unknown> = {}): Record<string, unknown> {
  made += 1;
  return {
    agent_name: 'research-bot',
    provider: 'openai',
    model: 'gpt-4o',
    input_tokens: 100,
    output_tokens: 10,
    cost: 1,
    duration_ms: 850,
    timestamp: new Date(NOON - 1_000).toISOString(),
    idempotency_key: `key-${String(made)}`,
    ...over,
  };
}

/** A synced document with a daily budget and a kill. */
export function syncDocument(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    agent_name: 'research-bot',
    budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 5, unit: 'usd' }],
    alert_configs: [
      { channel: 'slack', threshold_pct: 0.8, budget_type: 'cost', target: 'https://hooks.test/a' },
      { channel: 'kill', threshold_pct: 1, budget_type: 'cost' },
    ],
    org_budget: null,
    ...over,
  };
}
