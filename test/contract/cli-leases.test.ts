/** `kavach leases`, and what `status` says of them. */
import { describe, expect, test } from 'vitest';
import { startFakeKavach, type Answer } from '../support/fake-kavach.js';
import { kavach } from '../support/run-cli.js';

const AT = Date.UTC(2026, 10, 22);
const amounts = (calls: number) => ({
  ...{ cost_nano_usd: calls * 100_000_000, tokens: calls * 1_000, calls },
});
const lease = {
  ...{ id: 'guard-7f/3', agent_name: 'bot', holder: 'guard-7f', state: 'open', vanished: false },
  ...{ granted: amounts(5), settled: amounts(2), remainder: amounts(3), period_ids: [] },
  ...{ opened_at: AT, renewed_at: AT, expires_at: AT + 30_000 },
};
const gone = { ...lease, id: 'guard-90/1', vanished: true };
const ended = { ...lease, id: 'guard-90/2', state: 'closed', remainder: amounts(0), why: 'closed' };
const LISTED: Record<string, Answer> = {
  'GET /v1/leases?limit=1000&holding=true': [200, { leases: [lease], nextCursor: 'n' }],
  'GET /v1/leases?limit=1000&holding=true&cursor=n': [200, { leases: [gone] }],
};

async function ask(argv: string[], answers: Record<string, Answer> = LISTED) {
  const server = await startFakeKavach(answers);
  const env = { KAVACH_API_KEY: 'kv_test', KAVACH_URL: server.url, USER: 'ada' };
  const run = await kavach(argv, { env });
  return { ...run, asked: server.asked };
}

describe('kavach leases', () => {
  test.each([[['leases']], [['leases', 'list']]])(
    '%j lists all pages of what is held',
    async (argv) => {
      const { out, code } = await ask(argv);
      expect(code).toBe(0);
      expect(out).toMatch(
        /bot\s+open\s+\$0\.50, 5,000 tokens, 5 calls\s+\$0\.20, 2,000 tokens, 2 calls\s+\$0\.30, 3,000 tokens, 3 calls\s+2026-11-22 00:00:00Z\s+2026-11-22 00:00:30Z\s+guard-7f\/3/,
      );
      expect(out).toMatch(/bot\s+open, vanished .*guard-90\/1/);
      expect(out).toContain('kavach leases release');
    },
  );

  test('of one agent, those that hold nothing too, and as JSON', async () => {
    const path = 'GET /v1/leases?limit=1000&agent_name=bot';
    const { out } = await ask(['leases', '--agent', 'bot', '--all'], {
      [path]: [200, { leases: [ended] }],
    });
    expect(out).toMatch(/closed: closed\s+\$0\.50, 5,000 tokens, 5 calls .*nothing/);
    const json = await ask(['leases', '--json']);
    expect(JSON.parse(json.out)).toEqual({ leases: [lease, gone] });
    const none = await ask(['leases'], {
      'GET /v1/leases?limit=1000&holding=true': [200, { leases: [] }],
    });
    expect(none.out).toContain('No guard holds anything.');
  });

  test('release takes a unique beginning of an id, and says what it let go', async () => {
    const argv = ['leases', 'release', 'guard-9', '--reason', 'gone', '--by', 'ben'];
    const { out, asked } = await ask(argv, {
      ...LISTED,
      'POST /v1/leases/guard-90%2F1/release': [200, { lease: 'guard-90/1', state: 'released' }],
    });
    expect(asked.at(-1)?.body).toEqual({ reason: 'gone', by: 'ben' });
    expect(out).toContain('Released: $0.30, 3,000 tokens, 3 calls of bot');
  });

  test.each([
    [['release', 'guard'], 1, 'guard-7f/3, guard-90/1'],
    [['release', 'x'], 1, 'kavach leases'],
  ])('%j is told what is wrong', async (argv, exit, said) => {
    const { code, err } = await ask(['leases', ...argv, '--reason', 'x']);
    expect(code).toBe(exit);
    expect(err).toContain(said);
  });

  test('release needs a reason', async () => {
    const { code, err, asked } = await ask(['leases', 'release', 'guard-7f/3']);
    expect([code, asked]).toEqual([2, []]);
    expect(err).toContain('--reason');
  });
});

describe('kavach status', () => {
  const none = { cost: 0, tokens: 0, calls: 0 };
  const budget = {
    id: 'default/agent:bot/daily/20261121T000000Z',
    key: {
      ...{ org: 'default', scope: 'agent:bot', cadence: 'daily' },
      ...{ period: '20261121T000000Z', generation: 1 },
    },
    window: { startsAt: AT - 86_400_000, endsAt: AT, zone: 'UTC' },
    ...{ name: 'bot', state: 'open', firings: 0, blocked: false },
    limits: { rev: 1, limits: [] },
    leased: { cost: 1_200_000_000, tokens: 0, calls: 4 },
    vanished: { ...none, cost: 200_000_000 },
    ...{ holders: 2, guarded: 'mixed' },
    status: [
      {
        ...{ dimension: 'cost', limit: 5_000_000_000, spent: 1_000_000_000, perHour: 0 },
        ...{ exhausted: false, origin: { layer: 'synced' } },
      },
    ],
  };
  const status = (over: object) => ({
    ...{ now: AT, usage: { events: 0, cost: 0, tokens: 0 }, stopped: [] },
    ...{ budgets: [{ ...budget, ...over }], relay: { due: 0, oldestMs: 0, parked: 0 } },
  });

  test('shows what is leased and by how many, where anything is', async () => {
    const { out } = await ask(['status'], { 'GET /v1/status': [200, status({})] });
    expect(out).toMatch(/SPENT\s+LEASED\s+GUARDS\s+LIMIT/);
    expect(out).toMatch(/\$1\.00\s+\$1\.20\s+2, mixed, vanished\s+\$5\.00/);
    const free = { leased: none, vanished: none, holders: 0, guarded: 'none' };
    const without = await ask(['status'], { 'GET /v1/status': [200, status(free)] });
    expect(without.out).not.toContain('LEASED');
  });

  test('one budget: in a sentence', async () => {
    const { out } = await ask(['status', budget.id], {
      [`GET /v1/budgets/${encodeURIComponent(budget.id)}`]: [200, budget],
    });
    expect(out).toContain('Leases: 2 guards; usage came without leases, too');
    expect(out).toContain('$0.20 is held by guards that have vanished');
    expect(out).toMatch(/cost\s+\$1\.00\s+\$1\.20\s+\$5\.00/);
  });
});
