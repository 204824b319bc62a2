import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import { KEY, NOON, startTestGateway, syncDocument, testKey, usageEvent } from './gateway-kit.js';

const USD = 1_000_000_000;
const TODAY = 'default/agent:research-bot/daily/20261121T000000Z';

async function startSynced() {
  const started = await startTestGateway();
  await started.post('/v1/sync-config', syncDocument());
  return started;
}

describe('runs (B7)', () => {
  test('started, heartbeat and ended reach the ledger with the run’s seed', async () => {
    const { post, ledger } = await startTestGateway();
    for (const what of ['started', 'heartbeat', 'ended']) {
      const answer = await post('/v1/runs/run-1', { agent_name: 'a/b ü', what });
      expect(answer).toMatchObject({ status: 202, body: { status: 'ok' } });
    }
    expect(ledger.runReports.map(({ what }) => what)).toEqual(['started', 'heartbeat', 'ended']);
    expect(ledger.runReports[0]).toMatchObject({
      now: NOON,
      seed: {
        key: { scope: 'agent:a/b ü', cadence: 'run', period: 'run-1' },
        window: { startsAt: NOON },
      },
    });
  });

  test('a run that starts takes the limits of now, not those remembered', async () => {
    const { post, ingest, ledger } = await startTestGateway();
    await ingest(usageEvent());
    const runBudget = { budget_type: 'calls', period: 'per_run', limit_value: 3 };
    const other = await startTestGateway({ ledger });
    await other.post('/v1/sync-config', syncDocument({ budgets: [runBudget] }));
    await post('/v1/runs/run-1', { agent_name: 'research-bot', what: 'started' });
    expect(ledger.runReports[0]?.seed.limits).toMatchObject({ limits: [{ amount: 3 }] });
  });

  test('a stopped agent’s run is refused, but for its end; the word is stored first', async () => {
    const { post, ledger } = await startTestGateway();
    await post('/v1/agents/a/stop', { reason: 'x' });
    const tell = (what: string) => post('/v1/runs/r', { agent_name: 'a', what });
    const started = await tell('started');
    expect(started).toMatchObject({ status: 429, body: { reason: 'tier_agent_limit' } });
    expect((await tell('heartbeat')).status).toBe(429);
    expect((await tell('ended')).status).toBe(202);
    expect(ledger.runReports).toHaveLength(3);
  });

  test('a killed run is refused with org_budget_exceeded', async () => {
    const { post, ledger } = await startTestGateway();
    const tell = () => post('/v1/runs/r', { agent_name: 'a', what: 'heartbeat' });
    await tell();
    const killed = { at: NOON, dimension: 'duration', bps: 10_000, limit: 1 } as const;
    ledger.kill('default/agent:a/run/r', killed);
    expect((await tell()).body['reason']).toBe('org_budget_exceeded');
  });

  test.each<[string, unknown, string]>([
    ['an unknown word', { agent_name: 'a', what: 'paused' }, 'what'],
    ['no agent', { what: 'started' }, 'agent_name'],
    ['no object', [], ''],
  ])('%s: 422', async (_what, body, path) => {
    const { post } = await startTestGateway();
    expect(await post('/v1/runs/r', body)).toMatchObject({ status: 422, body: { path } });
  });

  test('a ledger in trouble is a 429 without a reason here too', async () => {
    const { post, ledger } = await startTestGateway();
    ledger.before = (method) => {
      if (method === 'reportRun') throw new Error('down');
    };
    const answer = await post('/v1/runs/r', { agent_name: 'a', what: 'started' });
    expect(answer.status).toBe(429);
    expect(answer.body).not.toHaveProperty('reason');
  });
});

