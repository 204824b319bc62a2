/** Email through a mail server: the same message, and what the server may say or do instead. */
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEmailChannel } from '../../channels/email.js';
import { parseSmtpUrl } from '../../channels/email-smtp.js';
import type { OutcomeKind } from '../../domain/alert/outcome.js';
import { startSink } from '../../fakes/sink.js';
import { startSmtp, type Smtp, type SmtpStage, type SmtpStep } from '../../fakes/smtp.js';
import { firingView, HOSTILE_NAMES } from './channel-views.js';

const FROM = 'Kavach <alerts@kavach.example.com>';
const TO = 'canary@customer.example.com';
const LOGIN = { user: 'canary-user', pass: 'canary p@ss' };
const AMPLE_MS = 5_000;
const SHORT_MS = 200;

let smtp: Smtp;
beforeAll(async () => {
  smtp = await startSmtp({ login: LOGIN });
});
afterEach(() => {
  smtp.clear();
});
afterAll(async () => {
  await smtp.stop();
});

const urlOf = (
  port = smtp.port,
  pass = LOGIN.pass,
  protocol: 'smtp' | 'smtps' = 'smtp',
): string => {
  const login = `${encodeURIComponent(LOGIN.user)}:${encodeURIComponent(pass)}`;
  return `${protocol}://${login}@127.0.0.1:${port}`;
};

interface Options {
  readonly url?: string;
  readonly address?: string;
  readonly key?: string;
  readonly timeoutMs?: number;
  readonly now?: number;
  readonly agentName?: string;
}

async function attempt(options: Options = {}) {
  const { url = urlOf(), address = TO, key = 'k', timeoutMs = AMPLE_MS, now = 0 } = options;
  const channel = createEmailChannel({ from: FROM, smtp: { url } });
  const { agentName = 'research-bot' } = options;
  const outcome = await channel.deliver({
    message: channel.render(firingView({ agentName })),
    destination: { address },
    ...{ idempotencyKey: key, now, timeoutMs },
  });
  expect(JSON.stringify(outcome)).not.toMatch(/canary|127\.0\.0\.1|p@ss|:\/\/|@/i);
  expect(outcome.reason).not.toBe('');
  return outcome;
}

