import { describe, expect, test } from 'vitest';
import { createEmailChannel } from '../../channels/email.js';
import { outcomeOfResendError } from '../../channels/email-errors.js';
import type { EmailContent } from '../../channels/email-message.js';
import type { OutcomeKind } from '../../domain/alert/outcome.js';
import { resendError } from '../../fakes/sink-providers.js';
import { channelSuite, useRig, type ChannelUnderTest } from './channel-suite.js';
import {
  firingView,
  HOSTILE_NAMES,
  killingView,
  lateView,
  noticeView,
  resolvedView,
  wordsView,
} from './channel-views.js';

const FROM = 'Kavach <alerts@kavach.example.com>';

const email: ChannelUnderTest = {
  name: 'email',
  path: '/resend/emails',
  create: (url) =>
    createEmailChannel({ apiKey: 're_canary_key', from: FROM, baseUrl: `${url}/resend` }),
  destination: () => ({ address: 'canary@customer.example.com' }),
  ownStatuses: [407, 421],
};

const parse = (body: string): EmailContent => JSON.parse(body) as EmailContent;

channelSuite(email);

describe('what Resend says', () => {
  const rig = useRig(email);

  test.each<[number, string, OutcomeKind]>([
    [429, 'rate_limit_exceeded', 'throttled'],
    [409, 'concurrent_idempotent_requests', 'throttled'],
    [429, 'daily_quota_exceeded', 'permanent_config'],
    [429, 'monthly_quota_exceeded', 'permanent_config'],
    [500, 'application_error', 'transient'],
    [500, 'internal_server_error', 'transient'],
    [409, 'invalid_idempotent_request', 'accepted'],
    [400, 'invalid_idempotency_key', 'permanent_config'],
    [422, 'validation_error', 'permanent_config'],
    [422, 'missing_required_field', 'permanent_config'],
    [422, 'invalid_parameter', 'permanent_config'],
    [422, 'invalid_from_address', 'permanent_config'],
    [422, 'invalid_attachment', 'permanent_config'],
    [422, 'invalid_access', 'permanent_config'],
    [422, 'invalid_region', 'permanent_config'],
    [401, 'missing_api_key', 'permanent_config'],
    [401, 'restricted_api_key', 'permanent_config'],
    [403, 'invalid_api_key', 'permanent_config'],
    [451, 'security_error', 'permanent_config'],
    [404, 'not_found', 'permanent_config'],
    [405, 'method_not_allowed', 'permanent_config'],
    [503, 'a_name_of_tomorrow', 'transient'],
    [422, 'a_name_of_tomorrow', 'permanent_config'],
  ])('%i %s is %s', async (status, name, kind) => {
    const { sink, attempt } = rig();
    const said = 'No: re_canary_key, canary@customer.example.com, https://canary.example.com/x';
    const { body } = resendError(status, name, said);
    sink.script('email', [{ type: 'status', status, body }]);
    expect(await attempt()).toMatchObject({ kind, status });
  });

  test('a refusal that names the recipient is about the recipient', async () => {
    const { sink, attempt } = rig();
    expect(await attempt({ destination: { address: 'nobody' } })).toMatchObject({
      kind: 'permanent_recipient',
      reason: 'HTTP 422 validation_error: Invalid `to` field',
    });
    expect(sink.messages()).toHaveLength(0);
  });

  test("a proxy's JSON, whose status the package loses, is transient", async () => {
    const { sink, attempt } = rig();
    sink.script('email', [{ type: 'status', status: 502, body: '{"error":"canary upstream"}' }]);
    expect(await attempt()).toMatchObject({ kind: 'transient' });
  });

  test('an error without a status goes by its name, with a null one it is ambiguous', () => {
    const context = { retryAfter: undefined, now: 0, secrets: [] };
    expect(outcomeOfResendError({ name: 'rate_limit_exceeded' }, context).kind).toBe('throttled');
    const unread = { name: 'application_error', statusCode: null };
    expect(outcomeOfResendError(unread, context).kind).toBe('ambiguous');
    expect(outcomeOfResendError({ name: 'toString' }, context).kind).toBe('transient');
  });

  test.each(['<html>canary</html>', '{}', '[]', 'null', '"canary"', '{"id":7}', '{"id":""}'])(
    '200 with %s is ambiguous',
    async (body) => {
      const { sink, attempt } = rig();
      sink.script('email', [{ type: 'junk', body }]);
      expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
    },
  );

  test('200 with 10 MiB is ambiguous', async () => {
    const { sink, attempt } = rig();
    sink.script('email', [{ type: 'huge' }]);
    expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
  });
});