describe('reading', () => {
  test('status: T8 rate and projection, usage, stops and the relay’s lag', async () => {
    const { get, ingest, post } = await startSynced();
    await ingest(usageEvent({ cost: 1 }));
    await post('/v1/agents/other/stop', { reason: 'x' });
    const { body } = await get('/v1/status');
    expect(body).toMatchObject({
      now: NOON,
      usage: { events: 1, cost: USD },
      stopped: [{ agent: 'other' }],
      relay: { due: 0 },
      budgets: [
        {
          id: TODAY,
          spent: { cost: USD, tokens_total: 110, calls: 1 },
          // A dollar in the last 15 minutes is 4 USD an hour: 4 USD last an hour.
          status: [{ dimension: 'cost', limit: 5 * USD, spent: USD, perHour: 4 * USD }],
        },
      ],
    });
    const [budget] = body['budgets'] as { status: { exhaustsAt: number }[] }[];
    expect(budget?.status[0]?.exhaustsAt).toBe(NOON + 3_600_000);
    expect((await get('/v1/status?agent=research-bot')).body['stopped']).toEqual([]);
  });

  test('budgets by agent, and one by its id, written either way', async () => {
    const { get, ingest, post } = await startSynced();
    const odd = 'a/b %ü';
    await post('/v1/sync-config', syncDocument({ agent_name: odd }));
    await ingest(usageEvent(), usageEvent({ agent_name: odd }));
    const list = await get(`/v1/budgets?agent=${encodeURIComponent(odd)}&open=true`);
    const [only, ...rest] = list.body['budgets'] as { id: string }[];
    expect(rest).toEqual([]);
    expect(only?.id).toContain('%2F');
    expect((await get(`/v1/budgets/${encodeURIComponent(only?.id ?? '')}`)).body['id']).toBe(
      only?.id,
    );
    expect((await get(`/v1/budgets/${TODAY}`)).body['id']).toBe(TODAY);
    expect((await get('/v1/budgets/none')).status).toBe(404);
  });

  test('periods for a direct reporter: key, window, name, limits, notify', async () => {
    const { get } = await startSynced();
    const { body } = await get('/v1/periods?agent=research-bot&run=r1');
    expect(body['periods']).toMatchObject([
      {
        key: { scope: 'agent:research-bot', cadence: 'daily', period: '20261121T000000Z' },
        window: { startsAt: NOON - 43_200_000, endsAt: NOON + 43_200_000, zone: 'UTC' },
        name: 'research-bot',
        limits: { rev: 1 },
        notify: { cost: 4 * USD },
      },
      { key: { cadence: 'run', period: 'r1' }, limits: { limits: [] }, notify: {} },
    ]);
    expect((await get('/v1/periods')).status).toBe(422);
  });

  test('alerts: the list, one with its log, and 404', async () => {
    const { get, ledger } = await startTestGateway();
    const id = 'alert/default/agent:a/daily/20261121T000000Z/1';
    ledger.alertViews.push({ id, org: 'default' } as never);
    expect((await get('/v1/alerts')).body['alerts']).toHaveLength(1);
    const one = await get('/v1/alerts/alert/default/agent:a/daily/20261121T000000Z/1');
    expect(one.body).toMatchObject({ journal: [], attempts: [] });
    expect((await get('/v1/alerts/x')).status).toBe(404);
  });

  test.each(['/v1/budgets?limit=0', '/v1/alerts?limit=x', '/v1/budgets?open=maybe'])(
    '%s: 422 with the path',
    async (path) => {
      const { get } = await startTestGateway();
      const answer = await get(path);
      expect(answer.status).toBe(422);
      expect(['limit', 'open']).toContain(answer.body['path']);
    },
  );
});

describe('Stop and resume (K2)', () => {
  test('say who, when and why; twice is once', async () => {
    const { post, get } = await startTestGateway();
    const stop = { reason: 'runaway', by: 'ana' };
    expect((await post('/v1/agents/a%2Fb/stop', stop)).body).toEqual({
      changed: true,
      stopped: { agent: 'a/b', at: NOON, ...stop },
      warnings: ['no agent of this name has reported yet: it is stopped from its first call on.'],
    });
    expect((await post('/v1/agents/a%2Fb/stop', { reason: 'again' })).body).toMatchObject({
      changed: false,
    });
    expect((await get('/v1/agents')).body).toEqual({
      stopped: [{ agent: 'a/b', at: NOON, ...stop }],
    });
  });

  test('a name that nobody has reported under is stopped, with a word and the nearest one', async () => {
    const { ingest, post } = await startTestGateway();
    await ingest(usageEvent({ agent_name: 'research-bot' }));
    const mistyped = await post('/v1/agents/reserch-bot/stop', { reason: 'x' });
    expect(mistyped.body).toMatchObject({
      changed: true,
      warnings: [expect.stringMatching(/has reported yet.* Did you mean "research-bot"\?$/)],
    });
    const known = await post('/v1/agents/research-bot/stop', { reason: 'x' });
    expect(known.body).not.toHaveProperty('warnings');
  });

  test('K3: what cannot be looked up fails no Stop', async () => {
    const { ledger, post } = await startTestGateway();
    ledger.before = (method) => {
      if (method === 'agentNames') throw new Error('away');
    };
    const answer = await post('/v1/agents/a/stop', { reason: 'x' });
    expect(answer).toMatchObject({ status: 200, body: { changed: true } });
    expect(answer.body).not.toHaveProperty('warnings');
  });

  test('without a name it is the key’s; without a reason it is refused', async () => {
    const { post } = await startTestGateway();
    const answer = await post('/v1/agents/a/stop', { reason: 'x' });
    expect(answer.body).toMatchObject({ stopped: { by: 'tester' } });
    expect(await post('/v1/agents/b/stop', {})).toMatchObject({
      status: 422,
      body: { path: 'reason' },
    });
  });

  test('resume needs no body', async () => {
    const { request, post } = await startTestGateway();
    await post('/v1/agents/a/stop', { reason: 'x' });
    expect((await request('POST', '/v1/agents/a/resume')).body).toEqual({ changed: true });
  });

  test('only keys that may: 403', async () => {
    const { post, ledger } = await startTestGateway();
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ scopes: ['ingest', 'sync', 'read'] }));
    expect((await post('/v1/agents/a/stop', { reason: 'x' })).status).toBe(403);
    expect((await post('/v1/agents/a/resume', {})).status).toBe(403);
  });
});
