import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { twilioError } from '../../channels/sms-errors.js';
import { codeOf, renderSms } from '../../channels/sms-message.js';
import { measureSms } from '../../channels/sms-segments.js';
import { createSmsChannel, type SmsOptions } from '../../channels/sms.js';
import type { OutcomeKind } from '../../domain/alert/outcome.js';
import { twilioRefusal } from '../../fakes/twilio.js';
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

const NUMBER = '+15550042424';
const ACCOUNT: SmsOptions = {
  accountSid: 'ACcanary0000',
  authToken: 'canary-token',
  from: '+15550061616',
};

const sms: ChannelUnderTest = {
  name: 'sms',
  path: '/twilio/2010-04-01/Accounts/ACcanary0000/Messages.json',
  create: (url) => createSmsChannel({ ...ACCOUNT, baseUrl: `${url}/twilio` }),
  destination: () => ({ address: NUMBER }),
};

channelSuite(sms);

const formOf = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body));

describe('what Twilio says', () => {
  const rig = useRig(sms);

  test.each<[number, OutcomeKind]>([
    [21211, 'permanent_recipient'],
    [21610, 'permanent_recipient'],
    [21612, 'permanent_recipient'],
    [21614, 'permanent_recipient'],
    [21635, 'permanent_recipient'],
    [30004, 'permanent_recipient'],
    [30005, 'permanent_recipient'],
    [30006, 'permanent_recipient'],
    [20003, 'permanent_config'],
    [21212, 'permanent_config'],
    [21408, 'permanent_config'],
    [21606, 'permanent_config'],
    [21608, 'permanent_config'],
    [30002, 'permanent_config'],
    [30007, 'permanent_config'],
    [20429, 'throttled'],
    [21611, 'throttled'],
    [30001, 'throttled'],
    [14107, 'throttled'],
    [30003, 'transient'],
    [30008, 'transient'],
    [30410, 'transient'],
    [12345, 'permanent_config'],
  ])('400 with code %i is %s', async (code, kind) => {
    const { sink, attempt } = rig();
    const { body } = twilioRefusal(400, code, `No: ${NUMBER}, canary-token, ACcanary0000`);
    sink.script('sms', [{ type: 'status', status: 400, body }]);
    const outcome = await attempt();
    expect(outcome).toMatchObject({ kind, status: 400 });
    expect(outcome.reason).toContain(String(code));
  });

  test('a status that passes is believed before any code', async () => {
    const { sink, attempt } = rig();
    const { body } = twilioRefusal(503, 21211, 'canary');
    sink.script('sms', [{ type: 'status', status: 503, body }]);
    expect(await attempt()).toMatchObject({ kind: 'transient' });
  });

  test("the code of an error in Twilio's newer form (RFC 9457) counts too", async () => {
    const { sink, attempt } = rig();
    const problem = { type: 'about:blank', title: 'canary', status: 400, code: 21610 };
    sink.script('sms', [{ type: 'status', status: 400, body: JSON.stringify(problem) }]);
    expect(await attempt()).toMatchObject({ kind: 'permanent_recipient' });
  });

  test.each(['<html>canary</html>', '{}', '[]', 'null', '"canary"', '{"sid":7}', '{"sid":""}'])(
    '200 with %s is ambiguous',
    async (body) => {
      const { sink, attempt } = rig();
      sink.script('sms', [{ type: 'junk', body }]);
      expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
    },
  );

  test('a message that failed at once is no acceptance', async () => {
    const { sink, attempt } = rig();
    const body = JSON.stringify({ sid: 'SM1', status: 'failed', error_code: 30007 });
    sink.script('sms', [{ type: 'status', status: 201, body }]);
    expect(await attempt()).toMatchObject({ kind: 'permanent_config' });
  });

  test.each(['', '15550042424', '+1', '+0123456789', '+1555004242x', `${NUMBER},+15550099999`])(
    'an address that is no number is about the recipient: %j',
    async (address) => {
      const { sink, attempt } = rig();
      expect(await attempt({ destination: { address } })).toMatchObject({
        kind: 'permanent_recipient',
      });
      expect(sink.requests).toHaveLength(0);
    },
  );

  test.each<[string, Partial<SmsOptions>]>([
    ['an account SID that is none', { accountSid: 'canary' }],
    ['an API key where an account SID belongs', { accountSid: 'SKcanary' }],
    ['a base URL that is none', { baseUrl: 'canary' }],
  ])('%s is for the operator', async (_name, options) => {
    const channel = createSmsChannel({ ...ACCOUNT, ...options });
    const outcome = await channel.deliver({
      message: channel.render(firingView()),
      destination: { address: NUMBER },
      idempotencyKey: 'k',
      now: 0,
      timeoutMs: 1_000,
    });
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect(JSON.stringify(outcome)).not.toContain('canary');
  });

  test('without a sender nothing is sent', async () => {
    const { sink } = rig();
    const { accountSid, authToken } = ACCOUNT;
    const channel = createSmsChannel({ accountSid, authToken, baseUrl: `${sink.url}/twilio` });
    const message = channel.render(firingView());
    const rest = { idempotencyKey: 'k', now: 0, timeoutMs: 5_000 };
    const outcome = await channel.deliver({ message, destination: { address: NUMBER }, ...rest });
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect(sink.requests).toHaveLength(0);
  });
});

