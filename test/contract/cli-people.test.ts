/** `kavach recipients` and `kavach prefs`: what is asked, what is shown. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';

const UNTIL = Date.UTC(2026, 10, 22);

async function ask(argv: string[], answers: Record<string, Answer> = {}) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const run = await kavach(argv, { env });
  return { ...run, asked: server.asked, body: server.asked.at(-1)?.body };
}

const preferences = {
  ...{ default: { sms: false }, agents: { 'batch-agent': { push: false } } },
  ...{ minimumPriority: { push: 'high' }, digest: { cadence: 'daily', hour: 7 } },
  ...{ quietHours: { from: '22:00', to: '07:00', passes: 'critical' } },
  ...{ zone: 'Europe/Berlin', unsubscribed: false },
};
const ana = {
  ...{ id: 'ana', name: 'Ana Lima', createdAt: 1, changedAt: 1, preferences },
  contacts: [
    { channel: 'email', masked: 'a***@example.com', destination: 'd', health: 'ok', verifiedAt: 1 },
    { channel: 'sms', masked: '***67', destination: 'd', health: 'ok' },
  ],
};

describe('recipients', () => {
  test('are shown over all pages, with what is not verified yet', async () => {
    const { code, out } = await ask(['recipients'], {
      'GET /v1/recipients?limit=1000': [200, { recipients: [ana], nextCursor: 'next' }],
      'GET /v1/recipients?limit=1000&cursor=next': [
        200,
        { recipients: [{ ...ana, id: 'bo', preferences: { ...preferences, unsubscribed: true } }] },
      ],
    });
    expect(code).toBe(0);
    expect(out).toMatch(
      /ana +Ana Lima +a\*\*\*@example\.com +\*\*\*67, not verified +daily +22:00 to 07:00 +Europe\/Berlin/,
    );
    expect(out).toMatch(/bo .* unsubscribed/);
  });

  test('are added with their addresses, and the next step is said', async () => {
    const { out, asked } = await ask(
      ['recipients', 'add', 'ana/b', '--name', 'Ana', '--email', 'ana@example.com'],
      {
        'PUT /v1/recipients/ana%2Fb': [200, { changed: true, recipient: ana }],
        'PUT /v1/recipients/ana%2Fb/contacts/email': [
          200,
          { changed: true, recipient: ana, code: { kind: 'accepted', reason: '', until: UNTIL } },
        ],
      },
    );
    expect(asked.map(({ body }) => body)).toEqual([
      { name: 'Ana', by: 'ada' },
      { address: 'ana@example.com', by: 'ada' },
    ]);
    expect(out).toContain('good until 2026-11-22 00:00:00Z');
    expect(out).toContain('kavach recipients verify ana/b email <code>');
  });

  test('contacts are set, forgotten, sent a code, and verified', async () => {
    const contact = '/v1/recipients/ana/contacts/sms';
    const sent = { kind: 'transient', reason: 'HTTP 500' };
    const set = await ask(['recipients', 'contact', 'ana', 'sms', '+15551234567'], {
      [`PUT ${contact}`]: [200, { changed: true, recipient: ana, code: sent }],
    });
    expect(set.body).toEqual({ address: '+15551234567', by: 'ada' });
    expect(set.out).toContain('No code was sent by sms: HTTP 500');
    const forgotten = await ask(['recipients', 'contact', 'ana', 'sms'], {
      [`DELETE ${contact}`]: [200, { changed: true }],
    });
    expect(forgotten.out).toContain('forgotten');
    const again = await ask(['recipients', 'code', 'ana', 'sms'], {
      [`POST ${contact}/code`]: [200, { code: sent }],
    });
    expect(again.code).toBe(1);
    const verified = await ask(['recipients', 'verify', 'ana', 'sms', '482913', '--json'], {
      [`POST ${contact}/verify`]: [200, { changed: true, recipient: ana }],
    });
    expect(verified.body).toEqual({ code: '482913', by: 'ada' });
    expect(JSON.parse(verified.out)).toMatchObject({ changed: true, recipient: { id: 'ana' } });
  });

  test('are removed', async () => {
    const { out, body } = await ask(['recipients', 'remove', 'ana', '--by', 'jo'], {
      'DELETE /v1/recipients/ana': [200, { changed: true }],
    });
    expect(body).toEqual({ by: 'jo' });
    expect(out).toContain('ana was removed.');
  });
});

describe('preferences', () => {
  const put = { 'PUT /v1/recipients/ana/preferences': [200, { changed: true, preferences }] };
  const DOCUMENT = '{"default":{"push":true,"email":true,"sms":false}}';

  test('are shown in words', async () => {
    const { out } = await ask(['prefs', 'ana'], {
      'GET /v1/recipients/ana/preferences': [200, { preferences }],
    });
    expect(out).toMatch(/\(every agent\) +on +on +off/);
    expect(out).toMatch(/batch-agent +off/);
    expect(out).toContain('Told only: push from high');
    expect(out).toContain('Digest: daily at 07:00');
    expect(out).toContain('Quiet: 22:00 to 07:00, but for critical and above');
  });

  test('are set from the line and from a file', async () => {
    const answers = put as unknown as Record<string, Answer>;
    const line = await ask(['prefs', 'set', 'ana', DOCUMENT], answers);
    expect(line.body).toEqual({ ...(JSON.parse(DOCUMENT) as object), by: 'ada' });
    const folder = mkdtempSync(join(tmpdir(), 'kavach-prefs-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const file = join(folder, 'ana.json');
    writeFileSync(file, DOCUMENT);
    expect((await ask(['prefs', 'set', 'ana', `@${file}`], answers)).body).toEqual(line.body);
  });

  test('what is no document says so, and asks nobody', async () => {
    for (const document of ['{"default":', '[]', 'null']) {
      const { code, err, asked } = await ask(['prefs', 'set', 'ana', document]);
      expect({ code, asked }).toEqual({ code: 1, asked: [] });
      expect(err).toContain('no JSON object');
    }
    const { code, err } = await ask(['prefs', 'set', 'ana', '@/nowhere/at-all.json']);
    expect(code).toBe(1);
    expect(err).toContain('cannot be read');
    expect((await ask(['prefs'])).code).toBe(2);
  });
});

test('an alert shows whom it was told, and why', async () => {
  const id = 'alert/default/notice/agent-1';
  const alert = {
    ...{ id, org: 'default', subject: 'notice/bot', phase: 'firing', exhausted: false },
    ...{ raisedAt: 1, code: 'K7Q2MD' },
    facts: {
      ...{ kind: 'notice', org: 'default', topic: 'agent', agentName: 'bot', title: 'News' },
      ...{ lines: [], severity: 'error', priority: 'high', at: 1 },
    },
  };
  const routing = [
    { channel: 'slack', what: 'send', reason: 'organisation', at: 1 },
    { recipient: 'ana', channel: 'sms', what: 'suppress', reason: 'preference', at: 1 },
    {
      ...{ recipient: 'ana', channel: 'push', what: 'hold', reason: 'quiet_hours', at: 1 },
      until: UNTIL,
    },
  ];
  const { out } = await ask(['alert', id], {
    'GET /v1/alerts?limit=1000': [200, { alerts: [alert] }],
    [`GET /v1/alerts/${encodeURIComponent(id)}`]: [
      200,
      { alert, deliveries: [], journal: [], attempts: [], routing },
    ],
  });
  expect(out).toMatch(/\(organisation\) +slack +send +organisation: this channel is the org/);
  expect(out).toMatch(/ana +sms +suppress +preference: its recipient does not want this channel/);
  expect(out).toMatch(/ana +push +hold until 2026-11-22 00:00:00Z +quiet_hours: /);
});
