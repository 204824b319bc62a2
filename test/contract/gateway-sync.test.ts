import { describe, expect, test } from 'vitest';
import { NOON, startTestGateway, syncDocument, usageEvent } from './gateway-kit.js';

const USD = 1_000_000_000;
const cost = (period: string, limit_value: number) => ({
  budget_type: 'cost',
  period,
  limit_value,
});
const alert = (channel: string, threshold_pct: number, over: Record<string, unknown> = {}) => ({
  channel,
  threshold_pct,
  budget_type: 'cost',
  ...over,
});

async function synced(...documents: Record<string, unknown>[]) {
  const started = await startTestGateway();
  const answers = [];
  for (const document of documents) answers.push(await started.post('/v1/sync-config', document));
  const configuration = (scope: string) => started.ledger.configured.get(`default ${scope}`);
  return { ...started, answers, configuration };
}

describe('the agent’s own layer (C1)', () => {
  test('a guard made without arguments: every entry without a target goes to the default (C3)', async () => {
    const { configuration, answers, ledger } = await synced({
      agent_name: 'default',
      budgets: [{ ...cost('daily', 100), unit: 'usd' }],
      alert_configs: [
        ...[0.7, 0.9, 1.0].map((threshold) => alert('email', threshold)),
        ...[0.9, 1.0].map((threshold) => alert('slack', threshold)),
        alert('pagerduty', 1.0),
        alert('kill', 1.0),
      ],
      org_budget: null,
    });
    expect(answers[0]).toMatchObject({ status: 200, body: { status: 'ok', changed: true } });
    expect(configuration('agent:default')?.budgets).toEqual([
      {
        cadence: 'daily',
        limits: [
          {
            dimension: 'cost',
            amount: 100 * USD,
            enforcement: 'block',
            thresholds: [
              { bps: 7_000, routes: [{ channel: 'email' }] },
              { bps: 9_000, routes: [{ channel: 'email' }, { channel: 'slack' }] },
              {
                bps: 10_000,
                routes: [
                  { channel: 'email' },
                  { channel: 'kill' },
                  { channel: 'pagerduty' },
                  { channel: 'slack' },
                ],
              },
            ],
          },
        ],
      },
    ]);
    expect(ledger.destinations).toEqual([]);
  });

  test('an entry applies to every budget of its dimension, and to no other', async () => {
    const { configuration } = await synced(
      syncDocument({
        budgets: [
          cost('daily', 5),
          cost('monthly', 50),
          { budget_type: 'tokens_total', period: 'per_run', limit_value: 1000.0 },
          { budget_type: 'duration', period: 'per_run', limit_value: 1234.5678 },
        ],
        alert_configs: [alert('slack', 0.5), alert('kill', 1, { budget_type: 'tokens_total' })],
      }),
    );
    const budgets = configuration('agent:research-bot')?.budgets;
    expect(budgets?.map(({ cadence }) => cadence)).toEqual(['run', 'daily', 'monthly']);
    expect(budgets?.flatMap(({ limits }) => limits)).toMatchObject([
      { dimension: 'tokens_total', enforcement: 'block', thresholds: [{ bps: 10_000 }] },
      { dimension: 'duration', amount: 1_235, enforcement: 'alert', thresholds: [] },
      { dimension: 'cost', enforcement: 'alert', thresholds: [{ bps: 5_000 }] },
      { dimension: 'cost', enforcement: 'alert', thresholds: [{ bps: 5_000 }] },
    ]);
  });

  test('targets are sealed, doubles dropped; configuration and answers carry no address', async () => {
    const { configuration, answers, ledger, lines } = await synced(
      syncDocument({
        alert_configs: [
          alert('slack', 0.8, { target: 'https://hooks.test/canary' }),
          alert('slack', 0.8, { target: 'https://hooks.test/canary' }),
          alert('slack', 0.8, { target: 'https://hooks.test/other' }),
          alert('webhook', 0.8, { target: 'https://in.test/canary', secret: 'canary-secret' }),
          alert('pagerduty', 1, { target: 'canary-routing-key' }),
          alert('carrier-pigeon', 1, { target: 'canary-loft', secret: 'canary-secret' }),
        ],
      }),
    );
    const routes =
      configuration('agent:research-bot')?.budgets[0]?.limits[0]?.thresholds[0]?.routes;
    expect(routes).toEqual([
      { channel: 'slack', destination: 'ref-0' },
      { channel: 'slack', destination: 'ref-1' },
      { channel: 'webhook', destination: 'ref-2' },
    ]);
    expect(ledger.destinations[2]).toEqual({
      channel: 'webhook',
      address: 'https://in.test/canary',
      secrets: ['canary-secret'],
    });
    expect(JSON.stringify([...ledger.configured, answers, lines])).not.toContain('canary');
  });

  test('loops and words of newer SDKs are accepted and shown, never evaluated', async () => {
    const { configuration } = await synced(
      syncDocument({
        budgets: [
          { budget_type: 'loops', period: 'per_run', limit_value: 3, unit: 'loops' },
          cost('fortnightly', 9),
        ],
        alert_configs: [alert('telepathy', 0.5)],
        new_field: { x: 1 },
      }),
    );
    expect(configuration('agent:research-bot')?.budgets).toEqual([]);
    expect(configuration('agent:research-bot')?.shown).toMatchObject([
      { budget: { budget_type: 'loops', limit_value: 3 } },
      { budget: { period: 'fortnightly' } },
      { alert: { channel: 'telepathy', threshold_pct: 0.5 } },
    ]);
  });

  test('the same content is a no-op, other content replaces the layer whole', async () => {
    const other = syncDocument({ budgets: [cost('monthly', 9)] });
    const { answers, configuration } = await synced(syncDocument(), syncDocument(), other);
    expect(answers.map(({ body }) => body['changed'])).toEqual([true, false, true]);
    expect(configuration('agent:research-bot')).toMatchObject({ rev: 2 });
    expect(configuration('agent:research-bot')?.budgets.map(({ cadence }) => cadence)).toEqual([
      'monthly',
    ]);
  });
});

