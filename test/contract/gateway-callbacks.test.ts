/** Callbacks over HTTP: whose word is believed, what of it is kept, and what is not even read. */
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { explainUndelivered } from '../../channels/sms-errors.js';
import {
  pagerdutyBody,
  resendBody,
  sendCallback,
  signedByPagerduty,
  signedByResend,
  signedByTwilio,
  twilioBody,
  type Callback,
} from '../../fakes/callbacks.js';
import { createCallbackReaders } from '../../gateway/callbacks/index.js';
import type { CallbackWord } from '../../ledger/ledger.js';
import { NOON, startTestGateway } from './gateway-kit.js';

const RESEND = `whsec_${randomBytes(24).toString('base64')}`;
const OLD_RESEND = `whsec_${randomBytes(24).toString('base64')}`;
const PAGERDUTY = 'a-secret-of-pagerduty';
const TOKEN = 'the-auth-token';
/** What the providers know, whatever port the test listens on. */
const PUBLIC = 'https://kavach.example/callbacks/twilio';
const KEY = `kavach-${'0'.repeat(64)}`;
const readers = createCallbackReaders({
  resendSecrets: [RESEND, OLD_RESEND],
  pagerdutySecrets: ['one-that-is-replaced', PAGERDUTY],
  twilio: { authToken: TOKEN, url: PUBLIC, explain: explainUndelivered },
});

async function start(callbacks = readers) {
  const started = await startTestGateway({ callbacks });
  const { gateway, ledger } = started;
  const to = (provider: string) => (callback: Callback) =>
    sendCallback(`${gateway.url}/callbacks/${provider}`, callback);
  const words = (): CallbackWord[] => Array.from(ledger.callbacks.values(), ({ word }) => word);
  return { ...started, to, words };
}

const bounced = () => resendBody({ type: 'email.bounced', emailId: 're_1', bounce: 'Permanent' });
const undelivered = twilioBody('SM1', 'undelivered', 30_005);
const acknowledged = () =>
  pagerdutyBody({ type: 'incident.acknowledged', incidentKey: KEY, at: NOON });

/** One right callback of each provider. */
const RIGHT: Readonly<Record<string, () => Callback>> = {
  resend: () => signedByResend(RESEND, bounced(), { at: NOON }),
  twilio: () => signedByTwilio(TOKEN, PUBLIC, undelivered),
  pagerduty: () => signedByPagerduty([PAGERDUTY], acknowledged()),
};
const PROVIDERS = Object.keys(RIGHT);
const right = (provider: string): Callback => RIGHT[provider]!();
const SIGNATURES = ['svix-signature', 'x-twilio-signature', 'x-pagerduty-signature'];

function withSignature({ body, headers }: Callback, signature: string | undefined): Callback {
  const rest = Object.entries(headers).filter(([name]) => !SIGNATURES.includes(name));
  const forged = signature === undefined ? [] : SIGNATURES.map((name) => [name, signature]);
  return { body, headers: Object.fromEntries([...rest, ...forged]) as Callback['headers'] };
}

const otherThan = (provider: string): Callback =>
  right(PROVIDERS.find((each) => each !== provider) ?? '');

