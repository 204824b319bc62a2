/** People over HTTP: recipients, contacts that are verified by a code, preferences, and routing. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSendCode } from '../../cli/send-code.js';
import type { Channel } from '../../channels/channel.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { NoticeAlert } from '../../domain/alert/state.js';
import type { GatewayOptions } from '../../gateway/options.js';
import { bearer, realLedger } from './gateway-real-kit.js';

const real = realLedger();
let orgs = 0;

/** An organisation of its own, and what was sent to its people. */
async function start(options: Partial<GatewayOptions> = {}) {
  orgs += 1;
  const org = `org-${String(orgs)}`;
  const sent: { to: string; text: string }[] = [];
  const channel: Channel = {
    ...{ name: 'email', idempotent: true },
    render: ({ facts }) => ({
      body: facts.kind === 'notice' ? facts.title : '',
      contentType: 'text/plain',
    }),
    deliver: ({ message, destination }) => {
      sent.push({ to: destination.address, text: message.body });
      return Promise.resolve({ kind: 'accepted', reason: 'HTTP 200' });
    },
  };
  let codes = 100_000;
  const sendCode = createSendCode({
    ...{ ledger: real.ledger(), channels: { email: channel }, homeUrl: () => 'https://k.test' },
    newCode: () => String((codes += 1)),
    ...{ newId: () => String(codes), now: Date.now, timeoutMs: 1_000 },
  });
  const { gateway, request } = await real.start({ sendCode, ...options });
  onTestFinished(() => gateway.stop());
  const key = await real.key({ org, scopes: ['operate', 'read'] });
  const ask = async (method: string, path: string, body?: unknown, as = key) =>
    request(method, path, body === undefined ? undefined : JSON.stringify(body), bearer(as));
  const put = (path: string, body: unknown = {}) => ask('PUT', `/v1/recipients/${path}`, body);
  return { org, sent, ask, put, get: (path: string) => ask('GET', path) };
}

describe('recipients', () => {
  test('are added, listed page by page, read and removed', async () => {
    const { put, get, ask } = await start();
    expect(await put('bo')).toMatchObject({ status: 200, body: { changed: true } });
    await put('ana', { name: 'Ana Lima' });
    const id = 'cy/ü & co';
    await put(encodeURIComponent(id));
    const first = await get('/v1/recipients?limit=2');
    expect(first.body['recipients']).toMatchObject([{ id: 'ana', name: 'Ana Lima' }, { id: 'bo' }]);
    const rest = await get(`/v1/recipients?limit=2&cursor=${String(first.body['nextCursor'])}`);
    expect(rest.body).toMatchObject({ recipients: [{ id }] });
    expect(rest.body).not.toHaveProperty('nextCursor');
    expect(await ask('DELETE', '/v1/recipients/ana', {})).toMatchObject({
      body: { changed: true },
    });
    expect(await ask('DELETE', '/v1/recipients/ana', {})).toMatchObject({
      body: { changed: false },
    });
    expect((await get('/v1/recipients/ana')).status).toBe(404);
  });

  test('are another organisation’s to nobody', async () => {
    const one = await start();
    await one.put('ana');
    const other = await start();
    expect((await other.get('/v1/recipients/ana')).status).toBe(404);
    expect((await other.get('/v1/recipients')).body).toEqual({ recipients: [] });
  });
});

