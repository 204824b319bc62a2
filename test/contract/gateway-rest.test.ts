/** What every request has: an id, a pace, limits, pages, and writes that are done once. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { usageEvent } from './gateway-kit.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();

async function start(org: string, options: Parameters<typeof real.start>[0] = {}) {
  const started = await real.start(options);
  const key = await real.key({ org });
  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) =>
    started.request(method, path, body === undefined ? undefined : JSON.stringify(body), {
      ...bearer(key),
      ...headers,
    });
  return {
    ...started,
    key,
    ask,
    get: (path: string) => ask('GET', path),
    post: (path: string, body: unknown, headers = {}) => ask('POST', path, body, headers),
  };
}

describe('a request id', () => {
  test('is taken where it is sane, else made; it is in the answer, the problem and the log', async () => {
    const { ask, lines } = await start('ids');
    const own = await ask('GET', '/v1/budgets/none', undefined, { 'x-request-id': 'trace-1234' });
    expect(own.headers.get('x-request-id')).toBe('trace-1234');
    expect(own.body['request_id']).toBe('trace-1234');
    expect(lines.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ requestId: 'trace-1234', status: 404 }),
    );
    for (const given of ['short', 'a b c d e f', 'x'.repeat(65)]) {
      const answer = await ask('GET', '/v1/status', undefined, { 'x-request-id': given });
      expect(answer.headers.get('x-request-id')).toMatch(/^id-\d+$/);
    }
  });
});

describe('the pace of a key', () => {
  const rates = { usage: 2, other: 1 };

  test('past its burst it is told when to go on, and the bucket fills again', async () => {
    const { get, clock } = await start('paced', { policy: { rates } });
    for (let no = 0; no < 10; no += 1) expect((await get('/v1/agents')).status).toBe(200);
    const refused = await get('/v1/agents');
    expect(refused).toMatchObject({ status: 429, body: { title: 'Too many requests' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body).not.toHaveProperty('reason');
    clock.now += 1_000;
    expect((await get('/v1/agents')).status).toBe(200);
    expect((await get('/v1/agents')).status).toBe(429);
    clock.now -= 60_000;
    expect((await get('/v1/agents')).status).toBe(429);
  });

  test('usage is not starved by whoever polls with the same key, nor one key by another', async () => {
    const { get, post } = await start('polling', { policy: { rates } });
    while ((await get('/v1/agents')).status === 200);
    const event = () => ({ events: [usageEvent({ agent_name: 'polled' })] });
    for (let no = 0; no < 20; no += 1) {
      expect((await post('/v1/ingest', event())).status).toBe(202);
    }
    expect((await post('/v1/ingest', event())).status).toBe(429);
    const other = await real.key({ org: 'polling' });
    expect((await post('/v1/ingest', event(), bearer(other))).status).toBe(202);
  });
});

describe('an Idempotency-Key', () => {
  const once = { 'idempotency-key': 'one' };
  const body = { name: 'made once', scopes: ['read'] };

  test('the same request is carried out once and answered alike, without what is shown once', async () => {
    const { post } = await start('once');
    const first = await post('/v1/keys', body, once);
    const again = await post('/v1/keys', body, once);
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const { key, ...rest } = first.body;
    expect(key).toMatch(/^kv_/);
    expect(again.body).toEqual(rest);
    const made = await real.sql(`select id from api_key where name = 'made once'`);
    expect(made).toHaveLength(1);
    expect(JSON.stringify(await real.dump(`t.org = 'once'`))).not.toContain(String(key).slice(3));
  });

  test('at the same moment, too: one is carried out', async () => {
    const { post } = await start('race');
    const stop = { reason: 'x', by: 'ana' };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => post('/v1/agents/a/stop', stop, once)),
    );
    const changed = answers.filter((each) => each.body['changed'] === true);
    expect(changed.length).toBeGreaterThan(0);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect(
      await real.sql(`select 1 from audit where org = 'race' and what = 'stopped'`),
    ).toHaveLength(1);
  });

  test('another body, or another path, is 422; another API key has keys of its own', async () => {
    const { post } = await start('reused');
    await post('/v1/keys', body, once);
    expect((await post('/v1/keys', { ...body, name: 'x' }, once)).status).toBe(422);
    expect((await post('/v1/agents/a/stop', body, once)).status).toBe(422);
    const other = await real.key({ org: 'reused' });
    expect((await post('/v1/keys', body, { ...once, ...bearer(other) })).status).toBe(201);
  });

  test('a refusal is not kept: the key is free for the request as it should have been', async () => {
    const { post } = await start('refused');
    expect((await post('/v1/keys', { name: 'x' }, once)).status).toBe(422);
    expect((await post('/v1/keys/none/rotate', {}, once)).status).toBe(404);
    expect((await post('/v1/keys', body, once)).status).toBe(201);
  });

  test('after a day it may be used again; a strange one is 400', async () => {
    const { post, clock } = await start('day');
    await post('/v1/keys', body, once);
    clock.now += 24 * 3_600_000 - 1;
    expect((await post('/v1/keys', body, once)).headers.get('idempotency-replayed')).toBe('true');
    clock.now += 1;
    expect((await post('/v1/keys', body, once)).body).toHaveProperty('key');
    const strange = { 'idempotency-key': 'k'.repeat(256) };
    expect((await post('/v1/keys', body, strange)).status).toBe(400);
  });
});

describe('pages', () => {
  const walk = async (
    get: (path: string) => Promise<{ body: Record<string, unknown> }>,
    path: string,
    list: string,
    between: () => Promise<unknown> = () => Promise.resolve(),
  ) => {
    const seen: Record<string, unknown>[] = [];
    let cursor: unknown;
    for (let pages = 0; pages < 20; pages += 1) {
      const more = typeof cursor === 'string' ? `&cursor=${cursor}` : '';
      const { body } = await get(`${path}?limit=2${more}`);
      seen.push(...(body[list] as Record<string, unknown>[]));
      cursor = body['nextCursor'];
      if (cursor === undefined) return seen;
      await between();
    }
    throw new Error(`${path} never ends.`);
  };

  test('of keys, stops, budgets, alerts and quarantine: all once, in order, whatever comes meanwhile', async () => {
    const { get, post, clock } = await start('pages');
    const names = ['a', 'b', 'c', 'd', 'e'];
    let no = 0;
    const make = async (): Promise<void> => {
      const agent_name = names[no] ?? `late-${String(no)}`;
      no += 1;
      // Three of one moment on pages of two: a page ends among them.
      clock.now += no % 3 === 0 ? 1 : 0;
      const alert = {
        ...{ id: `alert/${agent_name}`, org: 'pages', subject: 's', phase: 'firing' as const },
        ...{ exhausted: false, raisedAt: clock.now, facts: { agentName: agent_name } as never },
      };
      await real.ledger().appendJournal(alert, [{ no: 1, at: 1, what: 'raised' }]);
      await post('/v1/keys', { name: agent_name, scopes: ['read'] });
      await post(`/v1/agents/${agent_name}/stop`, { reason: 'x' });
      await post('/v1/sync-config', {
        agent_name,
        budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 5 }],
      });
      await post('/v1/ingest', { events: [usageEvent({ agent_name, cost: -1 })] });
    };
    for (const _ of names) await make();
    const lists = [
      ['/v1/keys', 'keys', 'name'],
      ['/v1/agents', 'stopped', 'agent'],
      ['/v1/budgets', 'budgets', 'name'],
      ['/v1/alerts', 'alerts', 'id'],
      ['/v1/quarantine', 'events', 'id'],
    ] as const;
    for (const [path, list, field] of lists) {
      const all = async (): Promise<string[]> => {
        const { body } = await get(`${path}?limit=1000`);
        return (body[list] as Record<string, unknown>[]).map((each) => String(each[field]));
      };
      const before = await all();
      const seen = (await walk(get, path, list, make)).map((each) => String(each[field]));
      expect(before.length, path).toBeGreaterThanOrEqual(names.length);
      expect(new Set(seen).size, path).toBe(seen.length);
      expect(seen, path).toEqual(expect.arrayContaining(before));
      const after = await all();
      expect(seen, path).toEqual(after.filter((each) => seen.includes(each)));
    }
  });

  test.each(['x', 'WzFd', 'bnVsbA', 'WyJhIiwiYiJd', '%00'])(
    'a cursor that no page gave (%s) is 422',
    async (cursor) => {
      const { get } = await start('cursors');
      for (const path of ['/v1/keys', '/v1/agents', '/v1/budgets', '/v1/alerts']) {
        const answer = await get(`${path}?cursor=${cursor}`);
        expect(answer, path).toMatchObject({ status: 422, body: { path: 'cursor' } });
      }
    },
  );
});

describe('limits', () => {
  test.each<[string, string, RegExp]>([
    [
      'headers of 20 KB',
      `GET /v1/status HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
  ])('%s: a problem, and the connection ends', async (_what, text, line) => {
    const { gateway } = await start('raw');
    const socket = connect(gateway.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(text);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(line);
    expect(answer.toString()).toContain('content-type: application/problem+json');
    const problem = answer.toString().split('\r\n\r\n')[1] ?? '';
    expect(JSON.parse(problem)).toHaveProperty('request_id');
    await once(socket, 'close');
  });

  test.each<[string, Uint8Array<ArrayBuffer>, Record<string, string>, number]>([
    ['more than a MiB', new Uint8Array(1024 * 1024 + 1).fill(32), {}, 413],
    [
      'a gzip bomb',
      new Uint8Array(gzipSync(Buffer.alloc(50 * 1024 * 1024, 32))),
      { 'content-encoding': 'gzip' },
      413,
    ],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 400],
    ['65 levels deep', new TextEncoder().encode('['.repeat(65) + ']'.repeat(65)), {}, 400],
    ['64 levels deep, in a string', new TextEncoder().encode(`"${'['.repeat(999)}"`), {}, 422],
    ['another packing', new TextEncoder().encode('{}'), { 'content-encoding': 'br' }, 415],
  ])('a body of %s: %s', async (_what, body, headers, status) => {
    const { request, key } = await start('bodies');
    const answer = await request('POST', '/v1/keys', body, { ...bearer(key), ...headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('a method that is not for a path', () => {
  test.each([
    ['DELETE', '/v1/keys', 'GET, HEAD, POST'],
    ['PUT', '/v1/agents/a/stop', 'POST'],
    ['PATCH', '/v1/alerts/alert/x/1', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s: 405 with Allow', async (method, path, allow) => {
    const { ask } = await start('methods');
    const answer = await ask(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
  });
});