describe.each(PROVIDERS)('%s', (provider) => {
  test('a right signature is believed, and its word is stored', async () => {
    const { to, words } = await start();
    expect(await to(provider)(right(provider))).toBe(204);
    expect(words()).toHaveLength(1);
  });

  test('the same event twice is one row, answered alike', async () => {
    const { to, words } = await start();
    const callback = right(provider);
    expect(await to(provider)(callback)).toBe(204);
    expect(await to(provider)(callback)).toBe(204);
    expect(words()).toHaveLength(1);
  });

  test.each<[string, (callback: Callback) => Callback]>([
    ['another body', (callback) => ({ ...callback, body: 'x' })],
    ['a body that was changed', (callback) => ({ ...callback, body: `${callback.body} ` })],
    ['no signature', (callback) => withSignature(callback, undefined)],
    ['an empty one', (callback) => withSignature(callback, '')],
    ['junk', (callback) => withSignature(callback, `v1=${'e'.repeat(64)},v1, ,v1,`)],
    ['that of another provider', ({ body }) => ({ ...otherThan(provider), body })],
  ])('%s is refused, and not told why', async (_what, forge) => {
    const { gateway, words, ledger } = await start();
    const { body, headers } = forge(right(provider));
    const url = `${gateway.url}/callbacks/${provider}`;
    const response = await fetch(url, { method: 'POST', body, headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ detail: 'Not taken.' });
    expect(words()).toEqual([]);
    expect(ledger.calls).not.toContain('putCallback');
  });

  test('while the ledger is away it is asked to say it again', async () => {
    const { gateway, ledger, words } = await start();
    // The answer waits for the ledger's.
    ledger.before = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('connection refused');
    };
    const { body, headers } = right(provider);
    const post = () =>
      fetch(`${gateway.url}/callbacks/${provider}`, { method: 'POST', body, headers });
    const response = await post();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    ledger.before = () => undefined;
    expect((await post()).status).toBe(204);
    expect(words()).toHaveLength(1);
  });

  test('a huge body is refused before anything is made of it', async () => {
    const { to, words } = await start();
    const { headers } = right(provider);
    expect(await to(provider)({ headers, body: 'x'.repeat(300_000) })).toBe(413);
    expect(words()).toEqual([]);
  });

  test('where nobody has given its secret there is no route', async () => {
    const { to } = await start([]);
    expect(await to(provider)(right(provider))).toBe(404);
  });

  test('a GET is told that only POST is taken', async () => {
    const { gateway } = await start();
    expect((await fetch(`${gateway.url}/callbacks/${provider}`)).status).toBe(405);
  });

  test('neither secrets nor addresses get into the log', async () => {
    const { to, lines } = await start();
    await to(provider)(right(provider));
    await to(provider)({ ...right(provider), body: 'x' });
    const logged = JSON.stringify(lines);
    expect(logged).toContain(provider);
    for (const secret of [RESEND, TOKEN, PAGERDUTY, 'of@example.com', '+1555']) {
      expect(logged).not.toContain(secret);
    }
  });
});

