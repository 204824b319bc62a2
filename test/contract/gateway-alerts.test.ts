/** Alerts over the API: one whole, and a person's word to it (A9). */
import { describe, expect, test } from 'vitest';
import { ALERT_ID, done, startAlertGateway } from './gateway-alert-kit.js';
import { NOON } from './gateway-kit.js';

const path = (word = '') => `/v1/alerts/${encodeURIComponent(ALERT_ID)}${word}`;

describe('one alert', () => {
  test('answers its state, each delivery with its attempts, and the journal', async () => {
    const { get, ledger, put } = await startAlertGateway();
    put('acknowledged', 'ada');
    ledger.journals.set(ALERT_ID, [
      { no: 1, at: NOON, what: 'raised' },
      { no: 2, at: NOON, what: 'suppressed', delivery: 'd2', channel: 'sms', reason: 'priority' },
      { no: 3, at: NOON + 5, what: 'delivered', delivery: 'd1', channel: 'slack' },
      { no: 4, at: NOON + 9, what: 'acknowledged', by: 'ada', reason: 'on it' },
    ]);
    const outcome = { kind: 'accepted', reason: 'ok' } as const;
    ledger.attempts.set(ALERT_ID, [
      { deliveryId: 'd1', channel: 'slack', attempt: 1, startedAt: NOON + 1 },
      { deliveryId: 'd1', channel: 'slack', attempt: 2, startedAt: NOON + 2, outcome },
      { deliveryId: 'd3', channel: 'email', attempt: 1, startedAt: NOON + 3 },
    ]);
    const { status, body } = await get(path());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      alert: {
        id: ALERT_ID,
        phase: 'acknowledged',
        acknowledged: { by: 'ada', at: NOON + 9, note: 'on it' },
        facts: { thresholdBps: 8_000 },
      },
      deliveries: [
        { id: 'd2', channel: 'sms', status: 'suppressed', reason: 'priority', attempts: [] },
        { id: 'd1', channel: 'slack', status: 'accepted', attempts: [{ attempt: 1 }, { outcome }] },
        { id: 'd3', channel: 'email', status: 'under_way' },
      ],
    });
    expect(body['journal']).toHaveLength(4);
    expect(body['attempts']).toHaveLength(3);
  });

  test('an unknown one, and one of another organisation: 404', async () => {
    const { get, post, ledger } = await startAlertGateway();
    const foreign = 'alert/other/agent:a/daily/20261121T000000Z/1-cost-8000';
    ledger.alertViews.push({ ...ledger.alertViews[0]!, id: foreign, org: 'other' });
    for (const id of ['alert/x', foreign]) {
      const encoded = `/v1/alerts/${encodeURIComponent(id)}`;
      expect(await get(encoded)).toMatchObject({ status: 404, body: { title: 'Unknown alert' } });
      expect((await post(`${encoded}/acknowledge`, { by: 'ada' })).status).toBe(404);
    }
  });
});

describe('a word to an alert', () => {
  test.each(['acknowledge', 'resolve'] as const)('%s reaches the workflow', async (act) => {
    const { post, told } = await startAlertGateway();
    const answer = await post(path(`/${act}`), { by: 'ada', note: 'on it' });
    expect(answer.status).toBe(200);
    const phase = act === 'resolve' ? 'resolved' : 'acknowledged';
    expect(answer.body).toMatchObject({ alert: { phase, [phase]: { by: 'ada', note: 'on it' } } });
    expect(told).toEqual([{ act, id: ALERT_ID, actor: { by: 'ada', note: 'on it' } }]);
  });

  test('without a name it is the key’s; slashes of the id may stand as they are', async () => {
    const { request, told, ledger } = await startAlertGateway();
    const id = 'alert/default/org/daily/20261121T000000Z/1-cost-8000';
    ledger.alertViews.push({ ...ledger.alertViews[0]!, id });
    expect((await request('POST', `/v1/alerts/${id}/acknowledge`)).status).toBe(200);
    expect(told).toEqual([{ act: 'acknowledge', id, actor: { by: 'tester' } }]);
  });

  test('A9: twice is once: the first word stands, and Temporal need not be there', async () => {
    const { post, put, temporal } = await startAlertGateway();
    temporal.answer = () => Promise.reject(new Error('away'));
    for (const [act, phase] of [
      ['acknowledge', 'acknowledged'],
      ['resolve', 'resolved'],
    ] as const) {
      put(phase, 'ada');
      const answer = await post(path(`/${act}`), { by: 'eve' });
      expect(answer).toMatchObject({ status: 200, body: { alert: { [phase]: { by: 'ada' } } } });
    }
  });

  test.each([
    ['acknowledge', 'ada', 'was resolved by ada'],
    ['acknowledge', 'period end', 'ended with its period'],
    ['resolve', 'period end', 'ended with its period'],
    ['resolve', 'delivered', 'ended when its deliveries had'],
  ])('an alert that is over answers 409: %s after %s', async (act, by, cause) => {
    const { post, put, told } = await startAlertGateway();
    put('resolved', by);
    const answer = await post(path(`/${act}`), { by: 'eve' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'already_resolved' } });
    expect(answer.body['detail']).toContain(cause);
    expect(told).toEqual([]);
  });

  test('over since a moment that the book does not have yet: 409, too', async () => {
    const { post, put, temporal } = await startAlertGateway();
    const refusal = { code: 'already_resolved', message: 'the alert is already resolved' };
    temporal.answer = () => Promise.resolve({ type: 'refused', refusal });
    expect((await post(path('/acknowledge'), { by: 'eve' })).status).toBe(409);
    temporal.answer = () => {
      put('resolved', 'period end');
      return Promise.resolve({ type: 'not_running' });
    };
    expect((await post(path('/acknowledge'), { by: 'eve' })).status).toBe(409);
  });

  test.each<[string, () => Promise<never>]>([
    ['refuses', () => Promise.reject(new Error('14 UNAVAILABLE'))],
    ['hangs', () => new Promise(() => undefined)],
  ])('a Temporal that %s is a 503 that says to try again', async (_what, answer) => {
    const { post, temporal } = await startAlertGateway();
    temporal.answer = answer;
    const { status, headers, body } = await post(path('/acknowledge'), { by: 'eve' });
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('2');
    expect(body['detail']).toContain('try again');
    temporal.answer = (said) => Promise.resolve(done(said));
    expect((await post(path('/acknowledge'), { by: 'eve' })).status).toBe(200);
  });

  test.each<[string, unknown, string]>([
    ['a number for a name', { by: 7 }, 'by'],
    ['an empty name', { by: ' ' }, 'by'],
    ['NUL in the note', { by: 'a', note: 'x\u0000' }, 'note'],
    ['a note of 600 characters', { by: 'a', note: 'x'.repeat(600) }, 'note'],
  ])('%s: 422, and nobody is told', async (_what, body, where) => {
    const { post, told } = await startAlertGateway();
    expect(await post(path('/resolve'), body)).toMatchObject({
      status: 422,
      body: { path: where },
    });
    expect(told).toEqual([]);
  });

  test('another word is nothing here', async () => {
    const { post } = await startAlertGateway();
    expect((await post(path('/explode'), {})).status).toBe(405);
    const onlyRead = await post(path(), {});
    expect(onlyRead.status).toBe(405);
    expect(onlyRead.headers.get('allow')).toBe('GET, HEAD');
  });
});
