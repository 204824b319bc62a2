/** The commands about limits, destinations, settings and the audit: what is asked, what is shown. */
import { describe, expect, test } from 'vitest';
import { parseAlert, parseAmount } from '../../cli/amount-text.js';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';

const USD = 1_000_000_000;
const UNTIL = Date.UTC(2026, 10, 22);
const REFERENCE = '0123456789abcdef0123456789abcdef';

async function ask(argv: string[], answers: Record<string, Answer> = {}) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const run = await kavach(argv, { env });
  return { ...run, asked: server.asked, body: server.asked.at(-1)?.body };
}

const held = {
  agent: 'bot',
  zone: 'UTC',
  rev: 3,
  limits: [
    {
      ...{ cadence: 'daily', dimension: 'cost', amount: 55 * USD, enforcement: 'block' },
      thresholds: [{ bps: 8_000, routes: [{ channel: 'slack' }] }],
      origin: { layer: 'operator', synced: 90 * USD, raised: 50 * USD, until: UNTIL },
      set: { by: 'ada', at: 1, reason: 'agreed' },
    },
  ],
  raises: [
    {
      ...{ id: 'r1', cadence: 'daily', dimension: 'cost', amount: 50 * USD, reason: 'launch' },
      ...{ by: 'bob', at: 1, until: UNTIL },
    },
  ],
};

