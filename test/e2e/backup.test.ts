/**
 * The whole service, lost: ledger and Temporal both. From a copy and its keys it starts in an empty
 * place and goes on: totals right, no event counted again, no firing sent again.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kavach } from '../support/run-cli.js';
import { startTestService, until, type TestService } from './service-kit.js';
import { startSink, type Sink } from '../../fakes/sink.js';

const USD = 1_000_000_000;
let folder: string;
let sink: Sink;
let service: TestService | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kavach-e2e-backup-'));
  sink = await startSink();
});
afterAll(async () => {
  await service?.stop();
  await sink.stop();
  rmSync(folder, { recursive: true, force: true });
});

const usage = (key: string, cost: number) => ({
  ...{ idempotency_key: key, agent_name: 'worker', provider: 'openai', model: 'gpt-4o' },
  ...{ input_tokens: 10, output_tokens: 1, cost, duration_ms: 5 },
});
const ingest = (...events: unknown[]) =>
  service!.post<{ accepted: number; duplicates: number }>('/v1/ingest', { events });

interface Status {
  readonly usage: { readonly events: number; readonly cost: number };
  readonly budgets: readonly {
    readonly spent: { readonly cost: number };
    readonly firings: number;
  }[];
}
const status = () => service!.get<Status>('/v1/status?agent=worker');

const start = async (dataDir: string): Promise<void> => {
  const variables = () => ({ AGENTKAVACH_SLACK_WEBHOOK_URL: `${sink.url}/slack/team` });
  service = await startTestService({ dataDir, variables });
};

test('what was decided before the loss stands after it, and what comes then is decided on it', async () => {
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  mkdirSync(from);
  await start(from);
  await service!.post('/v1/sync-config', {
    agent_name: 'worker',
    budgets: [{ budget_type: 'cost', period: 'monthly', limit_value: 10 }],
    alert_configs: [0.5, 0.8, 1].map((threshold_pct) => ({ channel: 'slack', threshold_pct })),
  });
  await ingest(usage('a', 3), usage('b', 3));
  await until('the first alert', () => sink.messages().length === 1);
  await until('its record', async () => (await status()).budgets[0]?.firings === 1);

  // Of the running service, by its data folder alone.
  const file = join(folder, 'book.gz');
  const copied = await kavach(['backup', file, '--json'], { env: { KAVACH_DATA_DIR: from } });
  expect(copied).toMatchObject({ code: 0, err: '' });
  await ingest(usage('lost', 1));
  await service!.stop();
  rmSync(from, { recursive: true });

  const restored = await kavach(['restore', file], { env: { KAVACH_DATA_DIR: to } });
  expect(restored).toMatchObject({ code: 0, err: '' });
  await start(to);
  expect(await status()).toMatchObject({
    usage: { events: 2, cost: 6 * USD },
    budgets: [{ spent: { cost: 6 * USD }, firings: 1 }],
  });
  // Senders that were not sure send everything again: what the copy has is known.
  expect(await ingest(usage('a', 3), usage('b', 3), usage('lost', 1))).toMatchObject({
    ...{ accepted: 1, duplicates: 2 },
  });
  await ingest(usage('c', 1.5));
  await until('the next threshold', () => sink.messages().length >= 2);
  await ingest(usage('d', 2));
  await until('the last threshold', () => sink.messages().length >= 3);
  await until('its record', async () => (await status()).budgets[0]?.firings === 3);
  expect(await status()).toMatchObject({ usage: { events: 5, cost: 10.5 * USD } });
  const told = sink.messages().map(({ body }) => /(\d+) ?%/.exec(body)?.[1]);
  expect(told).toHaveLength(3);
  expect(new Set(told).size).toBe(3);
}, 180_000);
