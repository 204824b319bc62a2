/** POST /v1/test-send: what may be asked, and that no answer and no log repeats an address. */
import { describe, expect, test } from 'vitest';
import type { TestSendAnswer, TestSendRequest } from '../../gateway/test-send.js';
import { hashApiKey } from '../../gateway/auth.js';
import { KEY, startTestGateway, testKey } from './gateway-kit.js';

const TARGET = 'https://hooks.test/services/canary';

async function startSending(
  answer: TestSendAnswer = { type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } },
) {
  const asked: TestSendRequest[] = [];
  const testSend = (request: TestSendRequest) => {
    asked.push(request);
    return Promise.resolve(answer);
  };
  return { ...(await startTestGateway({ testSend })), asked };
}

describe('a test message', () => {
  test.each<[object, TestSendRequest['to']]>([
    [{}, undefined],
    [{ target: ` ${TARGET} ` }, { address: TARGET }],
    [
      { target: TARGET, secret: 's3' },
      { address: TARGET, secrets: ['s3'] },
    ],
    [{ destination: 'ref-1' }, { reference: 'ref-1' }],
  ])('%j', async (more, to) => {
    const { post, asked, lines } = await startSending();
    const answer = await post('/v1/test-send', { channel: 'slack', ...more });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ channel: 'slack', outcome: { kind: 'accepted', reason: 'ok' } });
    const expected = { org: 'default', channel: 'slack' };
    expect(asked).toEqual([to === undefined ? expected : { ...expected, to }]);
    expect(JSON.stringify([answer.body, lines])).not.toMatch(/canary|s3/);
  });

  test('what the provider said is told, and nothing else of what came back', async () => {
    const outcome = { kind: 'throttled', reason: 'HTTP 429', providerId: 'canary' } as const;
    const { post } = await startSending({ type: 'sent', outcome });
    const { body } = await post('/v1/test-send', { channel: 'slack' });
    expect(body['outcome']).toEqual({ kind: 'throttled', reason: 'HTTP 429' });
  });

  test.each<[TestSendAnswer, string]>([
    [{ type: 'suppressed', reason: 'no_destination' }, 'no destination for this channel'],
    [{ type: 'suppressed', reason: 'unverified' }, 'nobody has confirmed this address'],
    [{ type: 'unsupported_channel' }, 'does not send slack'],
  ])('%j: 422 with what to do', async (held, words) => {
    const { post } = await startSending(held);
    const answer = await post('/v1/test-send', { channel: 'slack', target: TARGET });
    expect(answer.status).toBe(422);
    expect(answer.body['detail']).toContain(words);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
  });

  test.each<[object, string]>([
    [{}, 'channel'],
    [{ channel: 'kill' }, 'channel'],
    [{ channel: 'pigeon' }, 'channel'],
    [{ channel: 'slack', target: 'not a canary url' }, 'target'],
    [{ channel: 'email', target: 'canary, b@c.example' }, 'target'],
    [{ channel: 'slack', target: ' ' }, 'target'],
    [{ channel: 'slack', secret: 'canary' }, 'target'],
    [{ channel: 'slack', target: TARGET, destination: 'ref' }, 'target'],
  ])('%j: 422, nothing is sent, nothing is repeated', async (body, path) => {
    const { post, asked } = await startSending();
    const answer = await post('/v1/test-send', body);
    expect(answer).toMatchObject({ status: 422, body: { path } });
    expect(asked).toEqual([]);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
  });

  test('takes an admin key, as it makes our senders write to anybody', async () => {
    const { post, ledger } = await startTestGateway();
    ledger.apiKeys.set(hashApiKey(KEY), testKey({ scopes: ['operate', 'sync'] }));
    expect((await post('/v1/test-send', { channel: 'slack' })).status).toBe(403);
  });

  test('a gateway without channels says so', async () => {
    const { post } = await startTestGateway();
    expect((await post('/v1/test-send', { channel: 'slack' })).status).toBe(422);
  });
});