describe('Resend', () => {
  test('what the package of the standard signs is believed', async () => {
    const { to, words } = await start();
    const body = bounced();
    const signed = new Webhook(RESEND).sign('msg_1', new Date(NOON), body);
    const stamp = String(NOON / 1_000);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': stamp,
      'webhook-signature': signed,
    };
    expect(await to('resend')({ body, headers })).toBe(204);
    expect(words()).toHaveLength(1);
  });

  test('an old secret is believed beside the new one, and one of several signatures is enough', async () => {
    const { to, words } = await start();
    const { body, headers } = signedByResend(OLD_RESEND, bounced(), { at: NOON });
    const several = `v1,AAAA v1a,BBBB ${headers['svix-signature'] ?? ''}`;
    expect(await to('resend')({ body, headers: { ...headers, 'svix-signature': several } })).toBe(
      204,
    );
    expect(words()).toHaveLength(1);
  });

  test.each([
    ['five minutes old', -300_000, 204],
    ['older', -301_000, 401],
    ['of the future', 301_000, 401],
  ])('one that is %s', async (_what, ms, status) => {
    const { to } = await start();
    expect(await to('resend')(signedByResend(RESEND, bounced(), { at: NOON + ms }))).toBe(status);
  });

  test('the stamp and the id are signed: neither can be replaced', async () => {
    const { to, words } = await start();
    for (const change of [{ 'svix-id': 'msg_2' }, { 'svix-timestamp': String(NOON / 1_000 + 1) }]) {
      const { body, headers } = right('resend');
      expect(await to('resend')({ body, headers: { ...headers, ...change } })).toBe(401);
    }
    expect(words()).toEqual([]);
  });

  test.each([
    ['email.delivered', undefined, { what: 'delivered' }],
    [
      'email.bounced',
      'Permanent',
      { reason: 'Resend: it bounced (Permanent, General)', gone: true },
    ],
    [
      'email.bounced',
      'Transient',
      { reason: 'Resend: it bounced (Transient, General)', gone: false },
    ],
    ['email.bounced', undefined, { reason: 'Resend: it bounced', gone: false }],
    ['email.complained', undefined, { reason: 'Resend: its reader marked it as spam', gone: true }],
    ['email.suppressed', undefined, { gone: true }],
    ['email.failed', undefined, { gone: false }],
  ])('%s (%s)', async (type, bounce, word) => {
    const { to, words } = await start();
    const body = resendBody({ type, emailId: 're_1', ...(bounce === undefined ? {} : { bounce }) });
    expect(await to('resend')(signedByResend(RESEND, body, { at: NOON }))).toBe(204);
    expect(words()).toEqual([expect.objectContaining({ message: 're_1', ...word })]);
  });

  test('what changes nothing is taken and not kept', async () => {
    const { to, words } = await start();
    for (const type of ['email.sent', 'email.opened', 'contact.created', '__proto__']) {
      const body = resendBody({ type, emailId: 're_1' });
      expect(await to('resend')(signedByResend(RESEND, body, { at: NOON }))).toBe(204);
    }
    expect(words()).toEqual([]);
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"type":"email.bounced"}',
    '{"type":7,"data":{}}',
    '{"type":"email.bounced","data":{"email_id":"<b>"}}',
  ])('signed and yet not what Resend sends: %s', async (body) => {
    const { to, words } = await start();
    expect(await to('resend')(signedByResend(RESEND, body, { at: NOON }))).toBe(400);
    expect(words()).toEqual([]);
  });
});

describe('Twilio', () => {
  test('what its own package signs is believed, with the port and without', async () => {
    const { to, words } = await start();
    const fields = Object.fromEntries(new URLSearchParams(undelivered));
    for (const url of [PUBLIC, PUBLIC.replace('.example', '.example:443')]) {
      const signature = twilio.getExpectedTwilioSignature(TOKEN, url, fields);
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signature,
      };
      expect(await to('twilio')({ body: undelivered, headers })).toBe(204);
    }
    expect(words()).toEqual([
      { what: 'undelivered', message: 'SM1', reason: 'Twilio 30005 unknown handset', gone: true },
    ]);
  });

  test('the address that was told counts, not the one that was called', async () => {
    const { gateway, to } = await start();
    const called = `${gateway.url}/callbacks/twilio`;
    expect(await to('twilio')(signedByTwilio(TOKEN, called, undelivered))).toBe(401);
  });

  test('a query is part of what is signed', async () => {
    const { gateway } = await start();
    const { body, headers } = signedByTwilio(TOKEN, `${PUBLIC}?a=1&b=%27`, undelivered);
    const post = (search: string) =>
      sendCallback(`${gateway.url}/callbacks/twilio${search}`, { body, headers });
    expect(await post('?a=1&b=%27')).toBe(204);
    expect(await post('?a=2')).toBe(401);
    expect(await post('')).toBe(401);
  });

  test.each([
    ['delivered', undefined, { what: 'delivered' }],
    ['read', undefined, { what: 'delivered' }],
    ['failed', 30_003, { gone: false, reason: 'Twilio 30003 handset unreachable' }],
    ['undelivered', 30_006, { gone: true }],
    ['failed', undefined, { gone: false, reason: 'Twilio it failed' }],
    ['canceled', undefined, { what: 'undelivered', gone: false }],
  ])('%s (%s)', async (status, code, word) => {
    const { to, words } = await start();
    const body = twilioBody('SM1', status, code);
    expect(await to('twilio')(signedByTwilio(TOKEN, PUBLIC, body))).toBe(204);
    expect(words()).toEqual([expect.objectContaining({ message: 'SM1', ...word })]);
  });

  test('the way there is not kept, and another status of the same message is another event', async () => {
    const { to, words } = await start();
    for (const status of ['queued', 'sending', 'sent', 'delivered', 'undelivered', 'a new one']) {
      const body = twilioBody('SM1', status);
      expect(await to('twilio')(signedByTwilio(TOKEN, PUBLIC, body))).toBe(204);
    }
    expect(words().map(({ what }) => what)).toEqual(['delivered', 'undelivered']);
  });

  test.each([
    '',
    '%',
    'MessageStatus=failed',
    'MessageSid=SM1',
    'MessageSid=%3Cb%3E&MessageStatus=failed',
  ])('signed and yet not what Twilio sends: %s', async (body) => {
    const { to } = await start();
    expect(await to('twilio')(signedByTwilio(TOKEN, PUBLIC, body))).toBe(400);
  });
});