describe('the organisation’s budget (C2)', () => {
  const pooled = (agent_name: string, over: Record<string, unknown> = {}) => ({
    agent_name,
    budgets: [cost('daily', 100)],
    alert_configs: [],
    org_budget: cost('daily', 500),
    org_alert_configs: [alert('slack', 0.8), alert('kill', 1)],
    ...over,
  });

  test('what Budget.org_budget(500) syncs: the alerts are the organisation’s, the kill the sender’s', async () => {
    const { configuration } = await synced(pooled('a'));
    expect(configuration('agent:a')?.budgets).toMatchObject([
      { cadence: 'daily', limits: [{ enforcement: 'alert', thresholds: [] }] },
    ]);
    expect(configuration('org')?.budgets).toEqual([
      {
        cadence: 'daily',
        limits: [
          {
            dimension: 'cost',
            amount: 500 * USD,
            enforcement: 'block',
            thresholds: [
              { bps: 8_000, routes: [{ channel: 'slack' }] },
              { bps: 10_000, routes: [{ channel: 'kill', agents: ['a'] }] },
            ],
          },
        ],
      },
    ]);
  });

  test('parts of several agents are united without doubles; leaving takes one’s part away', async () => {
    const { configuration, post } = await synced(
      pooled('b'),
      pooled('a', {
        org_alert_configs: [alert('slack', 0.8), alert('kill', 1), alert('email', 0.8)],
      }),
    );
    const thresholds = () => configuration('org')?.budgets[0]?.limits[0]?.thresholds;
    expect(thresholds()).toEqual([
      { bps: 8_000, routes: [{ channel: 'email' }, { channel: 'slack' }] },
      { bps: 10_000, routes: [{ channel: 'kill', agents: ['a', 'b'] }] },
    ]);
    await post('/v1/sync-config', pooled('a', { org_budget: null, org_alert_configs: null }));
    expect(thresholds()).toEqual([
      { bps: 8_000, routes: [{ channel: 'slack' }] },
      { bps: 10_000, routes: [{ channel: 'kill', agents: ['b'] }] },
    ]);
    await post('/v1/sync-config', pooled('b', { org_budget: null }));
    expect(configuration('org')?.budgets).toEqual([]);
  });

  test('differing limits: the last writer’s holds, and the conflict is told; a repeat writes nothing', async () => {
    const { configuration, answers, lines } = await synced(
      pooled('a'),
      pooled('b', { org_budget: cost('daily', 600) }),
      pooled('a'),
    );
    expect(configuration('org')?.budgets[0]?.limits[0]?.amount).toBe(600 * USD);
    expect(answers[1]?.body['warnings']).toEqual([
      'config_conflict: daily: the limit of b holds, not that of a',
    ]);
    expect(answers[2]?.body['changed']).toBe(false);
    expect(lines).toContainEqual(expect.objectContaining({ message: 'synced with a warning' }));
  });

  test('entries not of cost evaluate on the sender’s own runs', async () => {
    const { configuration } = await synced(
      pooled('a', {
        budgets: [{ budget_type: 'tokens_total', period: 'per_run', limit_value: 1_000 }],
        org_alert_configs: [alert('slack', 0.5, { budget_type: 'tokens_total' })],
      }),
    );
    expect(configuration('agent:a')?.budgets).toMatchObject([
      { cadence: 'run', limits: [{ thresholds: [{ bps: 5_000 }] }] },
    ]);
    expect(configuration('org')?.budgets[0]?.limits[0]?.thresholds).toEqual([]);
  });

  test('agents that start in the same moment do not undo each other', async () => {
    const { post, configuration } = await startTestGateway().then((started) => ({
      ...started,
      configuration: () => started.ledger.configured.get('default org'),
    }));
    const agents = Array.from({ length: 8 }, (_, index) => `agent-${String(index)}`);
    await Promise.all(agents.map((agent) => post('/v1/sync-config', pooled(agent))));
    const routes = configuration()?.budgets[0]?.limits[0]?.thresholds.at(-1)?.routes;
    expect(routes).toEqual([{ channel: 'kill', agents }]);
  });
});