describe('keys', () => {
  const rig = useRig(email);

  test("a lost answer: the repeat is given the first one's id, and one mail was sent", async () => {
    const { sink, attempt } = rig();
    sink.script('email', [{ type: 'reset', at: 'answer' }]);
    expect(await attempt({ key: 'once' })).toMatchObject({ kind: 'ambiguous' });
    const again = await attempt({ key: 'once' });
    expect(again).toMatchObject({ kind: 'accepted' });
    expect((await attempt({ key: 'once' })).providerId).toBe(again.providerId);
    expect(sink.messages()).toHaveLength(1);
  });

  test('the same key with other bytes is presumed sent, and never sent under a new key', async () => {
    const { sink, attempt } = rig();
    await attempt({ key: 'twice' });
    const { body } = email.create(sink.url).render(resolvedView());
    expect(await attempt({ key: 'twice', body })).toMatchObject({ kind: 'accepted', status: 409 });
    expect(sink.messages()).toHaveLength(1);
  });

  test('421 is asked again by `fetch` itself, once and under the same key', async () => {
    const { sink, attempt } = rig();
    const misdirected = { type: 'status', status: 421, body: 'canary' } as const;
    sink.script('email', [misdirected, misdirected]);
    expect(await attempt()).toMatchObject({ kind: 'permanent_config', status: 421 });
    expect(sink.requests).toHaveLength(2);
    expect(new Set(sink.requests.map(({ key }) => key)).size).toBe(1);
  });

  test('407 is no answer to `fetch`, and so ambiguous', async () => {
    const { sink, attempt } = rig();
    sink.script('email', [{ type: 'status', status: 407, body: 'canary' }]);
    expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
  });

  test("the destination's own API key wins, and never shows", async () => {
    const { sink, attempt } = rig();
    await attempt({ destination: { secrets: ['re_canary_customer'] } });
    await attempt();
    expect(sink.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer re_canary_customer',
      'Bearer re_canary_key',
    ]);
  });

  test.each(['canary\nkey', 'canary-ключ'])(
    'an API key that no header may hold: %j',
    async (key) => {
      expect(await rig().attempt({ destination: { secrets: [key] } })).toMatchObject({
        kind: 'permanent_config',
      });
    },
  );

  test('without any API key nothing is sent', async () => {
    const { sink } = rig();
    const channel = createEmailChannel({ from: FROM, baseUrl: `${sink.url}/resend` });
    const outcome = await channel.deliver({
      message: channel.render(firingView()),
      destination: { address: 'canary@customer.example.com' },
      idempotencyKey: 'k',
      now: 0,
      timeoutMs: 1_000,
    });
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect(sink.requests).toHaveLength(0);
  });

  test.each(['not json', '{}', 'null', '{"subject":1,"html":"","text":""}'])(
    'a stored message that is no email is permanent: %s',
    async (body) => {
      expect(await rig().attempt({ body })).toMatchObject({ kind: 'permanent_config' });
    },
  );
});

describe('what is mailed', () => {
  const rig = useRig(email);
  const channel = createEmailChannel({ from: FROM });

  test.each([
    ['firing', firingView()],
    ['resolved', resolvedView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
  ])('the %s message', async (name, view) => {
    const { subject, html, text } = parse(channel.render(view).body);
    const whole = `Subject: ${subject}\n\n${text}\n--- html ---\n${html}`;
    await expect(whole).toMatchFileSnapshot(`golden/email-${name}.txt`);
  });

  test('addresses are added when it is sent', async () => {
    const { sink, attempt } = rig();
    await attempt({ key: 'k' });
    const sent = JSON.parse(sink.requests[0]?.body ?? '') as unknown;
    expect(sent).toMatchObject({ from: FROM, to: 'canary@customer.example.com' });
    const { subject, html, text } = parse(channel.render(firingView()).body);
    expect(sent).toMatchObject({ subject, html, text });
    // The date is for SMTP; Resend writes its own.
    expect(sent).not.toHaveProperty('date');
    expect(sink.requests[0]?.key).toBe('k');
  });

  test.each(HOSTILE_NAMES)('a name that is %s stays text', (_name, agentName) => {
    const { subject, html } = parse(channel.render(firingView({ agentName })).body);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(subject.length).toBeLessThanOrEqual(400);
    expect(html).not.toMatch(/<(?!\/?(?:html|body|h1|table|tr|td|p|a)\b|!doctype)/);
  });
});
