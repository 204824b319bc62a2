/**
 * The first product document, played over HTTP: both of its rules, its preferences, and the cases of
 * its questions and answers, with people who are reached by push, email and text message.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlertDetailView } from '../../gateway/alert-state.js';
import type { RoutingDecision } from '../../domain/routing.js';
import { openPush } from '../contract/push-kit.js';
import { startTestService, until, type TestService } from './service-kit.js';

/** The hour of a digest; long enough that two rounds of it can be told apart. */
const HOUR_MS = 3_000;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({
    variables: ({ url }) => ({
      KAVACH_DIGEST_HOUR_MS: String(HOUR_MS),
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_FROM: '+15550000000',
      TWILIO_BASE_URL: `${url}/twilio`,
    }),
  });
  await service.post('/v1/rules', {
    name: 'high_error_rate',
    agentId: 'support-agent',
    condition: 'error_rate > 0.05',
    channels: ['push', 'email'],
    priority: 'high',
    cooldownSeconds: 600,
    userIds: ['admin-1', 'admin-2'],
  });
  await service.post('/v1/rules', {
    name: 'task_completed',
    agentId: '*',
    condition: 'completed == 1',
    channels: ['push'],
    priority: 'low',
    cooldownSeconds: 0,
    userIds: ['admin-3', 'admin-4'],
  });
  for (const id of ['admin-1', 'admin-2', 'admin-3', 'admin-4', 'user-1']) await addPerson(id);
});
afterAll(() => service.stop());