describe('bad input: 422 with the path, nothing applied', () => {
  const alerts = (entry: unknown) => ({ alert_configs: [entry] });
  const budgets = (...entries: unknown[]) => ({ budgets: entries });
  test.each<[string, Record<string, unknown>, string]>([
    ['no agent', { agent_name: undefined }, 'agent_name'],
    ['a lone surrogate', { agent_name: '\ud800' }, 'agent_name'],
    ['budgets that are no list', { budgets: {} }, 'budgets'],
    ['a negative limit', budgets(cost('daily', -1)), 'budgets[0].limit_value'],
    ['a limit of 0', budgets(cost('daily', 0)), 'budgets[0].limit_value'],
    ['a limit of 1e308', budgets(cost('daily', 1e308)), 'budgets[0].limit_value'],
    ['a limit below a nano', budgets(cost('daily', 1e-12)), 'budgets[0].limit_value'],
    ['a limit past 9,007,199 USD', budgets(cost('daily', 9_007_200)), 'budgets[0].limit_value'],
    ['a string', budgets({ ...cost('daily', 1), limit_value: '5' }), 'budgets[0].limit_value'],
    [
      'half a call',
      budgets({ budget_type: 'calls', period: 'per_run', limit_value: 1.5 }),
      'budgets[0].limit_value',
    ],
    [
      'a duration of a day',
      budgets({ budget_type: 'duration', period: 'daily', limit_value: 5 }),
      'budgets[0].period',
    ],
    ['two limits for one', budgets(cost('daily', 1), cost('daily', 2)), 'budgets[1]'],
    ['T1: a ratio of 0', alerts(alert('slack', 0)), 'alert_configs[0].threshold_pct'],
    ['T1: 80 for 80 %', alerts(alert('slack', 80)), 'alert_configs[0].threshold_pct'],
    ['T1: five decimals', alerts(alert('slack', 0.12345)), 'alert_configs[0].threshold_pct'],
    ['no URL', alerts(alert('slack', 1, { target: 'hooks' })), 'alert_configs[0].target'],
    ['a file', alerts(alert('webhook', 1, { target: 'file:///x' })), 'alert_configs[0].target'],
    ['two emails', alerts(alert('email', 1, { target: 'a@b.c,d@e.f' })), 'alert_configs[0].target'],
    ['a list of objects', alerts(7), 'alert_configs[0]'],
    [
      'pooled tokens',
      { org_budget: { ...cost('daily', 1), budget_type: 'calls' } },
      'org_budget.budget_type',
    ],
    [
      'more ratios than a period takes',
      { alert_configs: Array.from({ length: 51 }, (_, no) => alert('slack', (no + 1) / 100)) },
      'alert_configs',
    ],
    [
      'more entries at one ratio than a period takes',
      { alert_configs: Array.from({ length: 201 }, () => alert('slack', 0.8)) },
      'alert_configs',
    ],
    ['pooled runs', { org_budget: cost('per_run', 1) }, 'org_budget.period'],
  ])('%s', async (_what, over, path) => {
    const { answers, ledger } = await synced(syncDocument(over));
    expect(answers[0]).toMatchObject({ status: 422, body: { path } });
    expect(answers[0]?.body['detail']).toContain(path);
    expect(ledger.calls).not.toContain('configure');
    expect(ledger.calls).not.toContain('putDestinations');
  });
});

