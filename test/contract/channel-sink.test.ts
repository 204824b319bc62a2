import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { first, startSink, type Sink } from '../../fakes/sink.js';

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
