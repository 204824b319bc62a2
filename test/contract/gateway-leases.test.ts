/** Leases over HTTP (L1 to L5): what is asked of the book, and what is answered. */
import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/api-key.js';
import { NOON, startTestGateway, syncDocument, testKey, usageEvent } from './gateway-kit.js';
import { bearer } from './gateway-real-kit.js';

const HOUR = 3_600_000;
const amounts = (calls: number) => ({ cost_nano_usd: calls * 1_000, tokens: calls * 10, calls });
const DAY = 'default/agent:research-bot/daily/20261121T000000Z';

let holders = 0;

async function stage() {
  const started = await startTestGateway();
  const leases = started.ledger.leaseBook;
  holders += 1;
  const holder = `guard-${String(holders)}`;
  const ask = (over: object = {}) =>
    started.post('/v1/leases', {
      ...{ holder, n: 1, agent_name: 'research-bot', need: amounts(1), want: amounts(5) },
      ...over,
    });
  const close = (over: object = {}) =>
    started.post('/v1/leases/close', {
      ...{ holder, n: 2, agent_name: 'research-bot', lease: `${holder}/1` },
      ...over,
    });
  const limit = (over: object) =>
    started.post('/v1/limits', { agent: 'research-bot', limits: [over] });
  const block = (cadence: string, over: object = {}) =>
    limit({ cadence, amount: 50, enforcement: 'block', ...over });
  return { ...started, leases, holder, ask, close, limit, block };
}

describe('an ask', () => {
  test('is placed in the periods its calls count in, and answered in the words of the wire', async () => {
    const { ask, leases, holder, post } = await stage();
    await post('/v1/sync-config', {
      ...syncDocument(),
      org_budget: { budget_type: 'cost', period: 'monthly', limit_value: 100 },
    });
    const { status, body } = await ask({ run_id: 'run-1' });
    expect(status).toBe(200);
    expect(body).toEqual({
      type: 'granted',
      lease: {
        ...{ id: `${holder}/1`, granted: amounts(5) },
        ...{ expires_in_ms: 30_000, valid_in_ms: 0, ends_in_ms: 12 * HOUR },
        budgets: expect.arrayContaining([
          {
            ...{ period_id: DAY, scope: 'agent', cadence: 'daily', dimension: 'cost' },
            ...{ limit: 5_000_000_000, spent: 0, leased: 5_000, resets_at: NOON + 12 * HOUR },
          },
        ]) as unknown,
      },
      ...{ wanted: false, now: NOON },
    });
    const [asked] = leases.asked;
    expect(asked?.ask).toEqual({
      ...{ holder, n: 1, agent: 'research-bot', run: 'run-1' },
      need: { cost: 1_000, tokens: 10, calls: 1 },
      want: { cost: 5_000, tokens: 50, calls: 5 },
    });
    expect(asked?.seeds.map(({ key }) => `${key.scope} ${key.cadence}`).sort()).toEqual([
      'agent:research-bot daily',
      'org monthly',
    ]);
    expect(asked?.revisions.map(({ scope }) => scope).sort()).toEqual([
      'agent:research-bot',
      'org',
    ]);
  });

  test('a run with limits of its own is one of them, frozen by its name', async () => {
    const { ask, leases, block } = await stage();
    await block('run', { dimension: 'calls', amount: 10 });
    expect((await ask()).body).toMatchObject({ type: 'unlimited' });
    expect((await ask({ run_id: 'r' })).body).toMatchObject({
      type: 'granted',
      lease: { ends_in_ms: null, budgets: [{ cadence: 'run', resets_at: null }] },
    });
    expect(leases.asked.map(({ seeds }) => seeds.map(({ key }) => key.period))).toEqual([['r']]);
  });

  test('L5: the same request gets the same answer, an older one is stale', async () => {
    const { ask, block } = await stage();
    await block('daily');
    const first = await ask({ n: 2 });
    expect((await ask({ n: 2, want: amounts(9) })).body).toEqual(first.body);
    const stale = await ask({ n: 1 });
    expect(stale).toMatchObject({ status: 409, body: { code: 'stale', path: 'n' } });
  });

  test('is placed again when the configuration has changed meanwhile', async () => {
    const { ask, block, leases } = await stage();
    await block('daily');
    leases.stale = 2;
    expect((await ask()).body).toMatchObject({ type: 'granted' });
    expect(leases.asked).toHaveLength(3);
  });

  test('a refusal says why, what has no room, and how the lease stands', async () => {
    const { ask, block, leases, holder } = await stage();
    await block('daily');
    const budget = { periodId: DAY, scope: 'org', cadence: 'daily', dimension: 'calls' } as const;
    leases.answer = {
      ...{ type: 'refused', why: 'exhausted', othersHold: true, reason: 'no room', now: NOON },
      budget: { ...budget, limit: 10, spent: 8, leased: 2 },
      lease: {
        ...{ id: `${holder}/1`, granted: { cost: 1, tokens: 2, calls: 3 } },
        ...{ expiresInMs: 1, validInMs: 2, endsInMs: 3, budgets: [] },
      },
    };
    expect((await ask()).body).toEqual({
      ...{ type: 'refused', why: 'exhausted', others_hold: true, reason: 'no room', now: NOON },
      budget: {
        ...{ period_id: DAY, scope: 'org', cadence: 'daily', dimension: 'calls' },
        ...{ limit: 10, spent: 8, leased: 2, resets_at: null },
      },
      lease: {
        ...{ id: `${holder}/1`, granted: { cost_nano_usd: 1, tokens: 2, calls: 3 } },
        ...{ expires_in_ms: 1, valid_in_ms: 2, ends_in_ms: 3, budgets: [] },
      },
    });
  });
});