describe('email targets (C3)', () => {
  const mail = (target: string, over: Record<string, unknown> = {}) =>
    syncDocument({ alert_configs: [alert('email', 1, { target, ...over })] });

  test('of a named domain are verified, others are kept and told', async () => {
    const { ledger, answers } = await synced(mail('ops@Example.com'), mail('a@spam.test'));
    expect(ledger.destinations.map(({ verified }) => verified)).toEqual([true, false]);
    expect(answers[0]?.body['warnings']).toEqual([]);
    expect(answers[1]?.body['warnings']).toEqual([expect.stringContaining('unverified:')]);
    expect(JSON.stringify(answers[1]?.body)).not.toContain('spam.test');
  });

  test('whoever brings a key of their own answers for the target', async () => {
    const { ledger } = await synced(mail('a@spam.test', { secret: 're_their_own' }));
    expect(ledger.destinations[0]).toMatchObject({ verified: true });
  });
});

describe('the answer carries what holds the agent now', () => {
  test('a standing stop and a kill, before the first call', async () => {
    const { post, ingest, ledger } = await synced(syncDocument());
    await ingest(usageEvent());
    ledger.kill('default/agent:research-bot/daily/20261121T000000Z', {
      at: NOON,
      dimension: 'cost',
      bps: 8_000,
      limit: 5 * USD,
    });
    await post('/v1/agents/research-bot/stop', { reason: 'runaway', by: 'ana' });
    const { body } = await post('/v1/sync-config', syncDocument());
    expect(body).toMatchObject({
      status: 'ok',
      stopped: { reason: 'tier_agent_limit', by: 'ana', why: 'runaway' },
      killed: {
        reason: 'org_budget_exceeded',
        cadence: 'daily',
        dimension: 'cost',
        threshold: 0.8,
        at: '2026-11-21T12:00:00.000Z',
        resets_at: '2026-11-22T00:00:00.000Z',
      },
    });
  });

  test('neither, where nothing holds it', async () => {
    const { answers } = await synced(syncDocument());
    expect(answers[0]?.body).toEqual({ status: 'ok', changed: true, warnings: [] });
  });

  test('a ledger in trouble is 503, so that the SDK tries again', async () => {
    const { post, ledger } = await startTestGateway();
    ledger.before = (method) => {
      if (method === 'configure') throw new Error('down');
    };
    expect((await post('/v1/sync-config', syncDocument())).status).toBe(503);
  });
});