describe('amounts and alerts as people type them', () => {
  test.each([
    ['5USD', { dimension: 'cost', amount: 5 }],
    ['+50usd', { dimension: 'cost', amount: 50 }],
    ['$1,000.50', { dimension: 'cost', amount: 1_000.5 }],
    ['0.1', undefined],
    ['$0.1', { dimension: 'cost', amount: 0.1 }],
    ['200ktokens', { dimension: 'tokens_total', amount: 200_000 }],
    ['500 calls', { dimension: 'calls', amount: 500 }],
    ['90s', { dimension: 'duration', amount: 90_000 }],
    ['cost', { dimension: 'cost' }],
    ['0USD', undefined],
    ['-5USD', undefined],
    ['5EUR', undefined],
    ['$5usd', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(parseAmount(text)).toEqual(expected);
  });

  test.each([
    ['80%:slack', { ratio: 0.8, channel: 'slack' }],
    ['12.3%:slack', { ratio: 0.123, channel: 'slack' }],
    ['0.9:email=ops@acme.com', { ratio: 0.9, channel: 'email', target: 'ops@acme.com' }],
    [`1:slack=${REFERENCE}`, { ratio: 1, channel: 'slack', destination: REFERENCE }],
    [`1:pagerduty=${REFERENCE}`, { ratio: 1, channel: 'pagerduty', target: REFERENCE }],
    ['slack', undefined],
    ['80%', undefined],
    ['80:slack', undefined],
    ['80%:slak', undefined],
  ])('%s', (text, expected) => {
    expect(parseAlert(text)).toEqual(expected);
  });
});

describe('limits', () => {
  test('are shown with their layer, their raises and who set them', async () => {
    const { code, out } = await ask(['limits', 'bot'], {
      'GET /v1/limits?limit=1000&agent=bot': [200, { scopes: [held] }],
    });
    expect(code).toBe(0);
    expect(out).toContain('operator (synced $90.00), +$50.00 until 2026-11-22 00:00:00Z');
    expect(out).toContain('ada: agreed');
    expect(out).toMatch(/bot +daily +\+\$50\.00 +2026-11-22 00:00:00Z +bob +launch +r1/);
  });

  test('are set, several at once, with ways out and an end', async () => {
    const argv = ['limits', 'set', 'bot', '--daily', '5USD', '--run', '90s', '--block'];
    const more = ['--alert', '80%:slack', '--kill', '100%', '--until', '2h', '--reason', 'agreed'];
    const { code, body, out } = await ask([...argv, ...more, '--json'], {
      'POST /v1/limits': [200, { changed: true, ...held }],
    });
    const thresholds = [
      { ratio: 0.8, channel: 'slack' },
      { ratio: 1, channel: 'kill' },
    ];
    const block = { kind: 'limit', enforcement: 'block', thresholds };
    expect(body).toEqual({
      ...{ agent: 'bot', until: '2h', reason: 'agreed', by: 'ada' },
      limits: [
        { cadence: 'run', dimension: 'duration', amount: 90_000, ...block },
        { cadence: 'daily', dimension: 'cost', amount: 5, ...block },
      ],
    });
    expect({ code, json: JSON.parse(out) as unknown }).toMatchObject({ json: { changed: true } });
  });

  test('what was taken away is shown', async () => {
    const { out } = await ask(['limits', 'set', 'bot', '--daily', '5USD'], {
      'POST /v1/limits': [200, { changed: true, ...held, warnings: ['its alerts are gone'] }],
    });
    expect(out).toContain('Note: its alerts are gone');
  });

  test('a ceiling, thresholds alone, and the organisation', async () => {
    const answers: Record<string, Answer> = {
      'POST /v1/limits': [200, { changed: true, ...held }],
    };
    const ceiling = await ask(
      ['limits', 'set', '--org', '--monthly', '9USD', '--ceiling'],
      answers,
    );
    expect(ceiling.body).toMatchObject({
      organisation: true,
      limits: [{ cadence: 'monthly', kind: 'ceiling', amount: 9, enforcement: 'alert' }],
    });
    const kill = await ask(['limits', 'set', 'bot', '--daily', 'cost', '--kill', '90%'], answers);
    expect(kill.body).toMatchObject({
      limits: [{ kind: 'thresholds', dimension: 'cost', thresholds: [{ ratio: 0.9 }] }],
    });
  });

  test('are removed, raised and reset', async () => {
    const answers: Record<string, Answer> = {
      'POST /v1/limits/remove': [200, { changed: false, ...held, limits: [], raises: [] }],
      'POST /v1/raises': [200, { changed: true, ...held }],
      'POST /v1/raises/r1/end': [200, { changed: true, ...held }],
      'POST /v1/resets': [200, { changed: true, cadence: 'daily' }],
    };
    const removed = await ask(['limits', 'remove', 'bot', '--cadence', 'daily'], answers);
    expect(removed.body).toEqual({ agent: 'bot', cadence: 'daily', by: 'ada' });
    expect(removed.out).toContain('Nothing changed.');
    const raise = ['+50USD', '--until', 'midnight', '--reason', 'launch'];
    const raised = await ask(['raise', 'bot', ...raise], answers);
    expect(raised.body).toEqual({
      ...{ agent: 'bot', dimension: 'cost', amount: 50, until: 'midnight', reason: 'launch' },
      ...{ by: 'ada', id: expect.stringMatching(/^[\w-]{36}$/) as string },
    });
    const detail = 'cadence: the agent "nosuch" has no limit: set one first';
    const refused = await ask(['raise', 'nosuch', ...raise], {
      'POST /v1/raises': [422, { status: 422, detail, path: 'cadence' }],
    });
    expect(refused.err).toMatch(/answered 422: cadence: the agent "nosuch" .* first\n$/);
    const pooled = await ask(['raise', '--org', ...raise], answers);
    expect(pooled.body).toMatchObject({ organisation: true, amount: 50 });
    const ended = await ask(['limits', 'end-raise', 'r1', 'bot', '--by', 'eve'], answers);
    expect(ended.body).toEqual({ agent: 'bot', by: 'eve' });
    const unknown = await ask(['limits', 'end-raise', 'r1', 'bot'], {
      'POST /v1/raises/r1/end': [200, { changed: false, ...held }],
    });
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.err).toContain('No raise "r1" of bot holds: it has ended');
    const reset = await ask(['reset', 'bot', '--reason', 'ours'], answers);
    expect(reset.body).toEqual({ agent: 'bot', reason: 'ours', by: 'ada' });
    expect(reset.out).toContain('The daily limits of bot count from here');
  });

  test.each([
    [['limits', 'set', 'bot'], 'name a limit'],
    [['limits', 'set', '--daily', '5USD'], 'name an agent, or say --org'],
    [['limits', 'set', 'bot', '--org', '--daily', '$5'], 'name an agent, or say --org'],
    [['limits', 'set', 'bot', '--daily', 'much'], 'Expected 5USD'],
    [['limits', 'set', 'bot', '--daily', '5'], '5 of what? Write 5USD, 5tokens or 5calls.'],
    [['limits', 'set', 'bot', '--daily', '0USD'], '0USD is nothing: an amount is above 0'],
    [['limits', 'set', 'bot', '--daily', '$5', '--alert', 'slack'], 'Expected 80%:slack'],
    [['limits', 'set', 'bot', '--alert', '80:slack'], '80 is no ratio: write 80%:slack.'],
    [['limits', 'set', 'bot', '--alert', '80%:slak'], '"slak" is no channel: did you mean slack?'],
    [['limits', 'set', 'bot', '--alert', '80%:fax'], '"fax" is no channel: expected one of push'],
    [['limits', 'set', 'bot', '--daily', '$5', '--kill', 'soon'], 'Expected a ratio'],
    [['limits', 'set', 'bot', '--daily', '$5', '--kill', '80'], 'Expected a ratio'],
    [['limits', 'remove'], 'name an agent, or say --org'],
    [['raise', 'bot', '--until', '2h', '--reason', 'x'], 'expected an agent (or --org)'],
    [['raise', 'bot', 'much', '--until', '2h', '--reason', 'x'], 'expected an agent (or --org)'],
    [['raise', 'bot', '5USD', '--reason', 'x'], "required option '--until <moment>'"],
    [['raise', 'bot', '5', '--until', '2h', '--reason', 'x'], '5 of what?'],
    [['reset', 'bot'], "required option '--reason <text>'"],
    [['export', 'foo'], 'Allowed choices are events, journal, audit'],
  ])('%j ends with 2 and asks nothing', async (argv, fault) => {
    const { code, err, asked } = await ask(argv);
    expect(code).toBe(2);
    expect(err).toContain(fault);
    expect(asked).toEqual([]);
  });
});

