import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import { ensureFirstKey, isApiKey, makeApiKey } from '../../gateway/first-key.js';
import { startTestGateway, usageEvent } from './gateway-kit.js';

describe('listening and ending', () => {
  test('a port in use is said, with the port', async () => {
    const { gateway } = await startTestGateway();
    await expect(startTestGateway({ port: gateway.port })).rejects.toThrow(
      `Port ${String(gateway.port)} on 127.0.0.1 is in use`,
    );
  });

  test('a stop finishes what is in flight, and takes nothing new', async () => {
    const { gateway, ledger, ingest, get } = await startTestGateway({
      policy: { graceMs: 10_000 },
    });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      ledger.before = (method) => {
        if (method !== 'ingest') return undefined;
        resolve();
        return held;
      };
    });
    const inFlight = ingest(usageEvent());
    await reached;
    const stopping = gateway.stop();
    await expect(get('/healthz')).rejects.toThrow();
    release();
    const answer = await inFlight;
    expect(answer.status).toBe(202);
    expect(answer.headers.get('connection')).toBe('close');
    await stopping;
    await gateway.stop();
  });

  test('what outlasts the grace is cut off', async () => {
    const { gateway, ledger, ingest } = await startTestGateway({ policy: { graceMs: 30 } });
    const reached = new Promise<void>((resolve) => {
      ledger.before = (method) => {
        if (method !== 'ingest') return undefined;
        resolve();
        return new Promise(() => undefined);
      };
    });
    const cut = expect(ingest(usageEvent())).rejects.toThrow();
    await reached;
    await gateway.stop();
    await cut;
  });

  test('a client that goes away in the middle of its body harms nobody', async () => {
    const { gateway, ingest, ledger } = await startTestGateway();
    const socket = connect(gateway.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const asked = new Promise<void>((resolve) => {
      ledger.before = (method) => {
        if (method === 'apiKey') resolve();
      };
    });
    socket.write('POST /v1/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer kv_test\r\n');
    socket.write('Content-Length: 1000\r\n\r\n{"events":');
    await asked;
    socket.destroy();
    expect((await ingest(usageEvent())).status).toBe(202);
    expect(ledger.events.size).toBe(1);
  });
});

