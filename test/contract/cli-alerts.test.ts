/** The commands about one alert: found by id, code or end; a person's word; a test message. */
import { describe, expect, test } from 'vitest';
import { alertCode } from '../../domain/ids.js';
import type { AlertStateView } from '../../gateway/alert-state.js';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach, type CliRun } from '../support/run-cli.js';

const T0 = 1_795_240_000_000;
const DAY = 'alert/default/agent:helper/daily/20261121T000000Z';

function alertOf(id: string, more: Partial<AlertStateView> = {}): AlertStateView {
  return {
    ...{ id, org: 'default', subject: 'budget/x', phase: 'firing', exhausted: false, raisedAt: T0 },
    code: alertCode(id),
    facts: {
      ...{ org: 'default', agentName: 'helper', dimension: 'cost', cadence: 'daily' },
      ...{ thresholdBps: 8_000, spent: 4_130_000_000, limit: 5_000_000_000 },
      ...{ severity: 'warning', priority: 'medium', zone: 'UTC', at: T0 },
    },
    ...more,
  };
}

const first = alertOf(`${DAY}/1-cost-8000`);
const second = alertOf(`${DAY}/2-cost-10000`);
const other = alertOf('alert/default/agent:other/daily/20261121T000000Z/2-cost-10000');
const list: Record<string, Answer> = {
  'GET /v1/alerts?limit=1000': [200, { alerts: [first, second, other] }],
  'GET /v1/alerts?limit=20': [200, { alerts: [{ ...first, noticeTitle: 'Nightly\nimport' }] }],
};
const pathOf = ({ id }: AlertStateView, word = '') =>
  `/v1/alerts/${encodeURIComponent(id)}${word && `/${word}`}`;
const whole = (alert: AlertStateView): Record<string, Answer> => ({
  [`GET ${pathOf(alert)}`]: [200, { alert, deliveries: [], journal: [], attempts: [] }],
});

test('a notice is listed by its own title, on one line', async () => {
  expect((await ask(['alerts', '--limit', '20'], list)).out).toContain('Nightly import');
});

async function ask(argv: string[], answers: Record<string, Answer>) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const run: CliRun = await kavach(argv, { env });
  return { ...run, asked: server.asked, url: server.url };
}

describe('an alert is meant', () => {
  test.each([
    ['its id', first.id, first],
    ['its code', second.code, second],
    ['its code in small letters', second.code.toLowerCase(), second],
    ['an end that no other id has', '1-cost-8000', first],
  ])('by %s', async (_what, text, alert) => {
    const { code, out } = await ask(['alert', text], { ...list, ...whole(alert) });
    expect(code).toBe(0);
    expect(out).toContain(`as ${alert.code}, ${alert.id}`);
  });

  test('by an end of several ids: they are named, with their codes', async () => {
    const { code, err } = await ask(['alert', '2-cost-10000'], list);
    expect(code).toBe(1);
    expect(err).toContain(`${second.code}  ${second.id}`);
    expect(err).toContain(`${other.code}  ${other.id}`);
  });

  test('by what no alert is called', async () => {
    const { code, err } = await ask(['ack', 'nonsense'], list);
    expect(code).toBe(1);
    expect(err).toContain('no alert "nonsense"');
  });

  test('the list shows the codes', async () => {
    const { out } = await ask(['alerts'], {
      'GET /v1/alerts?limit=50': [200, { alerts: [first] }],
    });
    expect(out).toContain('CODE');
    expect(out).toContain(first.code);
  });

  test('why something was not sent, or to whom else, is told in words', async () => {
    const journal = [
      { no: 1, at: T0, what: 'suppressed', channel: 'sms', reason: 'priority' },
      { no: 2, at: T0, what: 'last_resort', channel: 'email', reason: 'nobody_reached' },
    ];
    const answer = { alert: first, deliveries: [], journal, attempts: [] };
    const { out } = await ask(['alert', first.id], { [`GET ${pathOf(first)}`]: [200, answer] });
    expect(out).toContain('priority: its priority is below');
    expect(out).toContain('nobody_reached: nobody else could be reached');
  });
});

