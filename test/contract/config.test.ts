/** The service's configuration: every fault at once, no secret in any of them. */
import { describe, expect, test } from 'vitest';
import { createSealKey } from '../../ledger/seal.js';
import { ConfigError, loadConfig } from '../../worker/config.js';
import { SECRET_VARIABLES } from '../../worker/secret-variables.js';
import { VARIABLES } from '../../worker/variables.js';

const ACCOUNT_SID = 'AC0123456789abcdef0123456789abcdef';

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('callbacks: secrets by commas, without doubles; Twilio is told where, if that is known', () => {
  const secret = `whsec_${'A'.repeat(32)}`;
  const account = {
    ...{ TWILIO_ACCOUNT_SID: ACCOUNT_SID, TWILIO_AUTH_TOKEN: 't', TWILIO_FROM: 'Kavach' },
  };
  const config = loadConfig({
    ...account,
    RESEND_WEBHOOK_SECRET: `${secret}, ${secret}`,
    PAGERDUTY_WEBHOOK_SECRET: `${'a'.repeat(16)},${'b'.repeat(16)}`,
    KAVACH_PUBLIC_URL: 'https://kavach.example/',
  });
  expect(config.callbacks).toEqual({
    resendSecrets: [secret],
    pagerdutySecrets: ['a'.repeat(16), 'b'.repeat(16)],
  });
  expect(config.channels.sms?.statusCallback).toBe('https://kavach.example/callbacks/twilio');
  expect(loadConfig(account).channels.sms).not.toHaveProperty('statusCallback');
  const faults = faultsOf({
    RESEND_WEBHOOK_SECRET: `${secret},canary`,
    PAGERDUTY_WEBHOOK_SECRET: `${'a'.repeat(16)},`,
  });
  expect(faults).toHaveLength(2);
  expect(faults.join()).not.toMatch(/canary|aaaa/);
});

describe('an empty environment', () => {
  test('gives the documented defaults', () => {
    expect(loadConfig({})).toMatchObject({
      dataDir: '.kavach',
      gateway: { host: '127.0.0.1', port: 8787 },
      temporal: { port: 7233, uiPort: 8233, taskQueue: 'kavach', maxCachedWorkflows: 2000 },
      relay: { intervalMs: 10_000, signalsPerSecond: 50 },
      policy: { ladderMs: [30_000, 120_000, 600_000], cooldownMs: 300_000, runSilenceMs: 60_000 },
      zone: 'UTC',
      destinations: [],
      // Nothing but the public internet.
      allowTargets: [],
    });
  });

  test('is the same as one full of empty variables', () => {
    const names = Object.keys(VARIABLES.shape);
    expect(loadConfig(Object.fromEntries(names.map((name) => [name, ' '])))).toEqual(
      loadConfig({}),
    );
  });
});