describe('the address for what Twilio says later', () => {
  const rig = useRig(sms);
  const deliver = (url: string, statusCallback?: string) => {
    const channel = createSmsChannel({
      ...{ ...ACCOUNT, baseUrl: `${url}/twilio` },
      ...(statusCallback === undefined ? {} : { statusCallback }),
    });
    const message = channel.render(firingView());
    const rest = { idempotencyKey: 'k', now: 0, timeoutMs: 5_000 };
    return channel.deliver({ message, destination: { address: NUMBER }, ...rest });
  };
  const CALLBACK = 'https://kavach.example/callbacks/twilio';

  test('is part of the message where there is one, and only there', async () => {
    const { sink } = rig();
    await deliver(sink.url, CALLBACK);
    await deliver(sink.url);
    const [told, plain] = sink.requests.map(({ body }) => formOf(body));
    expect(told).toEqual({ ...plain, StatusCallback: CALLBACK });
    expect(plain).not.toHaveProperty('StatusCallback');
  });

  test('where Twilio refuses it, the message goes without it, at once', async () => {
    const { sink } = rig();
    const { body } = twilioRefusal(400, 21609, 'Invalid StatusCallback');
    sink.script('sms', [{ type: 'status', status: 400, body }]);
    expect(await deliver(sink.url, CALLBACK)).toMatchObject({ kind: 'accepted' });
    expect(sink.requests.map((each) => 'StatusCallback' in formOf(each.body))).toEqual([
      true,
      false,
    ]);
    expect(sink.messages()).toHaveLength(1);
  });

  test('no other refusal is answered by a second message', async () => {
    const { sink } = rig();
    const { body } = twilioRefusal(400, 21610, 'opted out');
    sink.script('sms', [{ type: 'status', status: 400, body }]);
    expect(await deliver(sink.url, CALLBACK)).toMatchObject({ kind: 'permanent_recipient' });
    sink.script('sms', [{ type: 'reset', at: 'answer' }]);
    expect(await deliver(sink.url, CALLBACK)).toMatchObject({ kind: 'ambiguous' });
    expect(sink.requests).toHaveLength(2);
  });
});