/** All of these are headers of one line. */
const headerOf = (data: string | undefined, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(data ?? '')?.[1]?.trim();

describe('a mail server in good health', () => {
  test('is logged in to, and takes the message for one recipient', async () => {
    expect(await attempt()).toMatchObject({ kind: 'accepted' });
    expect(smtp.sessions).toMatchObject([
      { loggedIn: true, from: 'alerts@kavach.example.com', to: [TO], taken: true },
    ]);
    const { data } = smtp.sessions[0]!;
    expect(headerOf(data, 'Subject')).toBe(
      '[MEDIUM] research-bot passed 80% of its daily cost budget',
    );
    expect(headerOf(data, 'To')).toBe(TO);
    expect(headerOf(data, 'From')).toBe(FROM);
    expect(headerOf(data, 'Auto-Submitted')).toBe('auto-generated');
    expect(data).toMatch(/multipart\/alternative/);
  });

  test('A11. every attempt sends the same bytes, and its Message-ID is of the key', async () => {
    smtp.script([
      { at: 'greeting', fault: 'cut' },
      { at: 'message', fault: 'cut' },
      { at: 'message', reply: '451 4.3.0 Try again' },
    ]);
    for (const no of [1, 2, 3, 4]) await attempt({ key: 'one-delivery', now: no * 30_000 });
    await attempt({ key: 'another-delivery' });
    const mails = smtp.sessions.flatMap(({ data }) => (data === undefined ? [] : [data]));
    expect(mails).toHaveLength(4);
    expect(new Set(mails.slice(0, 3)).size).toBe(1);
    const ids = mails.map((data) => headerOf(data, 'Message-ID'));
    expect(ids[0]).toMatch(/^<[0-9a-f]{40}@kavach\.example\.com>$/);
    expect(new Set(ids).size).toBe(2);
    expect(headerOf(mails[0], 'Date')).toBe('Sat, 21 Nov 2026 12:34:56 +0000');
  });

  test('without a login none is tried', async () => {
    const open = await startSmtp();
    try {
      const url = `smtp://127.0.0.1:${open.port}`;
      expect(await attempt({ url })).toMatchObject({ kind: 'accepted' });
      expect(open.sessions[0]).toMatchObject({ loggedIn: false, taken: true });
    } finally {
      await open.stop();
    }
  });

  test.each(HOSTILE_NAMES)(
    'a name that is %s adds no header and no recipient',
    async (_n, name) => {
      expect(await attempt({ agentName: name })).toMatchObject({ kind: 'accepted' });
      const { data, to } = smtp.sessions[0]!;
      expect(to).toEqual([TO]);
      expect(headerOf(data?.split('\r\n\r\n')[0], 'Bcc')).toBeUndefined();
    },
  );

  test.each(['nobody', 'a@b, c@d', 'a@b\r\nRCPT TO:<c@d>', '<a@b>', 'a@b@c', ''])(
    'an address that is not one address is about the recipient: %j',
    async (address) => {
      const outcome = await createEmailChannel({ from: FROM, smtp: { url: urlOf() } }).deliver({
        message: createEmailChannel({ from: FROM }).render(firingView()),
        ...{ destination: { address }, idempotencyKey: 'k', now: 0, timeoutMs: AMPLE_MS },
      });
      expect(outcome).toMatchObject({ kind: 'permanent_recipient' });
      expect(smtp.sessions).toHaveLength(0);
    },
  );

  test('leaves no socket open', async () => {
    // Bytes keep coming, so that no time-out of the package's own ends it.
    smtp.script([{ at: 'message', fault: 'drip' }]);
    await attempt({ timeoutMs: SHORT_MS });
    await attempt();
    await expect.poll(() => smtp.open()).toBe(0);
  });
});

describe('what a mail server says', () => {
  test.each<[SmtpStage, string, OutcomeKind]>([
    ['rcpt', '550 5.1.1 No such user', 'permanent_recipient'],
    ['rcpt', '550 No such user', 'permanent_recipient'],
    ['rcpt', '551 User not local', 'permanent_recipient'],
    ['rcpt', '553 Mailbox name not allowed', 'permanent_recipient'],
    ['rcpt', '552 5.2.2 Mailbox full', 'transient'],
    ['rcpt', '550 5.7.1 Relaying denied', 'permanent_config'],
    ['rcpt', '554 Refused', 'permanent_config'],
    ['rcpt', '450 4.2.0 Greylisted', 'transient'],
    ['rcpt', '452 4.5.3 Too many recipients this hour', 'throttled'],
    ['rcpt', '450 4.7.1 Rate limited', 'throttled'],
    ['mail', '550 5.1.8 Sender unknown', 'permanent_config'],
    ['mail', '553 5.7.1 Not your sender', 'permanent_config'],
    ['mail', '421 4.7.0 Too many connections', 'throttled'],
    ['mail', '451 4.3.0 Local error', 'transient'],
    ['auth', '535 5.7.8 Bad credentials', 'permanent_config'],
    ['auth', '454 4.7.0 Temporary failure', 'transient'],
    ['greeting', '421 4.3.2 Going down', 'transient'],
    ['greeting', '554 No service', 'permanent_config'],
    ['data', '451 4.3.0 Not now', 'transient'],
    ['data', '554 5.6.0 No', 'permanent_config'],
    ['message', '550 5.1.1 No such user', 'permanent_recipient'],
    ['message', '554 5.7.1 Spam', 'permanent_config'],
    ['message', '552 5.3.4 Too large', 'permanent_config'],
    ['message', '451 4.3.0 Try again', 'transient'],
    ['message', '421 4.3.0 Going down', 'transient'],
  ])('at %s: %s is %s', async (at, reply, kind) => {
    smtp.script([{ at, reply }]);
    const outcome = await attempt();
    expect(outcome.kind).toBe(kind);
    expect(outcome.reason).toContain(reply.slice(0, 3));
    expect(smtp.sessions.filter(({ taken }) => taken)).toHaveLength(0);
  });

  test('words that repeat what it was given are not repeated', async () => {
    smtp.script([
      { at: 'rcpt', reply: `550 5.1.1 <${TO}> is unknown, see https://canary.example` },
    ]);
    expect((await attempt()).reason).toBe(
      'SMTP 550 5.1.1 <[redacted]> is unknown, see [redacted] (RCPT TO)',
    );
  });

  test('a wrong password is for the operator', async () => {
    const url = urlOf(smtp.port, 'canary-wrong');
    expect(await attempt({ url })).toMatchObject({ kind: 'permanent_config' });
  });
});

describe('what a mail server may do instead', () => {
  const STAGES = ['greeting', 'ehlo', 'auth', 'mail', 'rcpt', 'data', 'message'] as const;
  const FAULTS = ['cut', 'hang', 'drip', 'flood'] as const;
  const CASES = STAGES.flatMap((at) => FAULTS.map((fault) => ({ at, fault })));

  // Before the message was asked for nothing was sent; after it, nobody knows.
  test.each<SmtpStep>(CASES)('%o', async (step) => {
    smtp.script([step]);
    const startedAt = performance.now();
    const outcome = await attempt({ timeoutMs: SHORT_MS * 2 });
    expect(outcome.kind).toBe(step.at === 'message' ? 'ambiguous' : 'transient');
    expect(performance.now() - startedAt).toBeLessThan(SHORT_MS * 2 + 1_500);
  });

  test('a refused connection is transient', async () => {
    const gone = await startSmtp();
    await gone.stop();
    expect(await attempt({ url: urlOf(gone.port) })).toEqual({
      kind: 'transient',
      reason: 'connection refused, no message was sent',
    });
  });

  test('a failed TLS handshake is transient', async () => {
    const outcome = await attempt({ url: urlOf(smtp.port, LOGIN.pass, 'smtps') });
    expect(outcome).toMatchObject({ kind: 'transient' });
    expect(outcome.reason).toContain('TLS');
    expect(smtp.sessions[0]).toMatchObject({ taken: false });
  });

  test('a host name that does not exist is transient', async () => {
    expect(await attempt({ url: 'smtp://canary.invalid:25' })).toMatchObject({
      kind: 'transient',
    });
  });

  test('a server that speaks HTTP is none', async () => {
    const sink = await startSink();
    try {
      const url = `smtp://127.0.0.1:${sink.port}`;
      expect((await attempt({ url, timeoutMs: SHORT_MS })).kind).toBe('transient');
    } finally {
      await sink.stop();
    }
  });
});

describe('the address of a mail server', () => {
  test.each([
    [
      'smtp://mail.example.com',
      { host: 'mail.example.com', port: 587, secure: false, requireTLS: false },
    ],
    // M-2. A password never goes out in the clear.
    [
      'smtp://u%40x:p%3Aw@mail.example.com:25',
      {
        ...{ host: 'mail.example.com', port: 25, secure: false, requireTLS: true },
        auth: { user: 'u@x', pass: 'p:w' },
      },
    ],
    [
      'smtps://u:p@mail.example.com',
      {
        ...{ host: 'mail.example.com', port: 465, secure: true, requireTLS: false },
        auth: { user: 'u', pass: 'p' },
      },
    ],
    [
      'smtp://u:p@127.0.0.1:2525',
      {
        ...{ host: '127.0.0.1', port: 2525, secure: false, requireTLS: false },
        auth: { user: 'u', pass: 'p' },
      },
    ],
    ['smtp://[::1]:25', { host: '::1', port: 25, secure: false, requireTLS: false }],
    ['https://mail.example.com', undefined],
    ['smtp://', undefined],
    ['mail.example.com', undefined],
    ['smtp://%zz@mail.example.com', undefined],
  ])('%s', (url, settings) => {
    expect(parseSmtpUrl(url)).toEqual(settings);
  });

  test('M-2. a server that offers no TLS is given no password', async () => {
    // Another name of this machine than those for which the rule is lifted.
    const url = urlOf().replace('127.0.0.1', '0.0.0.0');
    const outcome = await attempt({ url });
    expect(outcome).toMatchObject({ kind: 'permanent_config' });
    expect(outcome.reason).toContain('STARTTLS');
    expect(smtp.sessions).toMatchObject([{ loggedIn: false, taken: false }]);
  });

  test('one that is none is for the operator', async () => {
    expect(await attempt({ url: 'canary' })).toMatchObject({ kind: 'permanent_config' });
  });
});

describe('beside Resend', () => {
  test("a destination's own Resend key goes to Resend", async () => {
    const sink = await startSink();
    try {
      const baseUrl = `${sink.url}/resend`;
      const channel = createEmailChannel({ from: FROM, baseUrl, smtp: { url: urlOf() } });
      const send = (secrets: readonly string[]) =>
        channel.deliver({
          message: channel.render(firingView()),
          destination: { address: TO, secrets },
          ...{ idempotencyKey: 'k', now: 0, timeoutMs: AMPLE_MS },
        });
      expect(await send(['re_canary'])).toMatchObject({ kind: 'accepted' });
      expect([sink.messages().length, smtp.sessions.length]).toEqual([1, 0]);
      expect(await send([''])).toMatchObject({ kind: 'accepted' });
      expect([sink.messages().length, smtp.sessions.length]).toEqual([1, 1]);
    } finally {
      await sink.stop();
    }
  });

  test('only Resend drops repeats', () => {
    expect(createEmailChannel({ from: FROM }).idempotent).toBe(true);
    expect(createEmailChannel({ from: FROM, smtp: { url: urlOf() } }).idempotent).toBe(false);
  });
});