describe('faults', () => {
  const BAD = {
    KAVACH_PORT: '80800',
    KAVACH_PUBLIC_URL: 'kavach.example',
    KAVACH_LADDER_MS: '1000,soon',
    KAVACH_ORG_ZONE: 'Mars/Olympus',
    KAVACH_LOG_LEVEL: 'loud',
    KAVACH_MAX_CACHED_WORKFLOWS: '1e3',
  };

  test('are all told at once, with name, what was given and what was expected', () => {
    const faults = faultsOf(BAD);
    for (const [name, given] of Object.entries(BAD)) {
      const fault = faults.find((line) => line.startsWith(`${name} is ${JSON.stringify(given)}`));
      expect(fault, name).toMatch(/: expected \S/);
    }
    expect(faults).toHaveLength(Object.keys(BAD).length);
  });

  test('are counted in the message', () => {
    expect(() => loadConfig(BAD)).toThrow(/has 6 faults:\n {2}KAVACH_PORT/);
    expect(() => loadConfig({ KAVACH_PORT: 'x' })).toThrow(/has a fault:/);
  });

  test('never show the value of a secret', () => {
    const secret = 'not-to-be-seen';
    const environment = Object.fromEntries([...SECRET_VARIABLES].map((name) => [name, secret]));
    const text = faultsOf(environment).join('\n');
    expect(text).toContain('DATABASE_URL is set to something else');
    expect(text).not.toContain(secret);
  });

  test.each([
    ['KAVACH_PORT', '-1'],
    ['KAVACH_PORT', '8.5'],
    ['KAVACH_PORT', 'NaN'],
    ['KAVACH_RELAY_INTERVAL_MS', '0'],
    ['KAVACH_LADDER_MS', '1,,2'],
    ['KAVACH_LADDER_MS', '9'.repeat(40)],
    ['KAVACH_TASK_QUEUE', 'a b'],
    ['KAVACH_EMAIL_FROM', 'nobody'],
    ['AGENTKAVACH_ALERT_EMAIL', 'a@b@c'],
    ['AGENTKAVACH_SLACK_WEBHOOK_URL', 'file:///etc/passwd'],
    ['DATABASE_URL', 'mysql://host/db'],
    ['KAVACH_SMTP_URL', 'https://mail.example'],
    ['KAVACH_SMTP_URL', 'smtp://'],
    ['KAVACH_SMTP_URL', 'smtp://%zz:x@mail.example'],
    ['KAVACH_SMTP_URL', 'smtp://:password@mail.example'],
    ['TWILIO_ACCOUNT_SID', 'SK0123456789abcdef0123456789abcdef'],
    ['TWILIO_FROM', '+0123'],
    ['TWILIO_FROM', 'a name that is too long'],
    ['TWILIO_MESSAGING_SERVICE_SID', 'MG1'],
    ['KAVACH_SMS_VALIDITY_SECONDS', '36001'],
    ['PAGERDUTY_BASE_URL', 'events.pagerduty.com'],
    ['AGENTKAVACH_PAGERDUTY_ROUTING_KEY', 'R0'],
    ['KAVACH_SEAL_KEYS', 'k1:c2hvcnQ='],
    ['KAVACH_CODEC_KEYS', 'k1:c2hvcnQ='],
    ['KAVACH_CODEC_ORIGINS', 'https://temporal.example/path'],
    ['KAVACH_CODEC_ORIGINS', '*'],
    ['KAVACH_ALLOW_TARGETS', '*'],
    ['KAVACH_ALLOW_TARGETS', '10.0.0.0/33'],
  ])('%s refuses %s', (name, given) => {
    expect(faultsOf({ [name]: given }).some((line) => line.startsWith(`${name} is `))).toBe(true);
  });
});

test('each entry of the allow-list that cannot be read is a fault of its own', () => {
  const faults = faultsOf({ KAVACH_ALLOW_TARGETS: '127.1, hooks.internal, a:0' });
  expect(faults).toHaveLength(2);
  expect(faults[0]).toMatch(/^KAVACH_ALLOW_TARGETS is .*: expected .*; "127.1" is no address/);
  expect(faults[1]).toContain('"a:0" has a port');
});

describe('what one variable asks of another', () => {
  test('a database of its own needs sealing keys, and the error says how to make one', () => {
    const faults = faultsOf({ DATABASE_URL: 'postgres://host/kavach' });
    expect(faults).toEqual([
      expect.stringMatching(/^KAVACH_SEAL_KEYS is not set.*`kavach seal-key`/),
    ]);
  });

  test('is told beside other faults', () => {
    const faults = faultsOf({ AGENTKAVACH_WEBHOOK_SECRET: 's', KAVACH_PORT: 'x' });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'KAVACH_PORT',
      'AGENTKAVACH_WEBHOOK_URL',
    ]);
  });

  test('origins of a codec need its keys', () => {
    expect(faultsOf({ KAVACH_CODEC_ORIGINS: 'https://ui.example' })).toEqual([
      expect.stringMatching(/^KAVACH_CODEC_KEYS is not set/),
    ]);
  });

  test.each(['+15550061616', '12345', 'Kavach'])('%s may send text messages', (from) => {
    const account = { TWILIO_ACCOUNT_SID: ACCOUNT_SID, TWILIO_AUTH_TOKEN: 't' };
    expect(loadConfig({ ...account, TWILIO_FROM: from }).channels.sms).toEqual({
      ...{ accountSid: ACCOUNT_SID, authToken: 't', from, validitySeconds: 900 },
    });
  });

  test('text messages need an account, its token, and a number or a service', () => {
    expect(faultsOf({ TWILIO_ACCOUNT_SID: ACCOUNT_SID })).toEqual([
      expect.stringMatching(/^TWILIO_AUTH_TOKEN is not set/),
      expect.stringMatching(/^TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID is not set/),
    ]);
    expect(faultsOf({ TWILIO_AUTH_TOKEN: 't' })[0]).toMatch(/^TWILIO_ACCOUNT_SID is not set/);
    expect(faultsOf({ TWILIO_FROM: '12345' })[0]).toMatch(/^TWILIO_ACCOUNT_SID is not set/);
  });

  test('a mail server does for emails what Resend does', () => {
    const server = { KAVACH_SMTP_URL: 'smtp://mail.example' };
    expect(faultsOf(server)[0]).toMatch(/^KAVACH_EMAIL_FROM/);
    const given = { ...server, KAVACH_EMAIL_FROM: 'a@b.example' };
    expect(loadConfig({ ...given, AGENTKAVACH_ALERT_EMAIL: 'c@d.example' }).channels).toEqual({
      email: { from: 'a@b.example', smtp: { url: 'smtp://mail.example' } },
    });
  });

  test('emails need a key and a sender', () => {
    expect(faultsOf({ AGENTKAVACH_ALERT_EMAIL: 'a@b.example' })[0]).toMatch(/^RESEND_API_KEY/);
    expect(faultsOf({ RESEND_API_KEY: 're_1' })[0]).toMatch(/^KAVACH_EMAIL_FROM/);
  });
});