describe('preferences (P1, P2)', () => {
  /** As the product document has it, to the letter. */
  const DOCUMENT =
    '{"default":{"push":true,"email":true,"sms":false},"agents":{"batch-agent":{"push":false,"email":true}}}';

  test('the product document’s are taken as they stand', async () => {
    const { put, get } = await start();
    await put('ana');
    const answer = await put('ana/preferences', JSON.parse(DOCUMENT));
    expect(answer).toMatchObject({ status: 200, body: { changed: true } });
    expect((await get('/v1/recipients/ana/preferences')).body['preferences']).toEqual({
      ...(JSON.parse(DOCUMENT) as object),
      ...{ minimumPriority: {}, digest: { cadence: 'hourly', hour: 8 } },
      ...{ zone: 'UTC', unsubscribed: false },
    });
  });

  test('all of it, and what was read can be put back', async () => {
    const { put, get } = await start();
    await put('ana');
    await put('ana/preferences', {
      ...{ minimumPriority: { push: 'critical' }, digest: { cadence: 'daily', hour: 7 } },
      ...{ quietHours: { from: '22:00', to: '07:00' }, zone: 'Europe/Berlin' },
    });
    const { preferences } = (await get('/v1/recipients/ana/preferences')).body;
    expect(preferences).toMatchObject({ quietHours: { passes: 'critical' } });
    expect(await put('ana/preferences', preferences)).toMatchObject({
      body: { changed: false, preferences },
    });
  });

  test.each([
    [{ default: { fax: true } }, 'default'],
    [{ default: { push: 'yes' } }, 'default.push'],
    [{ agents: { bot: { slack: false } } }, 'agents.bot'],
    [{ quietHours: { from: '22:00', to: '22:00' } }, 'quietHours.to'],
    [{ quietHours: { from: '10pm', to: '07:00' } }, 'quietHours.from'],
    [{ zone: 'Mars/Olympus' }, 'zone'],
    [{ zone: '+02:00' }, 'zone'],
    [{ digest: { cadence: 'weekly' } }, 'digest.cadence'],
    [{ digest: { cadence: 'daily', hour: 24 } }, 'digest.hour'],
    [{ minimumPriority: { sms: 'urgent' } }, 'minimumPriority.sms'],
    [{ agents: { '*': { push: false } } }, 'agents.*'],
    [JSON.parse('{"agents":{"__proto__":{"push":false}}}') as object, 'agents.__proto__'],
  ])('%j is refused with the path of its fault', async (document, path) => {
    const { put } = await start();
    await put('ana');
    expect(await put('ana/preferences', document)).toMatchObject({ status: 422, body: { path } });
  });

  test('of a name without an end only the beginning is told again', async () => {
    const { put } = await start();
    await put('ana');
    const agents = { ['x'.repeat(100_000)]: { push: false } };
    const more = { ['y'.repeat(100_000)]: 1 };
    for (const document of [{ agents }, more]) {
      const { status, body } = await put('ana/preferences', document);
      expect(status).toBe(422);
      expect(JSON.stringify(body).length).toBeLessThan(1_000);
    }
  });

  test('nobody’s are set', async () => {
    const { put } = await start();
    expect((await put('nobody/preferences', {})).status).toBe(404);
  });
});