describe('a word to an alert', () => {
  test.each([
    ['ack', 'acknowledge', 'acknowledged', 'Acknowledged by ada'],
    ['resolve', 'resolve', 'resolved', 'Over by ada'],
  ] as const)('%s says who, and why', async (command, word, phase, words) => {
    const after = alertOf(first.id, { phase, [phase]: { by: 'ada', at: T0, note: 'on it' } });
    const answers = { ...list, [`POST ${pathOf(first, word)}`]: [200, { alert: after }] as const };
    const { code, out, asked } = await ask([command, first.code, '--note', 'on it'], answers);
    expect(code).toBe(0);
    expect(asked.at(-1)?.body).toEqual({ by: 'ada', note: 'on it' });
    expect(out).toContain('helper passed 80% of its daily cost budget: $4.13 of $5.00 (82%)');
    expect(out).toContain(words);
    const json = await ask([command, first.id, '--by', 'eve', '--json'], answers);
    expect(json.asked.at(-1)?.body).toEqual({ by: 'eve' });
    expect(JSON.parse(json.out)).toEqual({ alert: after });
  });

  test('of an alert that is over: the alert’s own words, and 1', async () => {
    const detail = 'This alert is over: it ended with its period.';
    const answers = { [`POST ${pathOf(first, 'acknowledge')}`]: [409, { detail }] as const };
    const { code, err, url } = await ask(['ack', first.id], answers);
    expect(code).toBe(1);
    expect(err).toBe(`kavach: ${detail}\n`);
    expect(err).not.toContain(url);
  });

  test('of an unknown one, and while Temporal is away', async () => {
    expect((await ask(['ack', first.id], {})).err).toContain('There is no alert');
    const detail = "The alert's workflow did not answer: try again.";
    const answers = { [`POST ${pathOf(first, 'resolve')}`]: [503, { detail }] as const };
    const { code, err } = await ask(['resolve', first.id], answers);
    expect(code).toBe(1);
    expect(err).toContain(`answered 503: ${detail}`);
  });
});

describe('test-channel', () => {
  const taken = { channel: 'slack', outcome: { kind: 'accepted', reason: 'ok' } };

  test('asks for the default destination, or for the one that is given', async () => {
    const answers = { 'POST /v1/test-send': [200, taken] as const };
    const plain = await ask(['test-channel', 'slack'], answers);
    expect(plain.code).toBe(0);
    expect(plain.out).toContain('slack: accepted (ok)');
    expect(plain.asked[0]?.body).toEqual({ channel: 'slack' });
    const given = ['--to', 'https://hooks.test/a', '--secret', 's'];
    const one = await ask(['test-channel', 'webhook', ...given, '--json'], answers);
    const body = { channel: 'webhook', target: 'https://hooks.test/a', secret: 's' };
    expect(one.asked[0]?.body).toEqual(body);
    expect(JSON.parse(one.out)).toEqual(taken);
    const synced = await ask(['test-channel', 'slack', '--destination', 'ref-1'], answers);
    expect(synced.asked[0]?.body).toEqual({ channel: 'slack', destination: 'ref-1' });
  });

  test('what was not taken ends with 1 and says why', async () => {
    const outcome = { kind: 'permanent_config', reason: 'HTTP 403' };
    const answers = { 'POST /v1/test-send': [200, { channel: 'slack', outcome }] as const };
    const { code, out } = await ask(['test-channel', 'slack'], answers);
    expect(code).toBe(1);
    expect(out).toContain('slack: permanent_config (HTTP 403)');
  });

  test('what cannot be sent is told in its own words', async () => {
    const detail = 'There is no such destination.';
    const answers = { 'POST /v1/test-send': [422, { detail }] as const };
    const { code, err } = await ask(['test-channel', 'slack'], answers);
    expect({ code, err }).toEqual({ code: 1, err: `kavach: slack: ${detail}\n` });
  });
});