describe('A4. an SMS that may have been sent is looked for first', () => {
  const rig = useRig(sms);
  let number = 0;
  /** The fake forgets no message, so every test has a number of its own. */
  const nextAddress = () => ({ address: `+1555100${String((number += 1)).padStart(4, '0')}` });
  const since = () => Date.now() - 60_000;

  test('found, it is accepted under the sid it has, and not sent again', async () => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    sink.script('sms', [{ type: 'reset', at: 'answer' }]);
    expect(await attempt({ destination })).toMatchObject({ kind: 'ambiguous' });
    const again = await attempt({ destination, repeatsSince: since() });
    expect(again).toMatchObject({ kind: 'accepted', providerId: expect.stringMatching(/^SM0+\d/) });
    expect(sink.messages()).toHaveLength(1);
    expect(sink.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(formOf(sink.requests[1]?.search)).toMatchObject({
      To: destination.address,
      'DateSent>': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test('not found, it is sent, in the same attempt', async () => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    sink.script('sms', [{ type: 'reset', at: 'request' }]);
    expect(await attempt({ destination })).toMatchObject({ kind: 'ambiguous' });
    expect(await attempt({ destination, repeatsSince: since() })).toMatchObject({
      kind: 'accepted',
    });
    expect(sink.messages()).toHaveLength(1);
  });

  test.each([
    ['of another alert', renderSms({ ...firingView(), code: 'ZZZZZZ' })],
    ['that says it is over', renderSms(resolvedView())],
  ])('a message %s is another message', async (_name, body) => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    await attempt({ destination, body });
    await attempt({ destination, repeatsSince: since() });
    expect(sink.messages()).toHaveLength(2);
  });

  test('one to another number, or from before, is none of it', async () => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    await attempt({ destination: nextAddress() });
    await attempt({ destination });
    await attempt({ destination, repeatsSince: Date.now() + 60_000 });
    expect(sink.messages()).toHaveLength(3);
  });

  test.each<[string, number | undefined, OutcomeKind, number]>([
    ['failed', 30003, 'accepted', 2],
    ['undelivered', undefined, 'accepted', 2],
    ['undelivered', 30005, 'permanent_recipient', 1],
    ['failed', 30007, 'permanent_config', 1],
    ['delivered', undefined, 'accepted', 1],
  ])('found as %s, code %s: %s after %i messages', async (status, code, kind, count) => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    await attempt({ destination });
    sink.settleSms(status, code);
    expect(await attempt({ destination, repeatsSince: since() })).toMatchObject({ kind });
    expect(sink.messages()).toHaveLength(count);
  });

  test('behind the sentence of a trial account it is found too', async () => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    const body = `Sent from your Twilio trial account - ${renderSms(firingView())}`;
    await attempt({ destination, body });
    await attempt({ destination, repeatsSince: since() });
    expect(sink.messages()).toHaveLength(1);
  });

  test.each<[string, Parameters<ReturnType<typeof rig>['sink']['script']>[1][0], OutcomeKind]>([
    ['401', { type: 'status', status: 401 }, 'permanent_config'],
    ['429', { type: 'status', status: 429, headers: { 'retry-after': '7' } }, 'throttled'],
    ['503', { type: 'status', status: 503 }, 'transient'],
    ['junk', { type: 'junk' }, 'transient'],
    ['10 MiB', { type: 'huge' }, 'transient'],
    ['a cut connection', { type: 'reset', at: 'answer' }, 'transient'],
    ['silence', { type: 'hang', at: 'headers' }, 'transient'],
  ])('a look that ends in %s sends nothing blindly: %s', async (_name, behaviour, kind) => {
    const { sink, attempt } = rig();
    const destination = nextAddress();
    sink.script('sms', [behaviour]);
    const outcome = await attempt({ destination, repeatsSince: since(), timeoutMs: 400 });
    expect(outcome).toMatchObject({ kind });
    expect(outcome.reason).toMatch(/^could not look for an earlier attempt/);
    if (kind === 'throttled') expect(outcome.retryAfterMs).toBe(7_000);
    expect(sink.messages()).toHaveLength(0);
  });

  test('looking and sending share one time-out', async () => {
    const { sink, attempt } = rig();
    sink.script('sms', [{ type: 'ok' }, { type: 'hang', at: 'headers' }]);
    const startedAt = performance.now();
    const destination = nextAddress();
    const outcome = await attempt({ destination, repeatsSince: since(), timeoutMs: 600 });
    expect(outcome).toMatchObject({ kind: 'ambiguous' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('what is sent by SMS', () => {
  const rig = useRig(sms);

  test.each([
    ['firing', firingView()],
    ['resolved', resolvedView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
    ['cyrillic', firingView({ agentName: 'исследователь 🤖' })],
  ])('the %s message', async (name, view) => {
    const text = renderSms(view);
    const { encoding, units, segments } = measureSms(text);
    const whole = `${text}\n--- ${encoding}, ${String(units)} units, ${String(segments)} segments\n`;
    await expect(whole).toMatchFileSnapshot(`golden/sms-${name}.txt`);
  });

  test('the form: one number, the sender, the text, and how long Twilio may hold it', async () => {
    const { sink, attempt } = rig();
    await attempt();
    const request = sink.requests[0];
    expect(formOf(request?.body)).toEqual({
      ...{ To: NUMBER, From: '+15550061616', Body: renderSms(firingView()) },
      ...{ ValidityPeriod: '900', SmartEncoded: 'true' },
    });
    const login = Buffer.from('ACcanary0000:canary-token').toString('base64');
    expect(request?.headers.authorization).toBe(`Basic ${login}`);
  });

  test('a messaging service instead of a number', async () => {
    const { sink } = rig();
    const { from: _from, ...account } = ACCOUNT;
    const channel = createSmsChannel({
      ...account,
      ...{ messagingServiceSid: 'MG1', validitySeconds: 60, baseUrl: `${sink.url}/twilio/` },
    });
    const message = channel.render(firingView());
    const rest = { idempotencyKey: 'k', now: 0, timeoutMs: 5_000 };
    const outcome = await channel.deliver({ message, destination: { address: NUMBER }, ...rest });
    expect(outcome).toMatchObject({ kind: 'accepted' });
    const form = formOf(sink.requests[0]?.body);
    expect(form).toMatchObject({ MessagingServiceSid: 'MG1', ValidityPeriod: '60' });
    expect(form).not.toHaveProperty('From');
  });

  test.each(HOSTILE_NAMES)('a name that is %s fits into two segments', (_name, agentName) => {
    const text = renderSms(firingView({ agentName }));
    expect(measureSms(text).segments).toBeLessThanOrEqual(2);
    expect(codeOf(text)).toBe('K7Q2MD');
    expect(text).not.toMatch(/[\p{So}\u202E\uFFFD]/u);
  });

  test('whatever the facts, it fits into two segments and ends in its code', () => {
    const view = fc.record({
      agentName: fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
      spent: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      limit: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      cadence: fc.constantFrom('run' as const, 'monthly' as const),
      dimension: fc.constantFrom('cost' as const, 'duration' as const, 'tokens_total' as const),
      kills: fc.boolean(),
      late: fc.boolean(),
      priority: fc.constantFrom('critical' as const, 'medium' as const),
    });
    const state = fc.constantFrom('firing' as const, 'acknowledged' as const, 'resolved' as const);
    const path = fc.nat({ max: 400 });
    fc.assert(
      fc.property(view, state, path, (facts, is, length) => {
        const dashboardUrl = `https://kavach.example.com/alerts/${'a'.repeat(length)}`;
        const text = renderSms({ ...firingView(facts), state: is, dashboardUrl });
        expect(measureSms(text).segments).toBeLessThanOrEqual(2);
        expect(codeOf(text)).toBe('K7Q2MD');
      }),
      { numRuns: 300 },
    );
  });

  test('every code of the table has words', () => {
    expect(twilioError(21211)?.words).not.toBe('');
    expect(twilioError(undefined)).toBeUndefined();
    expect(twilioError(1)).toBeUndefined();
  });
});
