import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { first, startSink, type Sink } from '../../fakes/sink.js';

const payload = { summary: 's', source: 's', severity: 'warning' };
const MESSAGES = '/twilio/2010-04-01/Accounts/AC1/Messages.json';
const SMS = { To: '+15550000001', From: '+15550000003', Body: 'hello' };
const LOGIN = { authorization: `Basic ${Buffer.from('AC1:token').toString('base64')}` };
const formOf = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

describe('the sink that stands for the providers', () => {
  let sink: Sink;
  beforeEach(async () => {
    sink = await startSink();
  });
  afterEach(async () => {
    await sink.stop();
  });

  const postTo = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${sink.url}${path}`, { method: 'POST', body, headers });

  test('tells its listeners, and other processes, what it was sent', async () => {
    const seen: string[] = [];
    const leave = sink.onRequest(({ path, status }) => seen.push(`${path} ${String(status)}`));
    await postTo('/slack/team', '{"text":"hello"}');
    leave();
    await postTo('/webhook/x', '{}', { 'webhook-id': 'k' });
    expect(seen).toEqual(['/slack/team 200']);
    const record: unknown = await (await fetch(`${sink.url}/_requests`)).json();
    expect(record).toMatchObject([
      { no: 1, channel: 'slack', body: '{"text":"hello"}', status: 200, taken: true },
      { no: 2, channel: 'webhook', key: 'k', taken: true, repeat: false },
    ]);
  });

  test('uses up its scripts in order, a path before its channel', async () => {
    sink.script('/slack/a', first(2, { type: 'status', status: 503 }));
    sink.script('slack', [{ type: 'html' }]);
    const statuses: number[] = [];
    for (const path of ['/slack/a', '/slack/b', '/slack/a', '/slack/a']) {
      statuses.push((await postTo(path, '{"text":"x"}')).status);
    }
    expect(statuses).toEqual([503, 502, 503, 200]);
    expect(sink.messages('/slack/a')).toHaveLength(1);
  });

  test.each([
    ['nothing to read', '{}', 'no_text'],
    ['what is not JSON', 'hello', 'invalid_payload'],
    [
      '51 blocks',
      JSON.stringify({ text: 'x', blocks: Array(51).fill({ type: 'divider' }) }),
      'invalid_blocks',
    ],
    [
      '10,000 characters',
      JSON.stringify({ blocks: [], text: 'x'.repeat(10_000) }),
      'msg_blocks_too_long',
    ],
  ])('as Slack it refuses %s', async (_name, body, word) => {
    const answer = await postTo('/slack/a', body);
    expect([answer.status, await answer.text()]).toEqual([400, word]);
  });

  test.each<[string, object, string]>([
    ['a short routing key', { routing_key: 'R0' }, "'routing_key' is invalid"],
    ['an unknown action', { event_action: 'page' }, "'event_action' is invalid"],
    ['a long key', { dedup_key: 'k'.repeat(256) }, "'dedup_key' is too long"],
    ['no summary', { payload: { source: 's', severity: 'error' } }, "'payload.summary'"],
    ['no source', { payload: { summary: 's', severity: 'error' } }, "'payload.source'"],
    ['a severity', { payload: { summary: 's', source: 's', severity: 'high' } }, 'severity'],
    ['no key to resolve', { event_action: 'resolve', dedup_key: undefined }, "'dedup_key'"],
  ])('as PagerDuty it refuses %s', async (_name, fields, fault) => {
    const event = { routing_key: 'r'.repeat(32), event_action: 'trigger', dedup_key: 'k', payload };
    const answer = await postTo('/pagerduty/v2/enqueue', JSON.stringify({ ...event, ...fields }));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(fault);
    expect(sink.incidents()).toEqual([]);
  });

  test('as PagerDuty it keeps incidents, and opens a new one after a resolution', async () => {
    const send = (action: string, severity = 'warning') =>
      postTo(
        '/pagerduty/v2/enqueue',
        JSON.stringify({
          ...{ routing_key: 'r'.repeat(32), event_action: action, dedup_key: 'k' },
          payload: { ...payload, severity },
        }),
      );
    const states: unknown[] = [];
    for (const action of ['resolve', 'trigger', 'trigger', 'acknowledge', 'resolve', 'trigger']) {
      expect((await send(action)).status).toBe(202);
      states.push(sink.incidents().map(({ state, triggers }) => `${state} ${triggers}`)[0]);
    }
    expect(states).toEqual([
      ...[undefined, 'triggered 1', 'triggered 1'],
      ...['acknowledged 1', 'resolved 1', 'triggered 1'],
    ]);
    await send('trigger', 'critical');
    expect(sink.incidents()).toMatchObject([{ severity: 'critical', triggers: 2 }]);
  });

  test.each<[string, Record<string, string>, number, number]>([
    ['no number', { To: 'nobody' }, 400, 21211],
    ['no sender', { From: '' }, 400, 21603],
    ['no text', { Body: '' }, 400, 21602],
    ['1,601 characters', { Body: 'x'.repeat(1_601) }, 400, 21617],
    ['a validity of a day', { ValidityPeriod: '86400' }, 400, 21624],
  ])('as Twilio it refuses %s', async (_name, fields, status, code) => {
    const answer = await postTo(MESSAGES, formOf({ ...SMS, ...fields }), LOGIN);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code, status });
    expect(sink.messages()).toEqual([]);
  });

  test('as Twilio it lists what it took, newest first, to who may ask', async () => {
    for (const Body of ['first', 'second']) await postTo(MESSAGES, formOf({ ...SMS, Body }), LOGIN);
    await postTo(MESSAGES, formOf({ ...SMS, To: '+15550000002' }), LOGIN);
    const list = async (query: Record<string, string>) => {
      const url = `${sink.url}${MESSAGES}?${formOf(query)}`;
      const page = (await (await fetch(url, { headers: LOGIN })).json()) as {
        messages: { body: string }[];
      };
      return page.messages.map(({ body }) => body);
    };
    expect(await list({ To: SMS.To })).toEqual(['second', 'first']);
    expect(await list({ To: SMS.To, PageSize: '1' })).toEqual(['second']);
    expect(await list({ 'DateSent>': '2100-01-01T00:00:00Z' })).toEqual([]);
    expect(await list({ From: '+15550000009' })).toEqual([]);
    expect(sink.messages()).toHaveLength(3);
    expect((await postTo(MESSAGES, formOf(SMS))).status).toBe(401);
  });

  test('as Resend it knows a key again, even when its answer was lost', async () => {
    const headers = { authorization: 'Bearer re_x', 'idempotency-key': 'k' };
    const mail = JSON.stringify({ from: 'a@example.com', to: 'b@example.com', subject: 's' });
    sink.script('email', [{ type: 'reset', at: 'answer' }]);
    await expect(postTo('/resend/emails', mail, headers)).rejects.toThrow();
    const again = await postTo('/resend/emails', mail, headers);
    expect(await again.json()).toEqual({ id: 're_fake_00000001' });
    expect(sink.messages()).toHaveLength(1);
    expect((await postTo('/resend/emails', `${mail} `, headers)).status).toBe(409);
    expect((await postTo('/resend/emails', mail)).status).toBe(401);
  });
});
