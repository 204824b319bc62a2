/** What providers say later, from their sockets to the alert and its journal (A6, T9). */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../cli/embedded/ports.js';
import type { AlertDetailView } from '../../gateway/alert-state.js';
import type { AlertView } from '../../ledger/ledger.js';
import { startTestService, until, type TestService } from './service-kit.js';

const RESEND_SECRET = `whsec_${randomBytes(24).toString('base64')}`;
const PAGERDUTY_SECRET = randomBytes(32).toString('base64url');
const NUMBER = '+15550042424';

let service: TestService | undefined;
beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  service = await startTestService({
    variables: ({ url }) => ({
      // Known before it listens: providers are told where to say it.
      KAVACH_PORT: String(port),
      KAVACH_PUBLIC_URL: `http://127.0.0.1:${String(port)}`,
      RESEND_WEBHOOK_SECRET: RESEND_SECRET,
      PAGERDUTY_WEBHOOK_SECRET: PAGERDUTY_SECRET,
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_FROM: '+15551234567',
      TWILIO_BASE_URL: `${url}/twilio`,
      KAVACH_OPERATORS_WEBHOOK_URL: `${url}/webhook/operators`,
      KAVACH_ESCALATE_AFTER_MS: '3000',
    }),
  });
});
afterAll(async () => {
  await service?.stop();
});

const get = <T>(path: string) => service!.get<T>(path);
const detail = (id: string) => get<AlertDetailView>(`/v1/alerts/${encodeURIComponent(id)}`);
const alertsOf = async (agent: string) =>
  (await get<{ alerts: AlertView[] }>(`/v1/alerts?agent=${agent}`)).alerts;

/** What the operators were told of an agent. */
const operators = (agent: string) =>
  service!.sink.messages('/webhook/operators').filter(({ body }) => body.includes(`"${agent}"`));

/** A daily budget of 5 USD with these entries, and so much spent of it. */
async function spend(agent: string, cost: number, alert_configs: readonly unknown[]) {
  const budgets = [{ budget_type: 'cost', period: 'daily', limit_value: 5 }];
  await service!.post('/v1/sync-config', { agent_name: agent, budgets, alert_configs });
  await service!.post('/v1/ingest', { events: [{ agent_name: agent, model: 'm', cost }] });
}

/** The journal of the agent's one alert, once it says so. */
const journalled = (agent: string, what: string): Promise<AlertDetailView> =>
  until(`${what} of ${agent}`, async () => {
    const [alert] = await alertsOf(agent);
    const found = alert && (await detail(alert.id));
    return found?.journal.some((entry) => entry.what === what) === true && found;
  });

