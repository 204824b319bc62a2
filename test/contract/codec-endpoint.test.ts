/** /codec as Temporal's command line and Web UI ask it. */
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { payloadCodecOf } from '../../cli/payload-codec.js';
import { createSealKey } from '../../ledger/seal.js';
import { hashApiKey } from '../../gateway/auth.js';
import { KEY, startTestGateway, testKey } from './gateway-kit.js';

const UI = 'https://temporal.example';
const endpoint = () =>
  payloadCodecOf({ codec: { keys: createSealKey('k1'), origins: [UI] } }).endpoint;

interface WirePayload {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

const wire = (value: unknown): WirePayload => {
  const { metadata, data } = defaultPayloadConverter.toPayload(value);
  const base64 = (bytes: Uint8Array | null | undefined): string =>
    Buffer.from(bytes ?? []).toString('base64');
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64(bytes)]),
    ),
    data: base64(data),
  };
};

describe('the codec endpoint', () => {
  test('what it encodes it decodes, in order and whole', async () => {
    const { post } = await startTestGateway(endpoint());
    const payloads = [wire({ canary: 1 }), wire('two'), wire(null)];
    const encoded = await post('/codec/encode', { payloads });
    expect(encoded.status).toBe(200);
    expect(JSON.stringify(encoded.body)).not.toContain(payloads[0]?.data);
    const sealed = encoded.body['payloads'] as WirePayload[];
    expect(sealed.map(({ metadata }) => atob(metadata['encoding'] ?? ''))).toEqual(
      Array(3).fill('binary/encrypted'),
    );
    const decoded = await post('/codec/decode', { payloads: sealed });
    expect(decoded.body).toEqual({ payloads });
    expect((await post('/codec/decode', { payloads: [] })).body).toEqual({ payloads: [] });
  });

  test('asks for a key, and for an admin one', async () => {
    const { gateway, ledger } = await startTestGateway(endpoint());
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ scopes: ['operate', 'read'] }));
    const ask = (headers: Record<string, string>) =>
      fetch(`${gateway.url}/codec/decode`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: UI, ...headers },
        body: '{"payloads":[]}',
      });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: 'Bearer wrong' })).status).toBe(401);
    const refused = await ask({ authorization: `Bearer ${KEY}` });
    expect(refused.status).toBe(403);
    // The page that asked may read why.
    expect(refused.headers.get('access-control-allow-origin')).toBe(UI);
  });

  test('answers the preflight of its own Web UI, and of no other page', async () => {
    const { gateway } = await startTestGateway(endpoint());
    const preflight = (origin: string) =>
      fetch(`${gateway.url}/codec/decode`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,x-namespace',
        },
      });
    const ours = await preflight(UI);
    expect(ours.status).toBe(204);
    expect(ours.headers.get('access-control-allow-origin')).toBe(UI);
    expect(ours.headers.get('access-control-allow-headers')).toMatch(/authorization.*x-namespace/);
    const foreign = await preflight('https://evil.example');
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each([
    ['no payloads', {}, 'payloads'],
    ['no base64', { payloads: [{ data: 'ü' }] }, 'payloads[0].data'],
    ['metadata that is none', { payloads: [{ metadata: { a: 1 } }] }, 'payloads[0].metadata.a'],
  ])('%s is a fault with its path', async (_name, body, path) => {
    const { post } = await startTestGateway(endpoint());
    const answer = await post('/codec/decode', body);
    expect([answer.status, answer.body['path']]).toEqual([422, path]);
  });

  test('what was sealed with another key is told as such, without its content', async () => {
    const { post } = await startTestGateway(endpoint());
    const other = await startTestGateway(endpoint());
    const { body } = await other.post('/codec/encode', { payloads: [wire('canary')] });
    const answer = await post('/codec/decode', body);
    expect(answer.status).toBe(422);
    expect(answer.body['detail']).toMatch(/does not open with codec key "k1"/);
  });

  test('is not there without a codec', async () => {
    const { post } = await startTestGateway();
    expect((await post('/codec/decode', { payloads: [] })).status).toBe(404);
  });
});
