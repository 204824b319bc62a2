/** Spec §8 over real HTTP: every edge answers with the path of the fault, and costs no good event. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestGateway, usageEvent } from './gateway-kit.js';

const MIB = 1024 * 1024;

describe('one bad event never costs the good ones', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a negative cost', { cost: -1 }, 'cost'],
    ['a cost of 1e308', { cost: 1e308 }, 'cost'],
    ['a string for a cost', { cost: '0.5' }, 'cost'],
    ['the string NaN for a cost', { cost: 'NaN' }, 'cost'],
    ['a cost past 9,007,199 USD', { cost: 9_007_200 }, 'cost'],
    ['negative tokens', { input_tokens: -1 }, 'input_tokens'],
    ['half a token', { output_tokens: 0.5 }, 'output_tokens'],
    ['a string for tokens', { input_tokens: '100' }, 'input_tokens'],
    ['1e308 tokens', { output_tokens: 1e308 }, 'output_tokens'],
    ['tokens past 2^53 together', { input_tokens: 2 ** 53 - 1, output_tokens: 1 }, 'output_tokens'],
    ['a boolean for tokens', { input_tokens: true }, 'input_tokens'],
    ['a negative duration', { duration_ms: -5 }, 'duration_ms'],
    ['no agent', { agent_name: undefined }, 'agent_name'],
    ['an empty agent', { agent_name: '  ' }, 'agent_name'],
    ['a number for an agent', { agent_name: 7 }, 'agent_name'],
    ['an agent of 10,000 characters', { agent_name: 'a'.repeat(10_000) }, 'agent_name'],
    ['a lone surrogate in the agent', { agent_name: 'bot\ud800' }, 'agent_name'],
    ['NUL in the run', { run_id: 'a\u0000b' }, 'run_id'],
    ['a lone surrogate in the key', { idempotency_key: '\udc00' }, 'idempotency_key'],
    ['an object for a key', { idempotency_key: {} }, 'idempotency_key'],
    ['a word for a time', { timestamp: 'yesterday' }, 'timestamp'],
    ['a number for a time', { timestamp: 1_700_000_000 }, 'timestamp'],
    ['the 45th of May', { timestamp: '2026-05-45T00:00:00Z' }, 'timestamp'],
    ['the 30th of February', { timestamp: '2026-02-30T00:00:00Z' }, 'timestamp'],
    ['the 29th of February in 2026', { timestamp: '2026-02-29 10:00:00+0100' }, 'timestamp'],
    ['the 31st of April', { timestamp: '2026-04-31T10:00:00' }, 'timestamp'],
  ])('%s', async (_what, over, field) => {
    const { ingest, ledger, get } = await startTestGateway();
    const answer = await ingest(usageEvent(), usageEvent(over), usageEvent());
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      accepted: 2,
      rejected: [{ index: 1, path: `events[1].${field}` }],
      rejected_count: 1,
    });
    expect(ledger.events.size).toBe(2);
    const { body } = await get('/v1/quarantine');
    expect(body['events']).toMatchObject([{ path: `events[1].${field}` }]);
  });

  test.each([null, 7, 'text', [], [[]], true])('%j is no event', async (bad) => {
    const { ingest } = await startTestGateway();
    const answer = await ingest(bad, usageEvent());
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ path: 'events[0]' }] });
  });

  test.each([
    ['Python writes NaN bare', 'NaN'],
    ['Python writes Infinity bare', '-Infinity'],
    ['a number beyond doubles', '1e999'],
  ])('%s', async (_what, literal) => {
    const { request, ledger } = await startTestGateway();
    const good = JSON.stringify(usageEvent({ idempotency_key: 'NaN "x" Infinity' }));
    const bad = JSON.stringify(usageEvent({ cost: 12345 })).replace('12345', literal);
    const answer = await request('POST', '/v1/ingest', `{"events":[${good},${bad}]}`);
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ path: 'events[1].cost' }] });
    expect([...ledger.events.keys()]).toEqual(['NaN "x" Infinity']);
  });

  test.each(['cost', 'input_tokens', 'duration_ms'])(
    'a bare NaN for %s is called so, not a string',
    async (field) => {
      const { request } = await startTestGateway();
      const bad = JSON.stringify(usageEvent({ [field]: 12345 })).replace('12345', 'NaN');
      const { body } = await request('POST', '/v1/ingest', `{"events":[${bad}]}`);
      const message = 'expected a number, got NaN';
      expect(body['rejected']).toEqual([{ index: 0, path: `events[0].${field}`, message }]);
    },
  );

  test('-0 is 0, and text that only describes is cleaned', async () => {
    const { request, ledger } = await startTestGateway();
    const text = JSON.stringify(
      usageEvent({
        idempotency_key: 'a',
        model: 'm\ud800\u0000',
        provider: 7,
        status: 'x'.repeat(999),
      }),
    ).replace(/"(cost|input_tokens|output_tokens|duration_ms)":[\d.]+/g, '"$1":-0');
    await request('POST', '/v1/ingest', `{"events":[${text}]}`);
    const event = ledger.events.get('a');
    expect(event).toMatchObject({ model: 'm\ufffd\ufffd', provider: 'unknown' });
    expect(event?.status).toHaveLength(200);
    for (const value of [event?.costUsed, event?.inputTokens, event?.outputTokens]) {
      expect(Object.is(value, 0)).toBe(true);
    }
  });

  test('prototype keys are names like any other', async () => {
    const { request, ledger } = await startTestGateway();
    const text = JSON.stringify(usageEvent({ agent_name: '__proto__', run_id: 'constructor' }));
    const nested = '{"__proto__":{"agent_name":"sneaky","cost":1},"constructor":{"prototype":{}}}';
    const answer = await request('POST', '/v1/ingest', `{"events":[${text},${nested}]}`);
    expect(answer.body).toMatchObject({
      accepted: 1,
      rejected: [{ path: 'events[1].agent_name' }],
    });
    expect([...ledger.rows.keys()]).toEqual(['default/agent:__proto__/run/constructor']);
    expect(({} as Record<string, unknown>)['agent_name']).toBeUndefined();
  });

  test('100,000 bad events: the first hundred are told and kept, all are counted', async () => {
    const { request, ledger } = await startTestGateway();
    const body = `{"events":[${'{},'.repeat(100_000)}${JSON.stringify(usageEvent())}]}`;
    const answer = await request('POST', '/v1/ingest', body);
    expect(answer.body).toMatchObject({ accepted: 1, rejected_count: 100_000 });
    expect(answer.body['rejected']).toHaveLength(100);
    expect(ledger.bad).toHaveLength(100);
  });

  test('the quarantine keeps at most 4 KiB, no prompt, and no broken text', async () => {
    const { ingest, request, ledger } = await startTestGateway();
    await ingest({ agent_name: '\ud83d\ude00'.repeat(9_000), prompt: 'secret' });
    await ingest({ agent_name: '\ud800', model: 'a\u0000b', prompt: 'secret' });
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const answer = await request('POST', '/v1/ingest', `{"events":[{"agent_name":${deep}}]}`);
    expect(answer.status).toBe(202);
    expect(ledger.bad).toHaveLength(3);
    for (const { raw } of ledger.bad) {
      expect(Buffer.byteLength(raw)).toBeLessThanOrEqual(4_096);
      expect(raw).not.toContain('secret');
      expect(raw).not.toMatch(/\0|\p{Surrogate}|\ufffd/u);
    }
  });
});

describe('bodies', () => {
  test.each([
    ['broken JSON', '{"events":['],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['an array', '[]'],
    ['events that are no array', '{"events":{}}'],
  ])('%s: 400 with a path', async (_what, text) => {
    const { request } = await startTestGateway();
    const answer = await request('POST', '/v1/ingest', text);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ type: 'about:blank', status: 400 });
    expect(typeof answer.body['path']).toBe('string');
    expect(typeof answer.body['detail']).toBe('string');
  });

  test.each([
    ['no gzip', Buffer.from('{"events":[]}')],
    ['half a gzip', gzipSync('{"events":[]}'.repeat(100)).subarray(0, 20)],
  ])('%s under Content-Encoding gzip: 400', async (_what, bytes) => {
    const { request } = await startTestGateway();
    const answer = await request('POST', '/v1/ingest', new Uint8Array(bytes), {
      'content-encoding': 'gzip',
    });
    expect(answer.status).toBe(400);
  });

  test('another encoding: 415', async () => {
    const { request } = await startTestGateway();
    const answer = await request('POST', '/v1/ingest', '{}', { 'content-encoding': 'br' });
    expect(answer.status).toBe(415);
  });

  test('12.6 MB of prompts are taken: 512 events with 2,048 emoji each', async () => {
    const { ingestPacked } = await startTestGateway();
    const prompt = '\\ud83d\\ude00'.repeat(2_048);
    const events = Array.from({ length: 512 }, () =>
      JSON.stringify(usageEvent({ prompt: '@' })).replace('@', prompt),
    );
    const body = `{"events":[${events.join(',')}]}`;
    expect(body.length).toBeGreaterThan(12.5e6);
    expect((await ingestPacked(body)).body['accepted']).toBe(512);
  });

  test('exactly 16 MiB is taken, one byte more is 413', async () => {
    const { ingestPacked } = await startTestGateway();
    const full = `{"events":[]${' '.repeat(16 * MIB - 13)}}`;
    expect((await ingestPacked(full)).status).toBe(202);
    expect((await ingestPacked(`${full} `)).status).toBe(413);
  });

  test('a gzip bomb of 1 GiB is stopped early', async () => {
    const { ingestPacked } = await startTestGateway();
    // Ten members of 100 MiB: small to send, and each of them past the limit.
    const member = gzipSync(Buffer.alloc(100 * MIB));
    const { request } = await startTestGateway();
    const before = process.memoryUsage().rss;
    const bomb = new Uint8Array(Buffer.concat(Array.from({ length: 10 }, () => member)));
    const answer = await request('POST', '/v1/ingest', bomb, { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MIB);
    expect((await ingestPacked('{"events":[]}')).status).toBe(202);
  });

  test('an unpacked body over the limit is 413, with and without a length', async () => {
    const { gateway, request } = await startTestGateway({ policy: { ingestLimit: 1_000 } });
    expect((await request('POST', '/v1/ingest', ' '.repeat(1_001))).status).toBe(413);
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(600));
      },
    });
    const headers = { authorization: 'Bearer kv_test' };
    const init = { method: 'POST', headers, body: stream, duplex: 'half' } as RequestInit;
    expect((await fetch(`${gateway.url}/v1/ingest`, init)).status).toBe(413);
  });

  test('a client that sends 20 MiB before it reads gets the 413, not a broken pipe', async () => {
    const { gateway } = await startTestGateway();
    const socket = connect(gateway.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const head =
      'POST /v1/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer kv_test\r\n' +
      `Content-Length: ${String(20 * MIB)}\r\n\r\n`;
    // As Python's http.client: nothing is read until all is sent.
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(head);
      socket.write(Buffer.alloc(20 * MIB), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each<[string, string]>([
    ['/v1/sync-config', '{"agent_name":'],
    ['/v1/runs/r1', '['],
    ['/v1/agents/a/stop', 'x'],
  ])('%s: broken JSON is 400 too', async (path, text) => {
    const { request } = await startTestGateway();
    expect((await request('POST', path, text)).status).toBe(400);
  });
});
