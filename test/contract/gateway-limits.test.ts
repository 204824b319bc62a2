/** C1 over HTTP: limits that no SDK passes, raises that end, and what is refused. */
import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import { KEY, NOON, startTestGateway, syncDocument, testKey, usageEvent } from './gateway-kit.js';

const USD = 1_000_000_000;
const HOUR = 3_600_000;
const BOT = { agent: 'research-bot' };
const daily = (amount: number, over: object = {}) => ({
  ...BOT,
  limits: [{ cadence: 'daily', amount, enforcement: 'block', ...over }],
});
const pooled = (agent_name: string, limit_value: number) => ({
  ...syncDocument({ agent_name, budgets: [], alert_configs: [] }),
  org_budget: { budget_type: 'cost', period: 'daily', limit_value },
  org_alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
});

describe('limits', () => {
  test('an agent that redeploys with a higher limit is stopped at the operator’s, and told so', async () => {
    const { post, ingest, get } = await startTestGateway();
    await post('/v1/sync-config', syncDocument());
    expect((await post('/v1/limits', daily(2))).body).toMatchObject({
      changed: true,
      agent: 'research-bot',
      limits: [
        { cadence: 'daily', amount: 2 * USD, set: { by: 'tester' }, origin: { layer: 'operator' } },
      ],
    });
    const { body } = await post('/v1/sync-config', {
      ...syncDocument(),
      budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 50 }],
    });
    expect(body['warnings']).toEqual([
      "overridden: daily cost: the operator's limit of $2.00 holds, not the synced $50.00",
      "overridden: daily cost: synced alerts do not apply to the operator's limit of $2.00",
    ]);
    expect((await ingest(usageEvent())).status).toBe(202);
    expect((await ingest(usageEvent())).status).toBe(429);
    expect((await get('/v1/limits?agent=research-bot')).body).toMatchObject({
      scopes: [{ limits: [{ amount: 2 * USD, origin: { synced: 50 * USD } }] }],
    });
    expect((await get('/v1/status')).body).toMatchObject({
      budgets: [{ status: [{ limit: 2 * USD, origin: { layer: 'operator' } }] }],
    });
  });

  test('one that takes alerts, kills or a block away says which', async () => {
    const { post } = await startTestGateway();
    await post('/v1/settings/operators', { operators: [] });
    const target = 'https://hooks.test/a';
    const thresholds = [
      { ratio: 0.8, channel: 'slack', target },
      { ratio: 1, channel: 'kill' },
    ];
    const first = await post('/v1/limits', daily(5, { thresholds }));
    expect(first.body).not.toHaveProperty('warnings');
    const kept = await post('/v1/limits', daily(6, { thresholds }));
    expect(kept.body).not.toHaveProperty('warnings');
    const less = await post('/v1/limits', daily(7, { enforcement: 'alert' }));
    expect(less.body['warnings']).toEqual([
      'the daily cost limit of $6.00 was replaced, and its alerts 80 % slack, 100 % kill and its block with it: set them again to keep them',
    ]);
  });

  test('C3: an alert that has nowhere to go, or nothing to be sent from, is warned of', async () => {
    const { post } = await startTestGateway({ hasAccount: (channel) => channel !== 'email' });
    const slack = [{ ratio: 0.8, channel: 'slack' }];
    const { body } = await post('/v1/limits', daily(5, { thresholds: slack }));
    expect(body['warnings']).toEqual([
      expect.stringMatching(/^there is no default destination for slack: .*`kavach destinations/),
    ]);
    await post('/v1/destinations/default', { channel: 'slack', target: 'https://hooks.test/a' });
    const again = await post('/v1/limits', daily(6, { thresholds: slack }));
    expect(again.body).not.toHaveProperty('warnings');
    const mail = [{ ratio: 0.9, channel: 'email', target: 'a@example.com' }];
    const other = await post('/v1/limits', daily(7, { thresholds: [...slack, ...mail] }));
    expect(other.body['warnings']).toEqual([
      expect.stringMatching(/no account to send by email from/),
    ]);
  });

  test('removed, what was synced holds again; the same again changes nothing', async () => {
    const { post, ledger } = await startTestGateway();
    await post('/v1/sync-config', syncDocument());
    await post('/v1/limits', daily(2));
    expect((await post('/v1/limits', daily(2))).body).toMatchObject({ changed: false });
    const removed = await post('/v1/limits/remove', { ...BOT, reason: 'it is fixed', by: 'ada' });
    expect(removed.body).toMatchObject({ changed: true, limits: [{ amount: 5 * USD }] });
    expect(ledger.audited.map(({ by, what }) => `${what} by ${by}`)).toEqual([
      'setLimits by tester',
      'removeLimits by ada',
    ]);
  });

  test('a ceiling cuts what is synced, with kills and ways out that stay', async () => {
    const { post, ledger } = await startTestGateway();
    const thresholds = [
      { ratio: 0.9, channel: 'slack', target: 'https://hooks.test/operator' },
      { ratio: 1, channel: 'kill' },
    ];
    await post('/v1/limits', daily(3, { kind: 'ceiling', enforcement: 'alert', thresholds }));
    await post('/v1/sync-config', syncDocument({ alert_configs: [] }));
    const [held] = ledger.configured.get('default agent:research-bot')?.budgets ?? [];
    expect(held?.limits).toEqual([
      {
        ...{ dimension: 'cost', amount: 3 * USD, enforcement: 'alert' },
        thresholds: [
          { bps: 9_000, routes: [{ channel: 'slack', destination: 'ref-0' }] },
          { bps: 10_000, routes: [{ channel: 'kill' }] },
        ],
        origin: { layer: 'ceiling', synced: 5 * USD },
      },
    ]);
  });

  test('C2: the organisation’s pin holds over every agent’s, blocks all of them, and is told', async () => {
    const { post, ingest } = await startTestGateway();
    await post('/v1/sync-config', pooled('a', 500));
    const answer = await post('/v1/limits', {
      organisation: true,
      limits: [{ cadence: 'daily', amount: 1, kind: 'ceiling', enforcement: 'block' }],
    });
    expect(answer.body).toMatchObject({ limits: [{ amount: USD, thresholds: [{ bps: 10_000 }] }] });
    expect((await post('/v1/sync-config', pooled('a', 500))).body['warnings']).toEqual([
      "config_conflict: org_budget: daily cost: the operator's ceiling of $1.00 holds, not the synced $500.00",
    ]);
    // The synced kill names agent a; the operator's block is for everyone.
    expect((await ingest(usageEvent({ agent_name: 'b' }))).status).toBe(429);
  });

  test('C2: under a pin agents that disagree among themselves have no say', async () => {
    const { post } = await startTestGateway();
    await post('/v1/limits', { organisation: true, limits: [{ cadence: 'daily', amount: 9 }] });
    await post('/v1/sync-config', pooled('a', 500));
    expect((await post('/v1/sync-config', pooled('b', 600))).body['warnings']).toEqual([
      "config_conflict: org_budget: daily cost: the operator's limit of $9.00 holds, not the synced $600.00",
      "overridden: org_budget: daily cost: synced alerts do not apply to the operator's limit of $9.00",
    ]);
  });

  test('B8: set for an agent that has spent already, it holds at once', async () => {
    const { post, ingest } = await startTestGateway();
    await ingest(usageEvent({ cost: 3 }));
    await post('/v1/limits', daily(3));
    expect((await ingest(usageEvent({ cost: 0.1 }))).status).toBe(429);
  });
});

describe('raises', () => {
  test('add up, and end at their time for the very next batch', async () => {
    const { post, ingest, clock } = await startTestGateway();
    await post('/v1/limits', daily(2));
    expect((await ingest(usageEvent({ cost: 2 }))).status).toBe(429);
    const raise = { ...BOT, amount: 50, until: '1h', reason: 'the launch', id: 'r1' };
    expect((await post('/v1/raises', raise)).body).toMatchObject({
      ...{ changed: true, raise: { id: 'r1', cadence: 'daily', until: NOON + HOUR } },
      limits: [{ amount: 52 * USD, origin: { raised: 50 * USD, until: NOON + HOUR } }],
    });
    expect((await post('/v1/raises', raise)).body).toMatchObject({ changed: false });
    await post('/v1/raises', { ...raise, amount: 1, until: '2h', id: 'r2' });
    const event = (at: number) => usageEvent({ timestamp: new Date(at).toISOString() });
    clock.now = NOON + HOUR - 1;
    expect((await ingest(event(clock.now))).status).toBe(202);
    clock.now = NOON + HOUR;
    expect((await ingest(event(clock.now))).status).toBe(429);
  });

  test('of an agent without a limit are refused, and name it', async () => {
    const { post } = await startTestGateway();
    const raise = { agent: 'nosuch', amount: 5, until: '1h', reason: 'x' };
    expect((await post('/v1/raises', raise)).body).toMatchObject({
      ...{ status: 422, path: 'cadence' },
      detail: 'cadence: the agent "nosuch" has no limit of cost: set one first',
    });
    const all = { organisation: true, reason: 'x' };
    expect((await post('/v1/resets', all)).body).toMatchObject({
      detail: 'cadence: the organisation has no limit: set one first',
    });
  });

  test('are ended before their time by a person', async () => {
    const { post } = await startTestGateway();
    await post('/v1/limits', daily(2));
    await post('/v1/raises', { ...BOT, amount: 5, until: 'midnight', reason: 'x', id: 'r1' });
    expect((await post('/v1/raises/r1/end', BOT)).body).toMatchObject({
      ...{ changed: true, raises: [], limits: [{ amount: 2 * USD }] },
    });
    expect((await post('/v1/raises/r1/end', BOT)).body).toMatchObject({ changed: false });
  });

  test.each([
    ['midnight', Date.UTC(2026, 10, 22)],
    ['90m', NOON + 1.5 * HOUR],
    ['2026-11-22', Date.UTC(2026, 10, 22)],
    ['2026-11-22T08:30', Date.UTC(2026, 10, 22, 8, 30)],
    ['2026-11-22T08:30:00+02:00', Date.UTC(2026, 10, 22, 6, 30)],
  ])('until %s', async (until, expected) => {
    const { post } = await startTestGateway();
    await post('/v1/limits', daily(2));
    const { body } = await post('/v1/raises', { ...BOT, amount: 5, until, reason: 'x' });
    expect(body).toMatchObject({ raise: { until: expected } });
  });

  test('local moments are told in the agent’s zone', async () => {
    const { post } = await startTestGateway({ policy: { zone: 'Europe/Berlin' } });
    await post('/v1/limits', daily(2));
    const raise = { ...BOT, amount: 5, until: '2026-11-22T00:00', reason: 'x' };
    const { body } = await post('/v1/raises', raise);
    expect(body).toMatchObject({ raise: { until: Date.UTC(2026, 10, 21, 23) } });
  });
});

describe('bad input: 422 with the path, nothing applied', () => {
  const limit = (over: object) => ({ ...BOT, limits: [{ cadence: 'daily', amount: 1, ...over }] });
  const alert = (over: object) => limit({ thresholds: [{ ratio: 1, channel: 'slack', ...over }] });
  const raise = (over: object) => ({ ...BOT, amount: 1, until: '1h', reason: 'x', ...over });
  test.each<[string, string, unknown, string]>([
    ['nobody', '/v1/limits', { limits: [{ cadence: 'daily', amount: 1 }] }, 'agent'],
    ['both', '/v1/limits', { ...limit({}), organisation: true }, 'agent'],
    ['no limit', '/v1/limits', { ...BOT, limits: [] }, 'limits'],
    ['a word too many', '/v1/limits', { ...limit({}), until_: '1h' }, ''],
    ['no amount', '/v1/limits', limit({ amount: undefined }), 'limits[0].amount'],
    ['a negative amount', '/v1/limits', limit({ amount: -1 }), 'limits[0].amount'],
    ['1e308', '/v1/limits', limit({ amount: 1e308 }), 'limits[0].amount'],
    ['a string', '/v1/limits', limit({ amount: '5' }), 'limits[0].amount'],
    ['half a call', '/v1/limits', limit({ dimension: 'calls', amount: 1.5 }), 'limits[0].amount'],
    ['a yearly cadence', '/v1/limits', limit({ cadence: 'yearly' }), 'limits[0].cadence'],
    ['a daily duration', '/v1/limits', limit({ dimension: 'duration' }), 'limits[0].cadence'],
    [
      'a run of all agents',
      '/v1/limits',
      { organisation: true, limits: [{ cadence: 'run', amount: 1 }] },
      'limits[0].cadence',
    ],
    [
      'the same twice',
      '/v1/limits',
      { ...BOT, limits: [...daily(1).limits, ...daily(2).limits] },
      'limits[1]',
    ],
    ['thresholds with an amount', '/v1/limits', limit({ kind: 'thresholds' }), 'limits[0].amount'],
    ['T1: 80 for 80 %', '/v1/limits', alert({ ratio: 80 }), 'limits[0].thresholds[0].ratio'],
    ['no channel', '/v1/limits', alert({ channel: 'fax' }), 'limits[0].thresholds[0].channel'],
    ['no URL', '/v1/limits', alert({ target: 'hooks' }), 'limits[0].thresholds[0].target'],
    [
      'a kill with a target',
      '/v1/limits',
      alert({ channel: 'kill', target: 'x' }),
      'limits[0].thresholds[0].target',
    ],
    [
      'an unknown destination',
      '/v1/limits',
      alert({ destination: 'ref-9' }),
      'limits[0].thresholds[0].destination',
    ],
    ['an end in the past', '/v1/limits', { ...limit({}), until: '2026-11-20T00:00' }, 'until'],
    ['30 February', '/v1/limits', { ...limit({}), until: '2027-02-30T00:00' }, 'until'],
    ['the year 2100', '/v1/limits', { ...limit({}), until: '2100-01-01T00:00Z' }, 'until'],
    ['a raise of nothing', '/v1/raises', raise({}), 'cadence'],
    ['a raise of a run', '/v1/raises', raise({ cadence: 'run' }), 'cadence'],
    ['a raise without a reason', '/v1/raises', raise({ reason: undefined }), 'reason'],
    ['a raise without an end', '/v1/raises', raise({ until: undefined }), 'until'],
    ['a raise with a broken end', '/v1/raises', raise({ until: 'soon' }), 'until'],
    ['a reset of nothing', '/v1/resets', { ...BOT, reason: 'x' }, 'cadence'],
    ['a reset without a reason', '/v1/resets', BOT, 'reason'],
    [
      'a domain with an @',
      '/v1/settings/email-domains',
      { emailDomains: ['a@b.c'] },
      'emailDomains[0]',
    ],
    [
      'operators at no address',
      '/v1/settings/operators',
      { operators: [{ channel: 'slack' }] },
      'operators[0].target',
    ],
    [
      'operators that kill',
      '/v1/settings/operators',
      { operators: [{ channel: 'kill', target: 'x' }] },
      'operators[0].channel',
    ],
    ['no escalation', '/v1/settings/escalation', {}, 'escalation'],
    ['a default of nothing', '/v1/destinations/default', { channel: 'slack' }, 'target'],
  ])('%s', async (_what, path, body, at) => {
    const { post, ledger } = await startTestGateway();
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status: 422, body: { path: at } });
    expect(ledger.configured.get('default agent:research-bot')?.rev ?? 0).toBe(0);
    expect(ledger.calls.filter((call) => /^(put|set)/.test(call))).toEqual([]);
  });

  test('a target that no channel would send to is refused, and not repeated', async () => {
    const { post, lines } = await startTestGateway({ refuseTarget: () => 'it is in-house' });
    const answer = await post('/v1/limits', alert({ target: 'https://canary.test/x' }));
    expect(answer).toMatchObject({ status: 422 });
    expect(JSON.stringify([answer.body, lines])).not.toContain('canary');
  });
});

describe('rights', () => {
  test.each([
    ['/v1/limits', daily(1)],
    ['/v1/limits/remove', BOT],
    ['/v1/raises', { ...BOT, amount: 1, until: '1h', reason: 'x' }],
    ['/v1/raises/r1/end', BOT],
    ['/v1/resets', { ...BOT, reason: 'x' }],
    ['/v1/destinations/default', { channel: 'slack', target: 'https://a.test' }],
    ['/v1/destinations/ref-0/restore', {}],
    ['/v1/destinations/ref-0/confirm', {}],
    ['/v1/settings/email-domains', { emailDomains: [] }],
    ['/v1/settings/operators', { operators: [] }],
    ['/v1/settings/escalation', { escalation: null }],
  ])('POST %s is not for keys that only read, ingest and sync', async (path, body) => {
    const { post, ledger } = await startTestGateway();
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ scopes: ['read', 'ingest', 'sync'] }));
    expect((await post(path, body)).status).toBe(403);
  });
});

describe('destinations, settings, audit', () => {
  test('are shown without addresses', async () => {
    const { post, get, lines } = await startTestGateway();
    const slack = { channel: 'slack', target: 'https://hooks.test/canary' };
    const set = await post('/v1/destinations/default', { ...slack, by: 'ada' });
    expect(set.body).toEqual({
      destination: {
        ...{ reference: 'ref-0', channel: 'slack', masked: 'hooks.test', health: 'ok' },
        ...{ verified: true, isDefault: true },
      },
    });
    const restored = await post('/v1/destinations/ref-0/restore', {});
    expect(restored.body).toMatchObject({ changed: true, destination: { reference: 'ref-0' } });
    expect((await post('/v1/destinations/ref-0/confirm', {})).status).toBe(200);
    expect((await post('/v1/destinations/ref-7/confirm', {})).status).toBe(404);
    await post('/v1/settings/operators', {
      operators: [{ channel: 'slack', destination: 'ref-0' }],
    });
    await post('/v1/settings/email-domains', { emailDomains: ['acme.com'] });
    const levels = [{ afterMs: 60_000, routes: [slack] }];
    await post('/v1/settings/escalation', { escalation: { levels } });
    const ref = { channel: 'slack', destination: 'ref-0' };
    const settings = await get('/v1/settings');
    expect(settings.body).toEqual({
      ...{ emailDomains: ['acme.com'], operators: [ref], defaults: [ref] },
      escalation: { levels: [{ afterMs: 60_000, routes: [ref] }], rounds: 1 },
    });
    const cleared = await post('/v1/settings/escalation', { escalation: null });
    expect(cleared.body).not.toHaveProperty('escalation');
    const shown = [set.body, settings.body, (await get('/v1/destinations')).body, lines];
    expect(JSON.stringify(shown)).not.toContain('canary');
  });

  test('the audit says when there is more', async () => {
    const { post, get } = await startTestGateway();
    for (const usd of [1, 2, 3]) await post('/v1/limits', daily(usd));
    expect((await get('/v1/audit?agent=research-bot&limit=2')).body).toMatchObject({
      entries: [{ by: 'tester' }, { by: 'tester' }],
      nextCursor: expect.any(String) as string,
    });
    expect((await get('/v1/audit?agent=other')).body).toEqual({ entries: [] });
    expect((await get('/v1/audit?agent=a&subject=b')).status).toBe(422);
  });
});

test('a ledger in trouble does not end the watch over ends, and is told once', async () => {
  const { ledger, lines, post, clock } = await startTestGateway();
  let failures = 0;
  ledger.before = (method) => {
    if (method === 'endLayers' && (failures += 1) <= 2) throw new Error('away');
  };
  await post('/v1/limits', daily(2));
  await post('/v1/raises', { ...BOT, amount: 5, until: '1h', reason: 'x' });
  clock.now = NOON + HOUR;
  const held = () => ledger.configured.get('default agent:research-bot')?.budgets[0]?.limits[0];
  await expect.poll(() => held()?.amount, { timeout: 10_000 }).toBe(2 * USD);
  const told = lines.filter(({ message }) => message === 'ends of limits cannot be written');
  expect(told).toHaveLength(1);
});
