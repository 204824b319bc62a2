/** The commands that ask a running Kavach, against one that answers what it is told. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NOTHING } from '../../domain/lease/amounts.js';
import type { BudgetStatusView, StatusView } from '../../gateway/views.js';
import type { AlertView } from '../../ledger/ledger.js';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach, type CliRun } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const totals = { cost: 4_130_000_000, tokens: 12_345, calls: 7 };
const ID = 'default/agent:helper/daily/20261121T000000Z';

const budget: BudgetStatusView = {
  id: ID,
  key: {
    ...{ org: 'default', scope: 'agent:helper', cadence: 'daily' },
    ...{ period: '20261121T000000Z', generation: 1 },
  },
  window: { startsAt: 1_795_219_200_000, endsAt: 1_795_305_600_000, zone: 'UTC' },
  name: 'helper',
  state: 'open',
  own: totals,
  direct: { cost: 0, tokens: 0, calls: 0 },
  durationMs: 0,
  limits: {
    rev: 1,
    limits: [
      {
        ...{ dimension: 'cost', amount: 5_000_000_000, enforcement: 'block' },
        thresholds: [{ bps: 8_000, routes: [{ channel: 'slack' }] }],
      },
    ],
  },
  appliedRev: 1,
  latches: {},
  firings: 1,
  blocked: false,
  recentCost: 0,
  recentTokens: 0,
  ...{ leased: NOTHING, holders: 0, vanished: NOTHING, guarded: 'none' as const },
  spent: { cost: totals.cost, tokens_total: totals.tokens, calls: 7, duration: 0 },
  status: [
    {
      ...{ dimension: 'cost', limit: 5_000_000_000, spent: totals.cost },
      origin: { layer: 'synced' },
      ...{ perHour: 1_000_000_000, exhausted: false, exhaustsAt: 1_795_250_000_000 },
    },
  ],
};

const status: StatusView = {
  now: 1_795_240_000_000,
  usage: { events: 1_234, cost: totals.cost, tokens: totals.tokens },
  stopped: [{ agent: 'wild', at: 1_795_230_000_000, by: 'ada', reason: 'runs in circles' }],
  budgets: [budget],
  relay: { due: 0, oldestMs: 0, parked: 0 },
};

const alert: AlertView = {
  id: `alert/${ID}/1`,
  org: 'default',
  subject: `budget/${ID}`,
  phase: 'firing',
  exhausted: false,
  raisedAt: 1_795_240_000_000,
  facts: {
    ...{ org: 'default', agentName: 'helper', dimension: 'cost', cadence: 'daily' },
    ...{ thresholdBps: 8_000, spent: totals.cost, limit: 5_000_000_000 },
    ...{ severity: 'warning', priority: 'medium', zone: 'UTC', at: 1_795_240_000_000 },
  },
};

const key = { KAVACH_API_KEY: 'kv_test' };

async function ask(argv: string[], answers: Record<string, Answer>) {
  const server = await startFakeKavach(answers);
  const run: CliRun = await kavach(argv, { env: { ...key, KAVACH_URL: server.url, USER: 'ada' } });
  return { ...run, asked: server.asked, url: server.url };
}

describe('status', () => {
  test('shows every limit of every open budget, aligned, and who is stopped', async () => {
    const { code, out, asked } = await ask(['status'], { 'GET /v1/status': [200, status] });
    expect(code).toBe(0);
    expect(asked[0]?.authorization).toBe('Bearer kv_test');
    expect(out).toContain('1,234 events, 12,345 tokens, $4.13');
    expect(out).toContain('Agent wild is stopped by ada since 2026-11-21');
    const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(row).toMatch(/^helper {2}daily +\$4\.13 +\$5\.00 +82 % +\$1\.00 /);
    expect(head.indexOf('LIMIT') + 'LIMIT'.length).toBe(row.indexOf('$5.00') + '$5.00'.length);
  });

  test('C1, B1: shows where a limit comes from, and a sum that says only how much at least', async () => {
    const origin = { layer: 'ceiling', synced: 9_000_000_000, raised: 1_000_000_000 } as const;
    const given = {
      ...status,
      usage: { ...status.usage, saturated: true },
      budgets: [
        { ...budget, saturated: true, status: budget.status.map((each) => ({ ...each, origin })) },
      ],
    };
    const { out } = await ask(['status'], { 'GET /v1/status': [200, given] });
    expect(out).toContain('(at least: a sum has reached the largest number)');
    expect(out).toContain('≥ $4.13');
    expect(out).toContain('ceiling (synced $9.00), +$1.00');
  });

  test('gives the whole answer as JSON, and nothing else', async () => {
    const { out } = await ask(['status', '--json'], { 'GET /v1/status': [200, status] });
    expect(JSON.parse(out)).toEqual(status);
  });

  test('of one budget, by its id', async () => {
    const path = `GET /v1/budgets/${encodeURIComponent(ID)}`;
    const { code, out } = await ask(['status', ID], { [path]: [200, budget] });
    expect(code).toBe(0);
    expect(out).toContain('80 % slack');
    expect(out).toContain(`Workflow: budget/${ID}`);
  });

  test('of one agent, by its name', async () => {
    const { code, out } = await ask(['status', 'helper'], {
      'GET /v1/status?agent=helper': [200, status],
    });
    expect(code).toBe(0);
    expect(out).toContain(ID);
  });

  test('of an unknown budget ends with 1 and names it', async () => {
    const { code, err, out } = await ask(['status', 'nobody'], {
      'GET /v1/status?agent=nobody': [200, { ...status, budgets: [] }],
    });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('no budget "nobody"');
  });
});

describe('alerts', () => {
  test('are listed with what was crossed', async () => {
    const { code, out } = await ask(['alerts', '--agent', 'helper', '--limit', '5'], {
      'GET /v1/alerts?limit=5&agent=helper': [200, { alerts: [alert] }],
    });
    expect(code).toBe(0);
    expect(out).toContain('80 % of cost (daily): $4.13 of $5.00');
  });

  test('one shows decisions, attempts, and an attempt nobody heard of again', async () => {
    const answer = {
      alert,
      journal: [{ no: 1, at: 1_795_240_000_000, what: 'raised' }],
      attempts: [
        { deliveryId: 'd', channel: 'slack', attempt: 1, startedAt: 1_795_240_000_000 },
        {
          ...{ deliveryId: 'd', channel: 'slack', attempt: 2, startedAt: 1_795_240_001_000 },
          outcome: { kind: 'throttled', reason: 'HTTP 429' },
        },
      ],
    };
    const path = `GET /v1/alerts/${encodeURIComponent(alert.id)}`;
    const { out } = await ask(['alert', alert.id], { [path]: [200, answer] });
    expect(out).toContain('no word: it may have arrived');
    expect(out).toContain('throttled (HTTP 429)');
  });

  test('an unknown one ends with 1 and names it', async () => {
    const { code, err } = await ask(['alert', 'alert/x'], {});
    expect(code).toBe(1);
    expect(err).toContain('no alert "alert/x"');
  });
});

describe('stop and resume', () => {
  test('say who, and why', async () => {
    const stop = await ask(['stop', 'my agent', '--reason', 'runs in circles'], {
      'POST /v1/agents/my%20agent/stop': [200, { changed: true }],
    });
    expect(stop.code).toBe(0);
    expect(stop.asked[0]?.body).toEqual({ reason: 'runs in circles', by: 'ada' });
    expect(stop.out).toContain('my agent is stopped');
    const resume = await ask(
      ['resume', 'my agent', '--by', 'eve', '--reason', 'mended', '--json'],
      {
        'POST /v1/agents/my%20agent/resume': [200, { changed: false }],
      },
    );
    expect(resume.asked[0]?.body).toEqual({ by: 'eve', reason: 'mended' });
    expect(JSON.parse(resume.out)).toEqual({ agent: 'my agent', stopped: false, changed: false });
  });

  test('what the answer warns of is shown', async () => {
    const warnings = ['no agent of this name has reported yet'];
    const stop = await ask(['stop', 'bto', '--reason', 'x'], {
      'POST /v1/agents/bto/stop': [200, { changed: true, warnings }],
    });
    expect(stop.out).toContain('Note: no agent of this name has reported yet');
    const resume = await ask(['resume', 'bot'], {
      'POST /v1/agents/bot/resume': [200, { changed: true, warnings: ['its budget was killed'] }],
    });
    expect(resume.out).toBe('bot is not stopped any more\nNote: its budget was killed\n');
  });
});

describe('when it does not work, the command ends with 1', () => {
  test('nobody there: names the address and the next step', async () => {
    const { code, err } = await kavach(['status'], {
      env: { ...key, KAVACH_URL: 'http://127.0.0.1:9' },
    });
    expect(code).toBe(1);
    expect(err).toMatch(/http:\/\/127\.0\.0\.1:9 cannot be reached .*kavach up/);
  });

  test('a refused key is named by where it came from, never shown', async () => {
    const { code, err } = await ask(['status'], { 'GET /v1/status': [401, {}] });
    expect(code).toBe(1);
    expect(err).toContain('KAVACH_API_KEY');
    expect(err).not.toContain('kv_test');
  });

  test('a problem is told with its words and its place', async () => {
    const problem = { detail: 'limit must be small', path: 'limit' };
    const { err } = await ask(['status'], { 'GET /v1/status': [400, problem] });
    expect(err).toContain('answered 400: limit must be small (at limit)');
  });

  test('something that is no Kavach is called so', async () => {
    const { code, err } = await ask(['status'], { 'GET /v1/status': [200, '<html>'] });
    expect(code).toBe(1);
    expect(err).toContain('is it a Kavach?');
  });

  test('with --json the error is JSON too', async () => {
    const { code, out } = await ask(['status', '--json'], { 'GET /v1/status': [500, {}] });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toHaveProperty('error');
  });
});

describe("the key file of this machine's Kavach", () => {
  test('is used for this machine, and never sent to another', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'api-key'), 'kv_file\n');
    const server = await startFakeKavach({ 'GET /v1/status': [200, status] });
    const here = { KAVACH_DATA_DIR: folder, KAVACH_URL: server.url };
    await kavach(['status'], { env: here });
    expect(server.asked[0]?.authorization).toBe('Bearer kv_file');
    // The same server under a name that is not this machine's.
    const elsewhere = server.url.replace('127.0.0.1', '127.0.0.2');
    await kavach(['status'], { env: { ...here, KAVACH_URL: elsewhere } });
    expect(server.asked).toHaveLength(2);
    expect(server.asked[1]?.authorization).toBeUndefined();
  });
});

test('colours appear at a terminal only, and not where NO_COLOR is set', async () => {
  const { url } = await startFakeKavach({ 'GET /v1/status': [200, status] });
  const env = { ...key, KAVACH_URL: url };
  const escape = '\u001b[';
  expect((await kavach(['status'], { env })).out).not.toContain(escape);
  expect((await kavach(['status'], { env, isTTY: true })).out).toContain(escape);
  const quiet = await kavach(['status'], { env: { ...env, NO_COLOR: '1' }, isTTY: true });
  expect(quiet.out).not.toContain(escape);
});
