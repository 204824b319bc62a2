/** POST /v1/notices: what is taken, for whom a key may speak, and what is refused. */
import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../../gateway/auth.js';
import { NOON, startTestGateway, testKey } from './gateway-kit.js';
import { bearer } from './gateway-real-kit.js';

const notice = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  notification_id: 'n-1',
  agent_id: 'support-agent',
  title: 'The job is done',
  body: 'Line one\nline two',
  priority: 'high',
  channels: ['push', 'email', 'push'],
  user_id: 'admin-1',
  metadata: { run: 7 },
  created_at: NOON / 1_000 - 2.5,
  dedup_key: 'job-7',
  ...over,
});

describe('a notice', () => {
  test('is taken as the document has it', async () => {
    const { post, ledger } = await startTestGateway();
    const answer = await post('/v1/notices', notice());
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'raised', repeats: 0 });
    expect(answer.body['alert_id']).toMatch(/^alert\/default\/notice\/agent-id-\d+$/);
    expect(ledger.notices).toMatchObject([
      {
        ...{ org: 'default', agent: 'support-agent', recipient: 'admin-1', dedupKey: 'job-7' },
        ...{ notificationId: 'n-1', title: 'The job is done', body: 'Line one\nline two' },
        ...{ channels: ['push', 'email'], metadata: { run: 7 }, createdAt: NOON - 2_500 },
      },
    ]);
  });

  test('needs only who, what, whom and where', async () => {
    const { post, ledger } = await startTestGateway();
    const least = { agent_id: 'a', title: 't', user_id: 'u', channels: ['email'] };
    expect((await post('/v1/notices', least)).status).toBe(202);
    expect(ledger.notices).toMatchObject([{ priority: 'medium', body: '', createdAt: NOON }]);
    expect(ledger.notices[0]).not.toHaveProperty('dedupKey');
  });

  test.each([
    ['ISO 8601', '2026-11-21T11:59:00Z', NOON - 60_000],
    ['a year ago: the receipt counts', (NOON - 365 * 86_400_000) / 1_000, NOON],
    ['an hour ahead: the receipt counts', NOON / 1_000 + 3_600, NOON],
    ['milliseconds: the receipt counts', NOON, NOON],
  ])('was made at %s', async (_what, given, createdAt) => {
    const { post, ledger } = await startTestGateway();
    const { body } = await post('/v1/notices', notice({ created_at: given }));
    // What was not taken as it was said is told.
    if (createdAt === NOON) expect(JSON.stringify(body['warnings'])).toContain('created_at');
    else expect(body).not.toHaveProperty('warnings');
    expect(ledger.notices).toMatchObject([{ createdAt }]);
  });

  const proto = JSON.parse('{"a":{"__proto__":1}}') as unknown;
  const deep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as unknown;
  test.each([
    ['no recipient', { user_id: undefined }, 'user_id'],
    ['no channel', { channels: [] }, 'channels'],
    ['a channel to kill by', { channels: ['kill'] }, 'channels[0]'],
    ['a priority nobody has', { priority: 'urgent' }, 'priority'],
    ['a title of spaces', { title: '  ' }, 'title'],
    ['a body with NUL', { body: 'a\0b' }, 'body'],
    ['a body without an end', { body: 'x'.repeat(10_001) }, 'body'],
    ['metadata over 8 KB', { metadata: { a: 'ü'.repeat(4_100) } }, 'metadata'],
    ['metadata without a floor', { metadata: deep }, 'metadata'],
    ['a list for metadata', { metadata: [1] }, 'metadata'],
    ['a prototype in metadata', { metadata: proto }, 'metadata.a.__proto__'],
    ['a moment that is none', { created_at: '2026-02-30T00:00:00Z' }, 'created_at'],
    ['a moment past every calendar', { created_at: 1e300 }, 'created_at'],
  ])('with %s is refused, with its path', async (_what, over, path) => {
    const { post, ledger } = await startTestGateway();
    const answer = await post('/v1/notices', notice(over));
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ path });
    expect(ledger.notices).toEqual([]);
  });

  test('G-K2: a key of one agent speaks for no other', async () => {
    const { request, ledger } = await startTestGateway();
    ledger.apiKeys.set(hashApiKey('kv_one'), testKey({ agent: 'support-agent' }));
    const send = (agent: string) =>
      request('POST', '/v1/notices', JSON.stringify(notice({ agent_id: agent })), bearer('kv_one'));
    expect((await send('support-agent')).status).toBe(202);
    expect((await send('another')).status).toBe(403);
    expect(ledger.notices).toHaveLength(1);
  });

  test('what it says is in no line of the log', async () => {
    const { post, lines } = await startTestGateway();
    await post('/v1/notices', notice());
    expect(JSON.stringify(lines)).not.toMatch(/job is done|line two|admin-1/);
  });
});