describe('who needs no lease', () => {
  test('without a block limit it is unlimited, and the book is not asked', async () => {
    const { ask, limit, leases } = await stage();
    await limit({ cadence: 'daily', amount: 5, enforcement: 'alert' });
    const { body } = await ask();
    expect(body).toEqual({ type: 'unlimited', renew_in_ms: 10_000, now: NOON });
    expect(leases.asked).toEqual([]);
  });

  test('C2: a block that came with another agent’s synced kill holds only that one', async () => {
    const { ask, post } = await stage();
    await post('/v1/sync-config', {
      ...syncDocument({ agent_name: 'other', budgets: [], alert_configs: [] }),
      org_budget: { budget_type: 'cost', period: 'daily', limit_value: 9 },
      org_alert_configs: [{ channel: 'kill', threshold_pct: 1 }],
    });
    expect((await ask()).body).toMatchObject({ type: 'unlimited' });
    expect((await ask({ agent_name: 'other' })).body).toMatchObject({ type: 'granted' });
  });

  test('K2: a stopped one is refused all the same', async () => {
    const { ask, post } = await stage();
    await post('/v1/agents/stop', { agent: 'research-bot', reason: 'circles', by: 'ana' });
    const { body } = await ask();
    expect(body).toMatchObject({ type: 'refused', why: 'stopped', others_hold: false });
    expect(body['reason']).toContain('stopped by ana: circles');
  });

  test('a block limit that another gateway took is seen within half a second', async () => {
    const { ask, clock, leases, ledger } = await stage();
    expect((await ask()).body).toMatchObject({ type: 'unlimited' });
    const limit = { dimension: 'cost', amount: 7, enforcement: 'block', thresholds: [] } as const;
    await ledger.configure({
      ...{ org: 'default', scope: 'agent:research-bot', name: 'research-bot', zone: 'UTC' },
      budgets: [{ cadence: 'daily', limits: [limit] }],
      ...{ by: 'x', now: NOON, windows: [] },
    } as unknown as Parameters<typeof ledger.configure>[0]);
    clock.now += 501;
    expect((await ask({ n: 2 })).body).toMatchObject({ type: 'granted' });
    expect(leases.asked).toHaveLength(1);
  });
});

