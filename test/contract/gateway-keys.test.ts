/** Keys over the API: made, listed, rotated, revoked, and what their holders may not do. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isApiKey } from '../../gateway/api-key.js';
import { syncDocument, usageEvent } from './gateway-kit.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();

async function start() {
  const started = await real.start();
  const admin = await real.key();
  const as = (key: string) => {
    const ask = (method: string, path: string, body?: unknown, headers = {}) =>
      started.request(method, path, body === undefined ? undefined : JSON.stringify(body), {
        ...bearer(key),
        ...headers,
      });
    return {
      get: (path: string) => ask('GET', path),
      post: (path: string, body: unknown = {}, headers = {}) => ask('POST', path, body, headers),
    };
  };
  const make = async (body: object) => {
    const answer = await as(admin).post('/v1/keys', { name: 'made', ...body });
    const { key, created } = answer.body as { key: string; created: { id: string } };
    return { ...answer, key, id: created.id };
  };
  return { ...started, as, admin, make };
}

describe('a key', () => {
  test('is shown once, recognisable, and known to the ledger by its hash alone', async () => {
    const { make, as, admin } = await start();
    const { status, key, id, body } = await make({ scopes: ['read'], by: 'ana' });
    expect(status).toBe(201);
    expect(isApiKey(key)).toBe(true);
    expect(body).toMatchObject({
      created: { id, scopes: ['read'], createdBy: 'ana', hint: `${key.slice(0, 7)}…` },
    });
    expect((await as(key).get('/v1/status')).status).toBe(200);
    const dumped = JSON.stringify(await real.dump());
    expect(dumped).not.toContain(key.slice(3));
    expect(dumped).toContain(createHash('sha256').update(key).digest('hex'));
    const list = JSON.stringify((await as(admin).get('/v1/keys')).body);
    expect(list).toContain(id);
    expect(list).not.toContain(key);
  });

  test('that was revoked and goes on being used is told the operators, once', async () => {
    const { make, as, admin, lines } = await start();
    const { key, id } = await make({ scopes: ['ingest'] });
    await as(admin).post(`/v1/keys/${id}/revoke`);
    const { request } = await real.start();
    for (let no = 0; no < 3; no += 1) {
      const body = JSON.stringify({ events: [usageEvent()] });
      const answer = await request('POST', '/v1/ingest', body, bearer(key));
      expect(answer.status).toBe(401);
    }
    const { body } = await as(admin).get('/v1/notices');
    const notices = body['notices'] as { kind: string; text: string }[];
    expect(notices.filter(({ kind }) => kind === 'key_refused')).toEqual([
      expect.objectContaining({ text: expect.stringContaining(id) as string }),
    ]);
    expect(JSON.stringify(lines)).not.toContain(key);
  });

  test('that is mistyped is told so without asking the ledger', async () => {
    const { make } = await start();
    const { key } = await make({ scopes: ['read'] });
    const asked: string[] = [];
    const apiKey = (hash: string) => (asked.push(hash), real.ledger().apiKey(hash));
    const { request } = await real.start({ ledger: { ...real.ledger(), apiKey } });
    const show = (text: string) => request('GET', '/v1/status', undefined, bearer(text));
    const wrong = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
    for (const typo of [wrong, key.slice(0, -3), `${key}a`]) {
      const answer = await show(typo);
      expect(answer).toMatchObject({ status: 401 });
      expect(answer.body['detail']).toContain('checksum');
      expect(JSON.stringify(answer.body)).not.toContain(typo.slice(3));
    }
    expect(asked).toEqual([]);
    expect((await show(key)).status).toBe(200);
    expect(asked).toHaveLength(1);
  });

  test('of another form is accepted when the ledger has it: keys from before stay valid', async () => {
    const { as } = await start();
    const before = 'ak_live_0123456789abcdef';
    const hash = createHash('sha256').update(before).digest('hex');
    await real.sql(
      `insert into api_key (hash, org, name, scopes)
       values ('${hash}', 'default', 'old', 'ingest sync read operate admin')`,
    );
    expect((await as(before).post('/v1/ingest', { events: [usageEvent()] })).status).toBe(202);
    expect((await as(before).get('/v1/keys')).status).toBe(200);
  });

  test('rotated: both are valid for the grace, then the new one alone', async () => {
    const { make, as, admin, clock } = await start();
    const { key: old, id } = await make({ scopes: ['read'] });
    const rotated = await as(admin).post(`/v1/keys/${id}/rotate`, { graceSeconds: 60 });
    expect(rotated).toMatchObject({
      status: 201,
      body: { created: { scopes: ['read'] }, old: { id, expiresAt: clock.now + 60_000 } },
    });
    const fresh = rotated.body['key'] as string;
    clock.now += 59_999;
    expect((await as(old).get('/v1/status')).status).toBe(200);
    expect((await as(fresh).get('/v1/status')).status).toBe(200);
    clock.now += 1;
    const late = await as(old).get('/v1/status');
    expect(late.status).toBe(401);
    expect(late.body['detail']).toContain('rotated');
    expect((await as(fresh).get('/v1/status')).status).toBe(200);
    expect((await as(admin).post(`/v1/keys/${id}/rotate`)).status).toBe(409);
    expect((await as(admin).post('/v1/keys/none/rotate')).status).toBe(404);
  });

  test('revoked: refused within 5 s everywhere, at once where it was not seen', async () => {
    const { make, as, admin, clock } = await start();
    const { key, id } = await make({ scopes: ['read'] });
    expect((await as(key).get('/v1/status')).status).toBe(200);
    expect((await as(admin).post(`/v1/keys/${id}/revoke`)).body).toMatchObject({ changed: true });
    expect((await as(admin).post(`/v1/keys/${id}/revoke`)).body).toMatchObject({ changed: false });
    clock.now += 5_000;
    expect((await as(key).get('/v1/status')).status).toBe(401);
    expect((await as(admin).post('/v1/keys/none/revoke')).status).toBe(404);
  });

  test('does not revoke itself: nobody locks themselves out', async () => {
    const { as, make } = await start();
    const { key, id } = await make({ scopes: ['admin'] });
    expect((await as(key).post(`/v1/keys/${id}/revoke`)).status).toBe(409);
    expect((await as(key).get('/v1/keys')).status).toBe(200);
  });

  test.each<[string, object, string]>([
    ['no scope', { scopes: [] }, 'scopes'],
    ['an unknown scope', { scopes: ['root'] }, 'scopes[0]'],
    ['admin of one agent', { scopes: ['admin'], agent: 'a' }, 'scopes'],
    ['no name', { name: ' ', scopes: ['read'] }, 'name'],
    ['a strange organisation', { scopes: ['read'], org: '../x' }, 'org'],
  ])('with %s is refused', async (_what, body, path) => {
    const { as, admin } = await start();
    const answer = await as(admin).post('/v1/keys', { name: 'made', ...body });
    expect(answer).toMatchObject({ status: 422, body: { path } });
  });

  test('of another organisation is made by whoever runs the service, and by nobody else', async () => {
    const { make, as } = await start();
    const { key: theirs } = await make({ scopes: ['admin'], org: 'acme' });
    expect((await as(theirs).get('/v1/keys')).body['keys']).toHaveLength(1);
    const back = { name: 'x', scopes: ['admin'], org: 'default' };
    expect((await as(theirs).post('/v1/keys', back)).status).toBe(403);
    expect((await as(theirs).post('/v1/keys', { ...back, org: 'acme' })).status).toBe(201);
  });

  test('and every change of one is audited with who did it', async () => {
    const { make, as, admin } = await start();
    const { id } = await make({ scopes: ['read'], by: 'ana' });
    const rotated = await as(admin).post(`/v1/keys/${id}/rotate`, { by: 'bob' });
    const next = (rotated.body['created'] as { id: string }).id;
    await as(admin).post(`/v1/keys/${next}/revoke`, { by: 'eve' });
    const rows = await real.sql(
      `select by, what from audit where subject in ('key:${id}', 'key:${next}') order by id`,
    );
    expect(rows).toEqual([
      { by: 'ana', what: 'key_created' },
      { by: 'bob', what: 'key_rotated' },
      { by: 'eve', what: 'key_revoked' },
    ]);
  });
});

describe('a key of one agent', () => {
  async function startWithAgents() {
    const started = await start();
    const { as, admin, make } = started;
    for (const agent_name of ['mine', 'theirs']) {
      await as(admin).post('/v1/sync-config', syncDocument({ agent_name }));
      await as(admin).post('/v1/ingest', { events: [usageEvent({ agent_name })] });
    }
    const scopes = ['ingest', 'sync', 'read', 'operate'];
    return { ...started, mine: as((await make({ scopes, agent: 'mine' })).key) };
  }

  test('sees its own, and nothing of another', async () => {
    const { mine } = await startWithAgents();
    const all = await Promise.all(
      ['/v1/status', '/v1/budgets', '/v1/alerts', '/v1/agents'].map((path) => mine.get(path)),
    );
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(JSON.stringify(all)).toContain('agent:mine');
    expect(JSON.stringify(all)).not.toContain('theirs');
    expect((await mine.get('/v1/status?agent=theirs')).status).toBe(403);
    const row = await real.sql(`select id from period where scope = 'agent:theirs' limit 1`);
    expect((await mine.get(`/v1/budgets/${String(row[0]?.['id'])}`)).status).toBe(404);
    expect((await mine.get('/v1/quarantine')).status).toBe(403);
  });

  test('stops, syncs and reports its own alone; the org’s budget is not its own', async () => {
    const { mine } = await startWithAgents();
    const org_budget = { budget_type: 'cost', period: 'monthly', limit_value: 1e6 };
    const synced = (over: object) => mine.post('/v1/sync-config', syncDocument({ ...over }));
    expect((await mine.post('/v1/agents/theirs/stop', { reason: 'x' })).status).toBe(403);
    expect((await mine.post('/v1/agents/stop', { agent: 'theirs', reason: 'x' })).status).toBe(403);
    expect((await synced({ agent_name: 'theirs' })).status).toBe(403);
    expect((await synced({ agent_name: 'mine', org_budget })).status).toBe(403);
    expect((await synced({ agent_name: 'mine' })).status).toBe(200);
    const word = { agent_name: 'theirs', what: 'started' };
    expect((await mine.post('/v1/runs/r', word)).status).toBe(403);
  });

  test('usage of another agent costs only itself: kept in quarantine, never counted', async () => {
    const { mine } = await startWithAgents();
    const events = [usageEvent({ agent_name: 'theirs' }), usageEvent({ agent_name: 'mine' })];
    const answer = await mine.post('/v1/ingest', { events });
    expect(answer).toMatchObject({
      status: 202,
      body: { accepted: 1, rejected: [{ path: 'events[0].agent_name' }] },
    });
    const { events: counted } = await real.ledger().usage('default', 'theirs');
    await mine.post('/v1/ingest', { events: [usageEvent({ agent_name: 'theirs' })] });
    expect((await real.ledger().usage('default', 'theirs')).events).toBe(counted);
  });
});

test('an agent named as no path can say is stopped by the body', async () => {
  const { as, admin } = await start();
  for (const agent of ['.', '..', 'a/b ü']) {
    const stop = await as(admin).post('/v1/agents/stop', { agent, reason: 'x' });
    expect(stop.body).toMatchObject({ changed: true, stopped: { agent } });
    const resume = await as(admin).post('/v1/agents/resume', { agent });
    expect(resume.body).toEqual({ changed: true });
  }
});