describe('health', () => {
  test('healthz and readyz need no key', async () => {
    const { gateway } = await startTestGateway({ temporal: { ping: () => Promise.resolve() } });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ status: 'ready', ledger: 'up', temporal: 'up' });
  });

  test('without its ledger it is not ready; without Temporal it is, as usage can be taken', async () => {
    const temporal = { ping: () => Promise.reject(new Error('away')) };
    const { get, ledger } = await startTestGateway({ temporal });
    const away = await get('/readyz');
    expect(away).toMatchObject({ status: 200, body: { temporal: 'down' } });
    ledger.before = (method) => {
      if (method === 'ping') throw new Error('down');
    };
    expect((await get('/readyz')).status).toBe(503);
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('keys', () => {
  test.each<[string, Record<string, string>]>([
    ['none', {}],
    ['another scheme', { authorization: 'Basic eDp5' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['an unknown one', { authorization: 'Bearer kv_other' }],
  ])('%s: 401 as a problem', async (_what, headers) => {
    const { gateway } = await startTestGateway();
    const response = await fetch(`${gateway.url}/v1/status`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  test('a key that was found is believed in for five seconds, a revoked one no longer', async () => {
    const { get, ledger, clock } = await startTestGateway();
    await get('/v1/agents');
    ledger.apiKeys.clear();
    clock.now += 4_999;
    expect((await get('/v1/agents')).status).toBe(200);
    expect(ledger.calls.filter((method) => method === 'apiKey')).toHaveLength(1);
    clock.now += 1;
    expect((await get('/v1/agents')).status).toBe(401);
  });

  test('a key that is made is at once known, where it was unknown before', async () => {
    const { get, ledger } = await startTestGateway();
    const kept = [...ledger.apiKeys];
    ledger.apiKeys.clear();
    expect((await get('/v1/agents')).status).toBe(401);
    for (const [hash, key] of kept) ledger.apiKeys.set(hash, key);
    expect((await get('/v1/agents')).status).toBe(200);
  });

  test('neither keys nor bodies are logged', async () => {
    const { ingest, post, get, lines, ledger } = await startTestGateway();
    await ingest(usageEvent({ prompt: 'canary-prompt', run_id: 'canary-run' }));
    await post('/v1/agents/a/stop', { reason: 'canary-reason' });
    ledger.before = (method) => {
      if (method === 'stopped') throw new Error('failed\nrow: canary-row');
    };
    expect((await get('/v1/agents')).status).toBe(503);
    expect(lines.filter(({ message }) => message === 'request')).toHaveLength(3);
    expect(lines[1]?.fields).toMatchObject({ method: 'POST', path: '/v1/ingest', accepted: 1 });
    expect(JSON.stringify(lines)).not.toMatch(/canary|kv_test/);
  });

  test('K3: a Stop that cannot be kept says whose fault it is, and what looks at it', async () => {
    const { post, ledger } = await startTestGateway();
    let fault = 'connect ECONNREFUSED 10.0.0.1:5432';
    ledger.before = (method) => {
      if (method === 'stop') throw new Error(fault);
    };
    const away = await post('/v1/agents/a/stop', { reason: 'x' });
    expect(away.status).toBe(503);
    expect(away.body['detail']).toMatch(
      /the database of the ledger does not answer\. Try again; `kavach doctor`/,
    );
    expect(JSON.stringify(away.body)).not.toContain('10.0.0.1');
    fault = 'a bug';
    const ours = await post('/v1/agents/a/stop', { reason: 'x' });
    expect(ours.body['detail']).toContain('right now: the service failed');
  });

  test('a request id is taken over where it is one', async () => {
    const { request } = await startTestGateway();
    const ask = (id: string) => request('GET', '/v1/agents', undefined, { 'x-request-id': id });
    expect((await ask('abc-12345')).headers.get('x-request-id')).toBe('abc-12345');
    expect((await ask('bad id"')).headers.get('x-request-id')).toMatch(/^id-/);
  });

  test('what is not there: 404 as a problem; there by another method: 405 with that one', async () => {
    const { get, post } = await startTestGateway();
    expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { status: 404 } });
    const wrong = await post('/v1/status', {});
    expect(wrong).toMatchObject({ status: 405, body: { title: 'Method not allowed' } });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
  });
});

describe('the first key', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'kavach-key-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return path;
  }
  const memory = () => {
    const keys = new Map<string, { org: string; name: string }>();
    return {
      keys,
      apiKey: (hash: string) => Promise.resolve(keys.get(hash)),
      putApiKey: (hash: string, key: { org: string; name: string }) => {
        keys.set(hash, key);
        return Promise.resolve();
      },
    };
  };

  test('is made once, kept for its owner alone, and known by its hash', async () => {
    const file = join(await folder(), 'nested', 'api-key');
    const ledger = memory();
    const first = await ensureFirstKey({ ledger, file, org: 'default' });
    expect(first.created).toBe(true);
    expect(isApiKey(first.key ?? '')).toBe(true);
    expect((await readFile(file, 'utf8')).trim()).toBe(first.key);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect([...ledger.keys]).toEqual([
      [hashApiKey(first.key ?? ''), { org: 'default', name: 'admin' }],
    ]);
    expect(await ensureFirstKey({ ledger, file, org: 'default' })).toEqual({ created: false });
    expect(ledger.keys.size).toBe(1);
  });

  test('a ledger that lost it learns it again from the file', async () => {
    const file = join(await folder(), 'api-key');
    const { key } = await ensureFirstKey({ ledger: memory(), file, org: 'default' });
    const restored = memory();
    expect(await ensureFirstKey({ ledger: restored, file, org: 'default' })).toEqual({
      created: false,
    });
    expect(restored.keys.has(hashApiKey(key ?? ''))).toBe(true);
  });

  test('a file with something else is not overwritten', async () => {
    const file = join(await folder(), 'api-key');
    await writeFile(file, 'something else');
    const ledger = memory();
    await expect(ensureFirstKey({ ledger, file, org: 'default' })).rejects.toThrow(file);
    expect(await readFile(file, 'utf8')).toBe('something else');
  });

  test('keys differ, and a wrong digit shows in the checksum', () => {
    const key = makeApiKey();
    expect(makeApiKey()).not.toBe(key);
    expect(key).toMatch(/^kv_[0-9a-f]{72}$/);
    expect(isApiKey(`kv_${key[3] === '0' ? '1' : '0'}${key.slice(4)}`)).toBe(false);
  });
});