test('a whole environment becomes a whole configuration', () => {
  const sealKeys = `${createSealKey()},${createSealKey()}`;
  const config = loadConfig({
    DATABASE_URL: 'postgresql://user:secret@host/kavach',
    KAVACH_SEAL_KEYS: sealKeys,
    KAVACH_PUBLIC_URL: 'https://kavach.example/',
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_NAMESPACE: 'budgets',
    RESEND_API_KEY: 're_1',
    RESEND_BASE_URL: 'http://127.0.0.1:9/resend',
    KAVACH_EMAIL_FROM: 'Kavach <alerts@example.com>',
    AGENTKAVACH_SLACK_WEBHOOK_URL: 'https://hooks.example/a',
    AGENTKAVACH_WEBHOOK_URL: 'https://hook.example/b',
    AGENTKAVACH_WEBHOOK_SECRET: 's',
    AGENTKAVACH_ALERT_EMAIL: 'ops@example.com',
    AGENTKAVACH_PAGERDUTY_ROUTING_KEY: 'R0123456789abcdefghijklmnopqrstu',
    KAVACH_SMTP_URL: 'smtps://u%40x:p@mail.example',
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: 'twilio-token',
    TWILIO_FROM: 'Kavach',
    TWILIO_BASE_URL: 'https://api.dublin.ie1.twilio.com/',
    KAVACH_SMS_VALIDITY_SECONDS: '60',
    PAGERDUTY_BASE_URL: 'https://events.eu.pagerduty.com',
    KAVACH_ALLOW_TARGETS: '127.0.0.1:*, *.corp.example:8080',
    KAVACH_CODEC_KEYS: sealKeys,
    KAVACH_LADDER_MS: '1000, 2000',
    KAVACH_ORG_ZONE: 'Europe/Berlin',
    UNRELATED: 'x',
  });
  expect(config).toMatchObject({
    databaseUrl: 'postgresql://user:secret@host/kavach',
    sealKeys,
    gateway: { publicUrl: 'https://kavach.example' },
    temporal: {
      address: 'temporal:7233',
      environment: { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'budgets' },
    },
    channels: {
      email: {
        apiKey: 're_1',
        from: 'Kavach <alerts@example.com>',
        baseUrl: 'http://127.0.0.1:9/resend',
        smtp: { url: 'smtps://u%40x:p@mail.example' },
      },
      sms: {
        ...{ accountSid: ACCOUNT_SID, authToken: 'twilio-token', from: 'Kavach' },
        ...{ baseUrl: 'https://api.dublin.ie1.twilio.com', validitySeconds: 60 },
      },
      pagerduty: { baseUrl: 'https://events.eu.pagerduty.com' },
    },
    destinations: [
      { channel: 'slack', address: 'https://hooks.example/a' },
      { channel: 'webhook', address: 'https://hook.example/b', secrets: ['s'] },
      { channel: 'email', address: 'ops@example.com' },
      { channel: 'pagerduty', address: 'R0123456789abcdefghijklmnopqrstu' },
    ],
    allowTargets: [
      { kind: 'network', address: '127.0.0.1', bits: 32, port: 'any' },
      { kind: 'name', name: '*.corp.example', port: 8080 },
    ],
    codec: { keys: sealKeys, origins: ['http://localhost:8233', 'http://127.0.0.1:8233'] },
    policy: { ladderMs: [1000, 2000] },
    zone: 'Europe/Berlin',
  });
});