describe('the next period', () => {
  test('is granted within its last minute, each cadence’s at the instant it begins', async () => {
    const { ask, block, clock, leases } = await stage();
    await block('hourly');
    await block('daily');
    clock.now = NOON + HOUR - 60_000;
    const { body } = await ask({ starts: 'next' });
    expect(body).toMatchObject({ type: 'granted', lease: { valid_in_ms: 60_000 } });
    expect(leases.asked[0]?.ask.startsNext).toBe(true);
    expect(leases.asked[0]?.seeds.map(({ window }) => window.startsAt - NOON).sort()).toEqual(
      [-12 * HOUR, HOUR].sort(),
    );
  });

  test('before that it is today’s', async () => {
    const { ask, block, clock, leases } = await stage();
    await block('hourly');
    clock.now = NOON + HOUR - 60_001;
    await ask({ starts: 'next' });
    expect(leases.asked[0]?.seeds.map(({ window }) => window.startsAt)).toEqual([NOON]);
  });
});

describe('the end of a lease', () => {
  test('by its guard, by its successor, and of one nobody knows', async () => {
    const { ask, close, block, leases, holder } = await stage();
    await block('daily');
    await ask();
    expect((await close({ last_seq: 0 })).body).toEqual({ type: 'closed', lease: `${holder}/1` });
    await ask({ n: 3 });
    const abandoned = await close({ n: 4, lease: `${holder}/3`, mark: amounts(2) });
    expect(abandoned.body).toEqual({ type: 'abandoned', lease: `${holder}/3` });
    const unknown = await close({ n: 5, lease: 'x/1', last_seq: 1 });
    expect(unknown.body).toEqual({ type: 'unknown', lease: 'x/1' });
    const told = { holder, agent: 'research-bot' };
    expect(leases.closed.slice(0, 2)).toEqual([
      { ...told, n: 2, lease: `${holder}/1`, end: { lastSeq: 0 } },
      { ...told, n: 4, lease: `${holder}/3`, end: { mark: { cost: 2_000, tokens: 20, calls: 2 } } },
    ]);
    const stale = await close({ n: 1, lease: `${holder}/3`, last_seq: 1 });
    expect(stale).toMatchObject({ status: 409, body: { code: 'stale' } });
  });

  test('a person releases it, once, with name and reason', async () => {
    const { ask, block, post, leases, holder, lines } = await stage();
    await block('daily');
    await ask();
    const path = `/v1/leases/${encodeURIComponent(`${holder}/1`)}/release`;
    const word = { by: 'ana', reason: 'the machine is gone' };
    expect(await post(path, word)).toMatchObject({
      ...{ status: 200, body: { lease: `${holder}/1`, state: 'released' } },
    });
    expect(leases.released).toEqual([{ org: 'default', id: `${holder}/1`, ...word, now: NOON }]);
    expect((await post(`/v1/leases/${holder}/1/release`, word)).status).toBe(404);
    expect(await post(path, { by: 'ana' })).toMatchObject({
      ...{ status: 422, body: { path: 'reason' } },
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a lease was released' }),
    );
  });
});

test('the list: pages, by agent, by state, and what holds something', async () => {
  const { ask, close, block, get, clock, holder } = await stage();
  await block('daily');
  for (const n of [1, 2, 3]) {
    await ask({ n });
    clock.now += 1;
  }
  await close({ n: 4, lease: `${holder}/2`, last_seq: 0 });
  const ids = (body: Record<string, unknown>) =>
    (body['leases'] as { id: string }[]).map(({ id }) => id.split('/')[1]);
  const first = await get('/v1/leases?limit=2');
  expect(ids(first.body)).toEqual(['3', '2']);
  const next = await get(`/v1/leases?limit=2&cursor=${String(first.body['nextCursor'])}`);
  expect(next.body).toEqual({
    leases: [
      {
        ...{ id: `${holder}/1`, agent_name: 'research-bot', holder, state: 'open' },
        ...{ granted: amounts(5), settled: amounts(0), remainder: amounts(5) },
        ...{ period_ids: [DAY], opened_at: NOON, renewed_at: NOON, expires_at: NOON + 30_000 },
        vanished: false,
      },
    ],
  });
  expect(ids((await get('/v1/leases?state=closed')).body)).toEqual(['2']);
  expect(ids((await get('/v1/leases?holding=true')).body)).toEqual(['3', '1']);
  expect(ids((await get('/v1/leases?agent_name=other')).body)).toEqual([]);
  expect(ids((await get(`/v1/leases?period_id=${encodeURIComponent(DAY)}`)).body)).toHaveLength(3);
});

describe('bad input', () => {
  const whole = 9_007_199_254_740_992;
  test.each([
    [{ holder: '' }, 'holder'],
    [{ holder: 'a b' }, 'holder'],
    [{ holder: 'x'.repeat(101) }, 'holder'],
    [{ holder: '__proto__/1' }, 'holder'],
    [{ n: 0 }, 'n'],
    [{ n: 1.5 }, 'n'],
    [{ n: '1' }, 'n'],
    [{ n: whole }, 'n'],
    [{ agent_name: ' ' }, 'agent_name'],
    [{ agent_name: 'a\u0000' }, 'agent_name'],
    [{ agent_name: undefined }, 'agent_name'],
    [{ run_id: '' }, 'run_id'],
    [{ run_id: 'a\ud800' }, 'run_id'],
    [{ lease: 'guard' }, 'lease'],
    [{ lease: 'guard/0' }, 'lease'],
    [{ lease: 'a/b/1' }, 'lease'],
    [{ starts: 'now' }, 'starts'],
    [{ need: undefined }, 'need'],
    [{ need: { ...amounts(1), calls: -1 } }, 'need.calls'],
    [{ want: { ...amounts(1), tokens: 0.5 } }, 'want.tokens'],
    [{ want: { ...amounts(1), cost_nano_usd: 1e308 } }, 'want.cost_nano_usd'],
    [{ want: { ...amounts(1), cost_nano_usd: '5' } }, 'want.cost_nano_usd'],
    [{ want: { calls: 1 } }, 'want.cost_nano_usd'],
    [{ want: { ...amounts(1), usd: 1 } }, 'want'],
    [{ more: 1 }, ''],
  ])('an ask with %j is refused with its path', async (over, path) => {
    const { ask, leases } = await stage();
    const refused = await ask(over);
    expect(refused).toMatchObject({ status: 422, body: { path } });
    expect(leases.asked).toEqual([]);
  });

  test.each([
    [{}, 'last_seq'],
    [{ last_seq: 1, mark: amounts(1) }, 'last_seq'],
    [{ last_seq: -1 }, 'last_seq'],
    [{ mark: { calls: 1 } }, 'mark.cost_nano_usd'],
    [{ last_seq: 1, lease: undefined }, 'lease'],
    [{ last_seq: 1, lease: '../1' }, undefined],
  ])('an end with %j likewise', async (over, path) => {
    const { close, leases } = await stage();
    const answer = await close(over);
    if (path === undefined) expect(answer.body).toMatchObject({ type: 'unknown' });
    else expect(answer).toMatchObject({ status: 422, body: { path } });
    expect(leases.closed).toHaveLength(path === undefined ? 1 : 0);
  });

  test.each(['state=held', 'holding=perhaps', 'limit=0', 'cursor=x', 'agent_name='])(
    'a list with %s likewise',
    async (query) => {
      const { get } = await stage();
      expect(await get(`/v1/leases?${query}`)).toMatchObject({
        ...{ status: 422, body: { path: query.split('=')[0] } },
      });
    },
  );
});

describe('keys', () => {
  test('an agent’s key is for that agent’s leases only, and releases none', async () => {
    const { ledger, request, leases, holder, ask, block } = await stage();
    await block('daily');
    await ask();
    const own = testKey({ id: 'k', agent: 'other', scopes: ['ingest', 'read', 'operate'] });
    ledger.apiKeys.set(hashApiKey('kv_other'), own);
    const by = (method: string, path: string, body?: object) =>
      request(method, path, body && JSON.stringify(body), bearer('kv_other'));
    const theirs = { holder, n: 2, agent_name: 'research-bot' };
    const asked = await by('POST', '/v1/leases', {
      ...{ ...theirs, need: amounts(1), want: amounts(1) },
    });
    expect(asked.status).toBe(403);
    const closed = await by('POST', '/v1/leases/close', {
      ...{ ...theirs, lease: `${holder}/1`, last_seq: 0 },
    });
    expect(closed.status).toBe(403);
    expect((await by('GET', '/v1/guard?agent_name=research-bot')).status).toBe(403);
    expect((await by('GET', '/v1/leases')).body).toEqual({ leases: [] });
    expect((await by('GET', '/v1/leases?agent_name=research-bot')).status).toBe(403);
    const release = await by('POST', `/v1/leases/${holder}/1/release`, { reason: 'x' });
    expect(release.status).toBe(403);
    expect(leases.closed).toEqual([]);
  });

  test('reading is no asking, and asking no reading', async () => {
    const { ledger, request } = await stage();
    ledger.apiKeys.set(hashApiKey('kv_r'), testKey({ id: 'r', scopes: ['read'] }));
    ledger.apiKeys.set(hashApiKey('kv_i'), testKey({ id: 'i', scopes: ['ingest'] }));
    expect((await request('POST', '/v1/leases', '{}', bearer('kv_r'))).status).toBe(403);
    expect((await request('GET', '/v1/leases', undefined, bearer('kv_i'))).status).toBe(403);
  });
});

describe('a ledger in trouble', () => {
  test('is answered with a 429 that says when to come again', async () => {
    const { ask, close, block, leases, ledger } = await stage();
    await block('daily');
    leases.before = () => {
      throw new Error('connect ECONNREFUSED');
    };
    for (const answer of [await ask(), await close({ last_seq: 0 })]) {
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.body).not.toHaveProperty('reason');
    }
    leases.before = () => new Promise(() => undefined);
    ledger.before = (method) => {
      if (method === 'ping') throw new Error('away');
    };
    const began = performance.now();
    expect((await ask({ n: 2 })).status).toBe(429);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the events that settle', () => {
  test('carry the lease and their number in it', async () => {
    const { ingest, ledger } = await stage();
    const answer = await ingest(usageEvent({ lease: 'guard-1/7', lease_seq: 3 }));
    expect(answer.body).not.toHaveProperty('warnings');
    expect([...ledger.events.values()]).toMatchObject([
      { lease: 'guard-1/7', leaseSeq: 3, flags: [] },
    ]);
  });

  test.each([
    [{ lease: 7, lease_seq: 1 }, 'lease', 'expected a string'],
    [{ lease: 'guard', lease_seq: 1 }, 'lease', 'no id of a lease'],
    [{ lease: `${'x'.repeat(101)}/1`, lease_seq: 1 }, 'lease', 'no id of a lease'],
    [{ lease_seq: 1 }, 'lease', 'is missing'],
    [{ lease: 'guard/1' }, 'lease_seq', 'got nothing'],
    [{ lease: 'guard/1', lease_seq: 0 }, 'lease_seq', 'got 0'],
    [{ lease: 'guard/1', lease_seq: 1.5 }, 'lease_seq', 'got 1.5'],
    [{ lease: 'guard/1', lease_seq: '1' }, 'lease_seq', 'got a string'],
  ])('%j: it counts without a lease, flagged, and the fault is told', async (over, path, said) => {
    const { ingest, ledger } = await stage();
    const answer = await ingest(usageEvent(), usageEvent(over));
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2, rejected: [] } });
    expect(answer.body['warnings']).toEqual([
      { index: 1, path: `events[1].${path}`, message: expect.stringContaining(said) as string },
    ]);
    const [, kept] = [...ledger.events.values()];
    expect(kept?.flags).toEqual(['unleased']);
    expect(kept).not.toHaveProperty('lease');
  });
});