describe('destinations, settings, audit', () => {
  const destination = {
    ...{ reference: REFERENCE, channel: 'slack', masked: 'hooks.slack.com' },
    ...{ health: 'gone', healthReason: 'http_410', verified: true, isDefault: true },
  };
  const list: Record<string, Answer> = {
    'GET /v1/destinations': [200, { destinations: [destination] }],
  };

  test('are listed, and acted on by a beginning of their reference', async () => {
    expect((await ask(['destinations'], list)).out).toMatch(
      /slack +hooks\.slack\.com +gone: http_410 +yes +yes/,
    );
    const path = `POST /v1/destinations/${REFERENCE}/restore`;
    const { code, body } = await ask(['destinations', 'restore', '0123'], {
      ...list,
      [path]: [200, { changed: true, destination: { ...destination, health: 'ok' } }],
    });
    expect({ code, body }).toEqual({ code: 0, body: { by: 'ada' } });
    const unknown = await ask(['destinations', 'confirm', 'ffff'], list);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.err).toContain('no destination ffff…');
  });

  test('a default is set by an address', async () => {
    const { body } = await ask(['destinations', 'default', 'slack', 'https://hooks.slack.com/x'], {
      'POST /v1/destinations/default': [200, { destination }],
    });
    expect(body).toEqual({ channel: 'slack', target: 'https://hooks.slack.com/x', by: 'ada' });
  });

  test('settings are shown and changed one at a time', async () => {
    const ref = { channel: 'slack', destination: REFERENCE };
    const escalation = { levels: [{ afterMs: 60_000, routes: [ref] }], rounds: 2 };
    const settings = { emailDomains: ['acme.com'], operators: [ref], escalation, defaults: [] };
    const answers: Record<string, Answer> = {
      'GET /v1/settings': [200, settings],
      'POST /v1/settings/email-domains': [200, settings],
      'POST /v1/settings/operators': [200, settings],
      'POST /v1/settings/escalation': [200, settings],
    };
    const { out } = await ask(['settings'], answers);
    expect(out).toContain('Escalation: after 1m slack 01234567; rounds: 2');
    const domains = await ask(['settings', 'email-domains', 'acme.com', 'acme.org'], answers);
    expect(domains.body).toEqual({ emailDomains: ['acme.com', 'acme.org'], by: 'ada' });
    const operators = await ask(['settings', 'operators', `slack=${REFERENCE}`], answers);
    expect(operators.body).toEqual({ operators: [ref], by: 'ada' });
    const argv = ['settings', 'escalation', 'email=a@b.test', '--after', '60', '--rounds', '2'];
    expect((await ask(argv, answers)).body).toEqual({
      escalation: {
        levels: [{ afterMs: 60_000, routes: [{ channel: 'email', target: 'a@b.test' }] }],
        rounds: 2,
      },
      by: 'ada',
    });
    const cleared = await ask(['settings', 'escalation'], answers);
    expect(cleared.body).toEqual({ escalation: null, by: 'ada' });
  });

  test('the audit says in a sentence what was done, and why', async () => {
    const at = { subject: 'agent:bot', at: UNTIL, by: 'ada' };
    const [limit, raise] = [
      {
        ...{ kind: 'limit', cadence: 'daily', dimension: 'cost', amount: 5 * USD },
        ...{ enforcement: 'block', thresholds: [{ bps: 8_000, routes: [{ channel: 'slack' }] }] },
        ...{ by: 'ada', at: UNTIL, reason: 'agreed' },
      },
      held.raises[0],
    ];
    const none = { limits: [], raises: [] };
    const base = { at: UNTIL, cost: 6 * USD, calls: 6 };
    const words: [what: string, before: unknown, after: unknown, text: string][] = [
      [
        'raised',
        none,
        { ...none, raises: [raise] },
        'daily cost +$50.00 until 2026-11-22 00:00:00Z: launch',
      ],
      ['raise_ended', { ...none, raises: [raise] }, { ...none, reason: 'over' }, '00:00:00Z: over'],
      ['raise_ended', raise, undefined, 'daily cost +$50.00 until 2026-11-22 00:00:00Z'],
      [
        'limits_set',
        none,
        { ...none, limits: [limit] },
        'daily cost limit $5.00 block at 80 % slack: agreed',
      ],
      [
        'limits_removed',
        { limits: [limit], raises: [raise] },
        { reason: 'done' },
        'until 2026-11-22 00:00:00Z: done',
      ],
      ['limit_ended', limit, undefined, 'daily cost limit $5.00 block at 80 % slack'],
      [
        'reset',
        { period: 'p/1' },
        { base, reason: 'ours' },
        'p/1 counts from $6.00, 6 calls: ours',
      ],
      ['stopped', undefined, { reason: 'runs in circles' }, 'runs in circles'],
      ['resumed', { agent: 'bot', reason: 'old' }, { reason: 'it is fixed' }, 'it is fixed'],
      ['resumed', { by: 'eve', reason: 'old' }, undefined, 'it was stopped by eve: old'],
      ['key_created', undefined, { id: 'k' }, '{"id":"k"}'],
    ];
    const entries = words.map(([what, before, after], id) => ({ ...at, id, what, before, after }));
    const { out } = await ask(['audit'], { 'GET /v1/audit?limit=50': [200, { entries }] });
    const lines = out.split('\n').slice(1);
    for (const [no, [what, , , text]] of words.entries()) {
      expect(lines[no]).toContain(what);
      expect(lines[no]).toContain(text);
    }
    expect(out).not.toContain('thresholds');
  });

  test('the audit is shown with the way to its next page', async () => {
    const entry = { id: 7, subject: 'agent:bot', at: UNTIL, by: 'ada', what: 'raised' };
    const { out } = await ask(['audit', '--agent', 'bot', '--limit', '1'], {
      'GET /v1/audit?limit=1&agent=bot': [200, { entries: [entry], nextCursor: 'Wzdd' }],
    });
    expect(out).toMatch(/2026-11-22 00:00:00Z +ada +raised +agent:bot +7/);
    expect(out).toContain('kavach audit --cursor Wzdd');
  });
});