describe('contacts', () => {
  test('a code is sent, and counts once', async () => {
    const { put, ask, sent, get } = await start();
    await put('ana');
    const stored = await put('ana/contacts/email', { address: ' ana@example.com ' });
    expect(stored.body).toMatchObject({
      code: { kind: 'accepted' },
      recipient: { contacts: [{ channel: 'email', masked: 'a***@example.com' }] },
    });
    expect(sent).toEqual([
      { to: 'ana@example.com', text: '100001 is your code for alerts of Kavach' },
    ]);
    expect(JSON.stringify(stored.body)).not.toContain('ana@example.com');
    const verify = (code: string) =>
      ask('POST', '/v1/recipients/ana/contacts/email/verify', { code });
    expect(await verify('000000')).toMatchObject({
      status: 422,
      body: { path: 'code', detail: expect.stringContaining('4 tries are left') as string },
    });
    expect(await verify('100001')).toMatchObject({ status: 200, body: { changed: true } });
    const { recipient } = (await get('/v1/recipients/ana')).body as {
      recipient: { contacts: { verifiedAt: number }[] };
    };
    expect(recipient.contacts[0]?.verifiedAt).toBeGreaterThan(0);
    expect(await ask('POST', '/v1/recipients/ana/contacts/email/code', {})).toMatchObject({
      ...{ status: 409, body: { code: 'already_verified' } },
    });
  });

  test('another code makes the one before void, and six a day are too many', async () => {
    const { put, ask } = await start();
    await put('ana');
    await put('ana/contacts/email', { address: 'ana@example.com' });
    const path = '/v1/recipients/ana/contacts/email';
    await ask('POST', `${path}/code`, {});
    expect((await ask('POST', `${path}/verify`, { code: '100001' })).status).toBe(422);
    for (let no = 0; no < 3; no += 1) {
      expect((await ask('POST', `${path}/code`, {})).status).toBe(200);
    }
    const refused = await ask('POST', `${path}/code`, {});
    expect(refused).toMatchObject({ ...{ status: 429, body: { code: 'too_many' } } });
    expect(refused.body['detail']).toMatch(/the next one from 20.*T00:00:00.000Z/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Nor by taking the address away and giving it again.
    expect((await ask('DELETE', path, {})).body).toMatchObject({ changed: true });
    expect((await put('ana/contacts/email', { address: 'ana@example.com' })).body).toMatchObject({
      code: { kind: 'not_sent', reason: expect.stringContaining('five codes') as string },
    });
  });

  test('what cannot be sent is said, and stored all the same', async () => {
    const { put, ask } = await start();
    await put('ana');
    expect((await put('ana/contacts/sms', { address: '+1 (555) 123-4567' })).body).toMatchObject({
      code: { kind: 'not_sent', reason: expect.stringContaining('does not send sms') as string },
      recipient: { contacts: [{ channel: 'sms', masked: '***67' }] },
    });
    const code = '123456';
    expect(await ask('POST', '/v1/recipients/ana/contacts/sms/verify', { code })).toMatchObject({
      ...{ status: 409, body: { code: 'no_code' } },
    });
  });

  test.each([
    ['email', 'nobody'],
    ['email', 'a@b.test, c@d.test'],
    ['email', 'a\u0000b@c.test'],
    ['email', 'a\ud83d@c.test'],
    ['sms', '0175 7654321'],
    ['sms', 'call me'],
  ])('%s %j is refused, and not repeated', async (channel, address) => {
    const { put } = await start();
    await put('ana');
    const answer = await put(`ana/contacts/${channel}`, { address });
    expect(answer).toMatchObject({ status: 422, body: { path: 'address' } });
    expect(JSON.stringify(answer.body)).not.toContain(address);
  });

  test('there is none for push, nor for nobody', async () => {
    const { put, ask } = await start();
    await put('ana');
    expect((await put('ana/contacts/push', { address: 'x' })).status).toBe(422);
    expect((await put('nobody/contacts/email', { address: 'a@b.test' })).status).toBe(404);
    const path = '/v1/recipients/ana/contacts/email';
    expect((await ask('POST', `${path}/code`, {})).status).toBe(404);
    expect((await ask('POST', `${path}/verify`, { code: '123456' })).status).toBe(404);
    expect(await ask('DELETE', path, {})).toMatchObject({ status: 200, body: { changed: false } });
  });
});

test('an alert says whom it was told, why, and what they wanted then', async () => {
  const { org, put, get } = await start();
  await put('ana');
  await put('ana/preferences', { default: { push: false } });
  const audience = { recipients: ['ana'], channels: ['push'] } as const;
  const alert: NoticeAlert = {
    ...{ id: 'alert/x/1', org, routes: [], audience, policy: DEFAULT_POLICY, kind: 'notice' },
    subject: 'notice/bot',
    facts: {
      ...{ kind: 'notice', org, topic: 'agent', agentName: 'bot', title: 'News', lines: [], at: 1 },
      ...{ severity: 'error', priority: 'high' },
    },
  };
  await real.ledger().routeAlert(alert, 1);
  const { id, subject, facts } = alert;
  const view = { id, org, subject, facts, phase: 'firing', exhausted: false, raisedAt: 1 } as const;
  await real.ledger().appendJournal(view, [{ no: 1, at: 1, what: 'raised' }]);
  expect((await get(`/v1/alerts/${encodeURIComponent(id)}`)).body['routing']).toMatchObject([
    {
      ...{ recipient: 'ana', channel: 'push', what: 'suppress', reason: 'preference' },
      preferences: { channels: { push: false, email: true, sms: true }, zone: 'UTC' },
    },
  ]);
});