describe('PagerDuty', () => {
  const send = async (event: Partial<Parameters<typeof pagerdutyBody>[0]>) => {
    const { to, words } = await start();
    const body = pagerdutyBody({
      type: 'incident.acknowledged',
      incidentKey: KEY,
      at: NOON,
      ...event,
    });
    return { status: await to('pagerduty')(signedByPagerduty([PAGERDUTY], body)), words: words() };
  };

  test('one of several signatures is enough, as while a secret is replaced', async () => {
    const { to, words } = await start();
    expect(
      await to('pagerduty')(signedByPagerduty(['another one', PAGERDUTY], acknowledged())),
    ).toBe(204);
    expect(words()).toEqual([
      { what: 'acknowledged', incident: KEY, by: 'Tenex Engineer (PagerDuty)', occurredAt: NOON },
    ]);
  });

  test('the event in the signed body is what is known again, not the header', async () => {
    const { to, words } = await start();
    const body = acknowledged();
    for (const secret of ['a', 'b']) {
      const { headers } = signedByPagerduty([PAGERDUTY], body);
      expect(await to('pagerduty')({ body, headers: { ...headers, 'x-webhook-id': secret } })).toBe(
        204,
      );
    }
    expect(words()).toHaveLength(1);
  });

  test.each([
    ['another event', { type: 'incident.escalated' }],
    ['an incident without a key', { incidentKey: null }],
    ['what PagerDuty or Kavach did', { agent: { type: 'service_reference', summary: 'API' } }],
    ['what happened long ago', { at: NOON - 8 * 86_400_000 }],
  ])('nothing is kept of %s', async (_what, event) => {
    expect(await send(event)).toEqual({ status: 204, words: [] });
  });

  test('resolved is another word; one that names nobody is PagerDuty’s', async () => {
    const { words } = await send({ type: 'incident.resolved', agent: null });
    expect(words).toEqual([expect.objectContaining({ what: 'resolved', by: 'PagerDuty' })]);
  });

  test('a name is one line of what can be stored', async () => {
    const summary = `Ann\u0000\n <b>\ud800${'x'.repeat(500)}`;
    const { words } = await send({ agent: { type: 'user_reference', summary } });
    const { by } = words[0] as { by: string };
    expect(by).toMatch(/^Ann <b>.x+ \(PagerDuty\)$/);
    expect(by.length).toBeLessThan(200);
    expect(by.isWellFormed()).toBe(true);
  });

  test.each([
    '',
    '{"event":{}}',
    '[]',
    '{"event":{"event_type":"incident.acknowledged","data":{"incident_key":"k"}}}',
  ])('signed and yet not what PagerDuty sends: %s', async (body) => {
    const { to } = await start();
    expect(await to('pagerduty')(signedByPagerduty([PAGERDUTY], body))).toBe(400);
  });
});