describe('A6: a vote is taken back', () => {
  test('a text message that was accepted and did not arrive: the operators are told instead', async () => {
    const { sink } = service!;
    await spend('texted', 4.6, [{ channel: 'sms', threshold_pct: 0.9, target: NUMBER }]);
    await journalled('texted', 'delivered');
    expect(operators('texted')).toEqual([]);

    expect(await sink.callBack.sms('sent')).toEqual([204]);
    expect(await sink.callBack.sms('undelivered', 30_005)).toEqual([204]);
    const { journal, deliveries } = await journalled('texted', 'fallback');
    expect(journal).toContainEqual(
      expect.objectContaining({
        ...{ what: 'revoked', channel: 'sms', reason: 'Twilio 30005 unknown handset' },
      }),
    );
    expect(deliveries[0]).toMatchObject({
      ...{ channel: 'sms', status: 'failed' },
      attempts: [{ receipt: { what: 'undelivered' } }],
    });
    await until('the fallback', () => operators('texted').length > 0);

    // Said again, and late and out of order: nothing more happens.
    expect(await sink.callBack.sms('undelivered', 30_005)).toEqual([204]);
    expect(await sink.callBack.sms('delivered')).toEqual([204]);
    const [alert] = await alertsOf('texted');
    await service!.post(`/v1/alerts/${encodeURIComponent(alert!.id)}/acknowledge`, { by: 'ada' });
    const after = await journalled('texted', 'acknowledged');
    expect(after.journal.filter(({ what }) => what === 'revoked')).toHaveLength(1);
    expect(after.deliveries[0]?.attempts[0]?.receipt).toMatchObject({ what: 'undelivered' });

    // Nobody has this number: the next alert does not even try it.
    await spend('texting', 4.6, [{ channel: 'sms', threshold_pct: 0.9, target: NUMBER }]);
    const next = await journalled('texting', 'suppressed');
    expect(next.journal).toContainEqual(
      expect.objectContaining({ what: 'suppressed', reason: 'unhealthy_destination' }),
    );
    expect(sink.messages().filter(({ channel }) => channel === 'sms')).toHaveLength(1);
  });

  test('an email that bounced: the vote, the fallback, and its destination is gone', async () => {
    const { sink, url } = service!;
    const target = 'gone@example.com';
    await spend('mailed', 3, [{ channel: 'email', threshold_pct: 0.5, target }]);
    await journalled('mailed', 'delivered');
    const webhook = { url: `${url}/callbacks/resend`, secret: RESEND_SECRET };
    const bounced = { type: 'email.bounced', bounce: 'Permanent' };
    expect(await sink.callBack.email({ ...webhook, secret: 'whsec_AAAA' }, bounced)).toBe(401);
    expect(await sink.callBack.email(webhook, { type: 'email.delivered' })).toBe(204);
    expect(await sink.callBack.email(webhook, bounced)).toBe(204);
    const { journal } = await journalled('mailed', 'fallback');
    expect(journal.find(({ what }) => what === 'revoked')?.reason).toBe(
      'Resend: it bounced (Permanent, General)',
    );
    await until('the fallback', () => operators('mailed').length === 1);
    await spend('mailing', 3, [{ channel: 'email', threshold_pct: 0.5, target }]);
    expect((await journalled('mailing', 'suppressed')).journal).toContainEqual(
      expect.objectContaining({ what: 'suppressed', reason: 'unhealthy_destination' }),
    );
  });
});

describe('T9: a person’s click at PagerDuty', () => {
  test('acknowledges every open alert of its key, and nobody is told any more', async () => {
    const { sink, url } = service!;
    const target = 'R'.repeat(32);
    await spend('paged', 4.6, [
      { channel: 'pagerduty', threshold_pct: 0.9, target },
      { channel: 'webhook', threshold_pct: 0.5, target: `${sink.url}/webhook/own` },
    ]);
    const open = () =>
      alertsOf('paged').then((alerts) => alerts.filter(({ phase }) => phase === 'firing'));
    await until('both alerts', async () => (await open()).length === 2);
    await until('the page', () => sink.incidents().some(({ state }) => state === 'triggered'));

    const webhook = { url: `${url}/callbacks/pagerduty`, secret: PAGERDUTY_SECRET };
    expect(await sink.callBack.pagerduty(webhook, 'acknowledged')).toEqual([204]);
    await until('their acknowledgement', async () => (await open()).length === 0);
    for (const { id } of await alertsOf('paged')) {
      const { alert } = await detail(id);
      expect(alert.acknowledged?.by).toBe('Tenex Engineer (PagerDuty)');
    }
    // One that nobody has taken, raised later, gets to the operators (A8): these would have before.
    const told = sink.messages().filter(({ body }) => body.includes('paged')).length;
    await spend('witness', 4.6, [
      { channel: 'webhook', threshold_pct: 0.9, target: `${sink.url}/webhook/own` },
    ]);
    await until('the operators’ turn', () => operators('witness').length === 1);
    expect(operators('paged')).toEqual([]);
    expect(sink.messages().filter(({ body }) => body.includes('paged'))).toHaveLength(told);

    expect(await sink.callBack.pagerduty(webhook, 'resolved')).toEqual([204]);
    await until('their end', async () =>
      (await alertsOf('paged')).every(({ phase }) => phase === 'resolved'),
    );
  });
});
