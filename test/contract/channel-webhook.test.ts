import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { webhookSecretFault } from '../../domain/webhook-secret.js';
import { legacySignature, signedHeaders } from '../../channels/webhook-signature.js';
import { createWebhookChannel } from '../../channels/webhook.js';
import type { SinkRequest } from '../../fakes/sink.js';
import { channelSuite, useRig, type ChannelUnderTest } from './channel-suite.js';
import { LOOPBACK_GUARD } from './loopback-guard.js';
import {
  firingView,
  killingView,
  lateView,
  noticeView,
  resolvedView,
  wordsView,
} from './channel-views.js';

const PLAIN_SECRET = 'canary-plain-secret-ü';
const OLD_SECRET = `whsec_${Buffer.from('canary-old-secret-of-24-bytes').toString('base64')}`;

const webhook: ChannelUnderTest = {
  name: 'webhook',
  path: '/webhook/canary-path',
  create: () => createWebhookChannel({ guard: LOOPBACK_GUARD }),
  destination: (url) => ({
    address: `${url}/webhook/canary-path?token=canary`,
    secrets: [PLAIN_SECRET, OLD_SECRET],
  }),
};

channelSuite(webhook);

const verifiers: readonly (readonly [string, Webhook])[] = [
  ['new', new Webhook(Buffer.from(PLAIN_SECRET, 'utf8'), { format: 'raw' })],
  ['old', new Webhook(OLD_SECRET)],
];

const only = (requests: readonly SinkRequest[]): SinkRequest => {
  expect(requests).toHaveLength(1);
  const [request] = requests;
  if (request === undefined) throw new Error('The sink saw no request.');
  return request;
};

const asHeaders = (request: SinkRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));

describe('signatures', () => {
  const rig = useRig(webhook);

  test.each(verifiers)(
    'a receiver with the %s secret verifies the request',
    async (_name, verifier) => {
      const { sink, attempt } = rig();
      // The verifier of the package has a clock of its own.
      await attempt({ now: Date.now(), key: 'the-key' });
      const request = only(sink.requests);
      expect(request.headers['webhook-id']).toBe('the-key');
      expect(verifier.verify(request.body, asHeaders(request))).toMatchObject({
        type: 'budget.threshold_crossed',
      });
      expect(() => verifier.verify(`${request.body} `, asHeaders(request))).toThrow();
    },
  );

  test('the older header holds one value, of the oldest secret that is still valid', async () => {
    const { sink, attempt } = rig();
    await attempt();
    const request = only(sink.requests);
    const expected = createHmac('sha256', OLD_SECRET).update(request.body).digest('hex');
    expect(request.headers['x-agentkavach-signature']).toBe(`sha256=${expected}`);
  });

  test.each([
    ['no secret', []],
    ['an empty secret', ['']],
  ])('with %s there are no signatures, but id and time stay', async (_name, secrets) => {
    const { sink, attempt } = rig();
    await attempt({ destination: { secrets }, key: 'k', now: 1_700_000_000_999 });
    const { headers } = only(sink.requests);
    expect(headers['webhook-id']).toBe('k');
    expect(headers['webhook-timestamp']).toBe('1700000000');
    expect(headers).not.toHaveProperty('webhook-signature');
    expect(headers).not.toHaveProperty('x-agentkavach-signature');
  });

  test('the time is of the attempt, the bytes are not', async () => {
    const { sink, attempt } = rig();
    await attempt({ key: 'again', now: 1_700_000_000_000 });
    await attempt({ key: 'again', now: 1_700_000_030_000 });
    expect(sink.requests.map(({ headers }) => headers['webhook-timestamp'])).toEqual([
      '1700000000',
      '1700000030',
    ]);
    expect(sink.requests[0]?.body).toBe(sink.requests[1]?.body);
    expect(sink.messages()).toHaveLength(1);
  });

  test('the published vectors', () => {
    const headers = signedHeaders({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      now: 1_614_265_330_000,
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(legacySignature('shh', '{"a":1}')).toBe(
      'sha256=dfb8cf3fc9778c70386e30f5e0776d37f9ee9c8756d3cbd7df0902150644358d',
    );
  });
});

describe('what an endpoint says', () => {
  const rig = useRig(webhook);

  test.each([200, 201, 202, 204, 299])('%i is acceptance, whatever its body', async (status) => {
    const { sink, attempt } = rig();
    sink.script('webhook', [{ type: 'status', status, body: status === 204 ? '' : 'canary' }]);
    expect(await attempt()).toEqual({ kind: 'accepted', reason: `HTTP ${status}`, status });
  });

  test('200 with junk, or with 10 MiB, is acceptance', async () => {
    const { sink, attempt } = rig();
    sink.script('webhook', [{ type: 'junk' }, { type: 'huge' }]);
    expect(await attempt()).toMatchObject({ kind: 'accepted' });
    expect(await attempt()).toMatchObject({ kind: 'accepted' });
  });
});

describe('what is sent to an endpoint', () => {
  const channel = createWebhookChannel();

  test.each([
    ['firing', firingView()],
    ['resolved', resolvedView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
  ])('the %s message', async (name, view) => {
    const pretty = `${JSON.stringify(JSON.parse(channel.render(view).body), undefined, 2)}\n`;
    await expect(pretty).toMatchFileSnapshot(`golden/webhook-${name}.json`);
  });

  test('names come as they are: the receiver escapes for where it puts them', () => {
    const agentName = '<!channel> & "bot"\r\n';
    const body = JSON.parse(channel.render(firingView({ agentName })).body) as { data: unknown };
    expect(body.data).toMatchObject({ agent_name: agentName });
  });
});

test('a whsec_ without a key behind it is no key that anybody can guess', () => {
  const of = (secret: string) =>
    signedHeaders({ id: 'kavach-1', now: 0, body: '{}', secrets: [secret] })['webhook-signature'];
  const withEmptyKey = createHmac('sha256', '').update('kavach-1.0.{}').digest('base64');
  expect(of('whsec_')).not.toContain(withEmptyKey);
  expect(of('whsec_not-base64!!')).not.toContain(withEmptyKey);
  expect(webhookSecretFault('whsec_')).toContain('base64');
  expect(webhookSecretFault(`whsec_${Buffer.alloc(24).toString('base64')}`)).toBeUndefined();
  expect(webhookSecretFault('any other text')).toBeUndefined();
});