const put = async (path: string, body: object): Promise<void> => {
  const answer = await fetch(service.url + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} -> ${String(answer.status)}: ${await answer.text()}`);
};
const mailsTo = (id: string) =>
  service.sink
    .messages()
    .filter(({ channel, body }) => channel === 'email' && body.includes(`${id}@example.com`));
const textsTo = (number: string) =>
  service.sink
    .messages()
    .filter(({ path, body }) => path.includes('twilio') && body.includes(number));

/** With an email address that was verified by the code that went there. */
async function addPerson(id: string): Promise<void> {
  await put(`/v1/recipients/${id}`, {});
  await put(`/v1/recipients/${id}/contacts/email`, { address: `${id}@example.com` });
  const mail = await until('the code', () => mailsTo(id)[0]);
  const code = /\b(\d{6}) is your code/.exec(mail.body)?.[1];
  await service.post(`/v1/recipients/${id}/contacts/email/verify`, { code });
}
const prefer = (id: string, preferences: object): Promise<void> =>
  put(`/v1/recipients/${id}/preferences`, preferences);

async function connect(user_id: string) {
  const { path } = await service.post<{ path: string }>('/v1/push/tickets', { user_id });
  const client = await openPush(service.url, path);
  await until('the hello', () => client.of('hello')[0]);
  return client;
}
const report = (agent_id: string, metrics: object): Promise<unknown> =>
  service.post('/v1/events', { agent_id, metrics });

interface Detail extends AlertDetailView {
  readonly routing: readonly RoutingDecision[];
}
const detailOf = (id: string): Promise<Detail> =>
  service.get<Detail>(`/v1/alerts/${encodeURIComponent(id)}`);
const settled = (id: string): Promise<Detail> =>
  until(
    'the end of all deliveries',
    async () => {
      const found = await detailOf(id).catch(() => undefined);
      const isOver = found?.deliveries.every(({ status }) =>
        ['accepted', 'failed', 'suppressed'].includes(status),
      );
      return isOver === true && found !== undefined && found.deliveries.length > 0 && found;
    },
    30_000,
  );
const notice = async (over: object): Promise<string> => {
  const { alert_id: id } = await service.post<{ alert_id: string }>('/v1/notices', {
    ...{ agent_id: 'support-agent', title: 'Look here', body: 'Something happened.' },
    ...{ user_id: 'user-1', channels: ['push', 'email'], priority: 'medium' },
    ...over,
  });
  return id;
};
/** In the order of the alphabet: which is written down first is nobody's concern. */
const endsOf = ({ deliveries }: Detail) =>
  deliveries
    .map(
      ({ channel, status, reason }) =>
        `${channel} ${status === 'suppressed' ? (reason ?? status) : status}`,
    )
    .sort();

describe('trigger rules', () => {
  test('high_error_rate tells both people on both channels, and once in ten minutes', async () => {
    const phone = await connect('admin-1');
    await report('support-agent', { error_rate: 0.05 });
    await report('support-agent', { error_rate: 0.06 });
    const push = await until('the push', () => phone.of('notification')[0]);
    expect(push).toMatchObject({
      type: 'notification',
      priority: 'high',
      agent_id: 'support-agent',
    });
    phone.ack(push.id!);
    // The code came first. Nobody is connected for the other: his email is all there is, and one.
    await until('both emails', () => mailsTo('admin-1')[1] && mailsTo('admin-2')[1]);
    for (let i = 0; i < 20; i += 1) await report('support-agent', { error_rate: 0.5 });
    await report('other-agent', { error_rate: 0.5 });
    const { alerts } = await service.get<{ alerts: { id: string }[] }>('/v1/alerts?limit=50');
    const ofRule = alerts.filter(({ id }) => id.includes('/rule/'));
    expect(ofRule).toHaveLength(1);
    const detail = await settled(ofRule[0]!.id);
    expect(
      detail.routing.map(({ recipient, channel, what }) => [recipient, channel, what]),
    ).toEqual([
      ['admin-1', 'push', 'send'],
      ['admin-1', 'email', 'send'],
      ['admin-2', 'push', 'send'],
      ['admin-2', 'email', 'send'],
    ]);
    expect(mailsTo('admin-1')).toHaveLength(2);
    expect(mailsTo('admin-2')).toHaveLength(2);
    expect(phone.of('notification')).toHaveLength(1);
  }, 60_000);

  test('task_completed is in one hourly mail for whom it may wait, and at once for whom it may not', async () => {
    await prefer('admin-4', { digest: { cadence: 'off' } });
    const phone = await connect('admin-4');
    for (const agent of ['writer', 'reader', 'coder']) await report(agent, { completed: 1 });
    await report('writer', { completed: 0 });
    await until('a push for each', () => phone.of('notification').length === 3, 30_000);
    for (const { id } of phone.of('notification')) phone.ack(id!);
    const digest = await until('the digest', () => mailsTo('admin-3')[1], 30_000);
    for (const agent of ['writer', 'reader', 'coder']) expect(digest.body).toContain(agent);
    expect(digest.body).toContain('List-Unsubscribe');
    await until('another hour', () => Date.now() > digest.at + 2 * HOUR_MS, 30_000);
    expect(mailsTo('admin-3')).toHaveLength(2);
    expect(mailsTo('admin-4')).toHaveLength(1);
  }, 90_000);
});

describe('questions and answers', () => {
  test('preferences: a default, and what differs for an agent', async () => {
    await prefer('user-1', {
      default: { push: true, email: true, sms: false },
      agents: { 'batch-agent': { push: false, email: true } },
    });
    const channels = ['push', 'email', 'sms'];
    const phone = await connect('user-1');
    const usual = await notice({ title: 'Of a usual agent', channels, priority: 'high' });
    const push = await until('the push', () => phone.of('notification')[0]);
    phone.ack(push.id!);
    expect(endsOf(await settled(usual))).toEqual([
      'email accepted',
      'push accepted',
      'sms preference',
    ]);
    const batch = await notice({ title: 'Of the batch', channels, agent_id: 'batch-agent' });
    expect(endsOf(await settled(batch))).toEqual([
      'email accepted',
      'push preference',
      'sms preference',
    ]);
    expect(phone.of('notification')).toHaveLength(1);
  }, 60_000);

  test('failures: three retries, then another channel; what failed is on record', async () => {
    const phone = await connect('user-1');
    const down = { type: 'status', status: 503 } as const;
    service.sink.script('email', [down, down, down, down]);
    const id = await notice({ title: 'Mail is down', channels: ['email'] });
    const push = await until('the fallback', () => phone.of('notification')[0], 30_000);
    phone.ack(push.id!);
    const detail = await settled(id);
    expect(endsOf(detail)).toEqual(['email failed', 'push accepted']);
    expect(detail.attempts.filter(({ channel }) => channel === 'email')).toHaveLength(4);
  }, 60_000);

  test('critical: it counts once two channels have it', async () => {
    const phone = await connect('user-1');
    const id = await notice({ title: 'Critical', priority: 'critical' });
    await until('the email', () => mailsTo('user-1').some(({ body }) => body.includes('Critical')));
    const push = await until('the push', () => phone.of('notification')[0]);
    phone.ack(push.id!);
    const detail = await settled(id);
    expect(endsOf(detail)).toEqual(['email accepted', 'push accepted']);
    expect(detail.journal.map(({ what }) => what)).not.toContain('degraded');
    const alone = await settled(
      await notice({ title: 'Alone', priority: 'critical', channels: ['email'] }),
    );
    expect(alone.journal.map(({ what }) => what)).toContain('degraded');
  }, 60_000);

  test('fatigue: copies are counted and not sent, and only what is critical for whom wants no more', async () => {
    const copies = { title: 'The same again', channels: ['email'] };
    const ids = await Promise.all(Array.from({ length: 10 }, () => notice(copies)));
    expect(new Set(ids).size).toBe(1);
    await settled(ids[0]!);
    const sent = mailsTo('user-1').filter(({ body }) => body.includes('The same again'));
    expect(sent).toHaveLength(1);
    await prefer('user-1', { minimumPriority: { email: 'critical' } });
    const medium = await notice({ title: 'Not critical', channels: ['email'] });
    expect(endsOf(await settled(medium))).toEqual(['email priority']);
    expect(textsTo('+1')).toEqual([]);
  }, 60_000);
});
