/** The gateway on the real ledger: what the one in memory only pretends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLedgerServer, type LedgerServer } from '../../cli/embedded/ledger-server.js';
import { hashApiKey } from '../../gateway/auth.js';
import type { Ledger } from '../../ledger/ledger.js';
import { openLedger } from '../../ledger/open.js';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { KEY, NOON, startTestGateway, syncDocument, usageEvent } from './gateway-kit.js';

const USD = 1_000_000_000;
let folder: string;
let server: LedgerServer;
let ledger: Ledger;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kavach-gateway-'));
  server = await startLedgerServer({ dataDir: folder });
  ledger = await openLedger({
    databaseUrl: server.databaseUrl,
    seal: parseSealKeys(createSealKey()),
    embedded: true,
    timeoutMs: 5_000,
  });
  await ledger.putApiKey(hashApiKey(KEY), { org: 'default', name: 'tester' });
});

afterAll(async () => {
  await ledger.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const start = () => startTestGateway({ ledger });

describe('on the real ledger', () => {
  test('usage before its budget, a sync, a crossing: B8, B5, the claim and the block', async () => {
    const { ingest, ingestPacked, post, get, delivered } = await start();
    const agent = { agent_name: 'crossing/bot ü' };
    const first = JSON.stringify({ events: [usageEvent({ ...agent, run_id: 'r1' })] });
    expect((await ingestPacked(first)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await ingestPacked(first)).body).toMatchObject({ accepted: 0, duplicates: 1 });

    const document = syncDocument(agent);
    expect((await post('/v1/sync-config', document)).body).toMatchObject({ changed: true });
    expect((await post('/v1/sync-config', document)).body).toMatchObject({ changed: false });

    expect((await ingest(usageEvent({ ...agent, cost: 3 }))).status).toBe(202);
    expect(delivered).toMatchObject([
      { key: { cadence: 'daily' }, own: { cost: 4 * USD, calls: 2 }, crossing: true },
    ]);
    const blocked = await ingest(usageEvent({ ...agent, cost: 1 }));
    expect(blocked).toMatchObject({ status: 429, body: { reason: 'org_budget_exceeded' } });

    const { body } = await get(`/v1/status?agent=${encodeURIComponent('crossing/bot ü')}`);
    expect(body).toMatchObject({ usage: { events: 3, cost: 5 * USD } });
    const budgets = body['budgets'] as { id: string; key: { cadence: string } }[];
    const daily = budgets.find(({ key }) => key.cadence === 'daily');
    const one = await get(`/v1/budgets/${encodeURIComponent(daily?.id ?? '')}`);
    expect(one.body).toMatchObject({ spent: { cost: 5 * USD }, blocked: true });
    expect((await post('/v1/sync-config', document)).body).toMatchObject({
      killed: { reason: 'org_budget_exceeded', cadence: 'daily' },
    });
  });

  test('C1: a raise ends in every gateway for the next batch, and without any, exactly once', async () => {
    const [one, other] = [await start(), await start()];
    const agent = 'raised-bot';
    const spend = (gateway: typeof one, cost: number) => {
      const timestamp = new Date(gateway.clock.now).toISOString();
      return gateway.ingest(usageEvent({ agent_name: agent, cost, timestamp }));
    };
    const limits = [{ cadence: 'daily', amount: 2, enforcement: 'block' }];
    await one.post('/v1/limits', { agent, limits });
    expect((await spend(one, 2)).status).toBe(429);
    const raise = { agent, amount: 50, until: '1h', reason: 'x' };
    await other.post('/v1/raises', raise);
    expect((await spend(one, 1)).status).toBe(202);
    expect((await spend(other, 1)).status).toBe(202);
    one.clock.now = other.clock.now = NOON + 3_600_000;
    const answers = await Promise.all([spend(one, 1), spend(other, 1)]);
    expect(answers.map(({ status }) => status)).toEqual([429, 429]);

    // Nobody spends: the watch of either gateway ends it.
    await one.post('/v1/raises', raise);
    one.clock.now += 3_600_000;
    const held = async () => (await ledger.configurations('default', [`agent:${agent}`]))[0];
    await expect.poll(held, { timeout: 10_000 }).not.toHaveProperty('changesAt');
    const { entries } = (await one.get(`/v1/audit?agent=${agent}`)).body as {
      entries: { what: string }[];
    };
    expect(entries.map(({ what }) => what)).toEqual([
      ...['raise_ended', 'raised', 'raise_ended', 'raised', 'limits_set'],
    ]);
  });

  test('B1: a sum that has reached the largest number is flagged', async () => {
    const { ingest, post, get } = await start();
    const agent = { agent_name: 'boundless' };
    await post('/v1/limits', { agent: 'boundless', limits: [{ cadence: 'daily', amount: 1 }] });
    const most = { ...agent, cost: 9_007_199 };
    await ingest(usageEvent(most), usageEvent(most));
    const status = await get('/v1/status?agent=boundless');
    expect(status.body).toMatchObject({
      usage: { saturated: true },
      budgets: [{ saturated: true, spent: { cost: Number.MAX_SAFE_INTEGER } }],
    });
    expect((await get('/v1/status?agent=nobody')).body['usage']).not.toHaveProperty('saturated');
  });

  test('late usage of a day whose row nobody made yet', async () => {
    const { ingest, post, get } = await start();
    const agent = { agent_name: 'late-bot' };
    const timestamp = new Date(NOON - 86_400_000).toISOString();
    await ingest(usageEvent({ ...agent, timestamp }));
    await post('/v1/sync-config', syncDocument(agent));
    await ingest(usageEvent({ ...agent, timestamp }));
    const row = await get('/v1/budgets/default/agent:late-bot/daily/20261120T000000Z');
    expect(row.body).toMatchObject({ spent: { cost: 2 * USD, calls: 2 } });
  });

  test('Stop, its refusal after storing, and resume', async () => {
    const { ingest, post, get } = await start();
    const agent = { agent_name: 'stopped-bot' };
    await post('/v1/agents/stopped-bot/stop', { reason: 'runaway', by: 'ana' });
    expect((await ingest(usageEvent(agent))).body).toMatchObject({
      reason: 'tier_agent_limit',
      rejected_agents: ['stopped-bot'],
      accepted: 1,
    });
    expect((await get('/v1/agents')).body).toEqual({
      stopped: [{ agent: 'stopped-bot', at: NOON, by: 'ana', reason: 'runaway' }],
    });
    await post('/v1/agents/stopped-bot/resume', {});
    expect((await ingest(usageEvent(agent))).status).toBe(202);
  });

  test('bad events are readable in quarantine', async () => {
    const { ingest, get } = await start();
    await ingest({ agent_name: '\ud800', model: 'a\u0000b' }, usageEvent({ agent_name: 'q' }));
    expect((await get('/v1/quarantine')).body['events']).toMatchObject([
      { org: 'default', at: NOON, path: 'events[0].agent_name' },
    ]);
  });

  test('B7: a run’s life', async () => {
    const { post, ingest } = await start();
    const budget = { budget_type: 'duration', period: 'per_run', limit_value: 60_000 };
    const entry = { channel: 'slack', threshold_pct: 1, budget_type: 'duration' };
    const agent = { agent_name: 'run-bot' };
    await post('/v1/sync-config', { ...agent, budgets: [budget], alert_configs: [entry] });
    for (const what of ['started', 'heartbeat', 'ended']) {
      expect((await post('/v1/runs/r9', { ...agent, what })).status).toBe(202);
    }
    expect((await ingest(usageEvent({ ...agent, run_id: 'r9' }))).status).toBe(202);
  });

  test('C2: agents that start in the same moment at two gateways do not undo each other', async () => {
    const [first, second] = [await start(), await start()];
    const agents = Array.from({ length: 6 }, (_, index) => `pool-${String(index)}`);
    const answers = await Promise.all(
      agents.map((agent_name, index) =>
        (index % 2 === 0 ? first : second).post('/v1/sync-config', {
          agent_name,
          budgets: [],
          alert_configs: [],
          org_budget: { budget_type: 'cost', period: 'monthly', limit_value: 500 },
          org_alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
        }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(agents.map(() => 200));
    const [org] = await ledger.configurations('default', ['org']);
    expect(org?.budgets[0]?.limits[0]?.thresholds).toEqual([
      { bps: 10_000, routes: [{ channel: 'kill', agents }] },
    ]);
  });
});
