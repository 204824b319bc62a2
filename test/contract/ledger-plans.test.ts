/** What the ledger reads when its book is large: a statement that reads all of it stops a service. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migratePostgres } from '../../ledger/migrate.js';
import { INSERT_PERIODS } from '../../ledger/periods.js';
import { startTestPostgres, type TestPostgres } from '../support/postgres.js';

const AGENTS = 40;
const EVENTS = 40_000;
const NOW = 1_800_000_000_000;

let postgres: TestPostgres;
let pool: pg.Pool;

beforeAll(async () => {
  postgres = await startTestPostgres();
  pool = new pg.Pool({ connectionString: await postgres.createDatabase(), max: 1 });
  await migratePostgres(pool);
  await pool.query(`
    insert into usage_event (org, idempotency_key, agent, run, provider, model, input_tokens,
      output_tokens, cost_reported, cost_used, duration_ms, status, at, received_at)
    select 'default', n::text, 'agent-' || n % ${String(AGENTS)}, 'run-' || n / 100, 'p', 'm', 1, 1,
      1, 1, 1, 'ok', ${String(NOW)} - n, ${String(NOW)}
    from generate_series(0, ${String(EVENTS - 1)}) as n`);
  await pool.query(`
    insert into usage_total (org, agent, events, cost, tokens)
    select org, agent, count(*), sum(cost_used), sum(input_tokens + output_tokens)
    from usage_event group by org, agent`);
  await pool.query('analyze');
});

afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows of usage that a seed's sum looked at, taken or not. */
async function readBy(seed: object): Promise<number> {
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
    `explain (analyze, format json) ${INSERT_PERIODS}`,
    [JSON.stringify([seed]), NOW, 1_000],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error('There is no plan');
  return lookedAt(plan);
}

function lookedAt(plan: Plan): number {
  const own =
    plan['Relation Name'] === 'usage_event'
      ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
      : 0;
  return own + (plan.Plans ?? []).reduce((sum, each) => sum + lookedAt(each), 0);
}

function seedOf(scope: string, cadence: string, starts: number): Record<string, unknown> {
  return {
    ...{ id: `${scope}/${cadence}/${String(starts)}`, org: 'default', scope, cadence },
    ...{ period: 'p', generation: 1, name: scope, starts_at: starts, ends_at: NOW + 1_000 },
    ...{ zone: 'UTC', limits: {}, limits_rev: 1, since: starts, until: NOW + 1_000 },
  };
}

describe('a period that begins with what the book holds (B8)', () => {
  test("an agent's reads its own events of its window", async () => {
    const seed = { ...seedOf('agent:agent-7', 'daily', NOW - 20_000), agent: 'agent-7' };
    expect(await readBy(seed)).toBe(500);
  });

  test('one of an agent without usage reads nothing', async () => {
    const seed = { ...seedOf('agent:new', 'monthly', 0), agent: 'new' };
    expect(await readBy(seed)).toBe(0);
  });

  test("the organisation's reads the events of its window", async () => {
    expect(await readBy(seedOf('org', 'hourly', NOW - 399))).toBe(400);
  });

  test('one that has its row reads nothing', async () => {
    const seed = { ...seedOf('agent:agent-8', 'daily', NOW - 20_000), agent: 'agent-8' };
    expect(await readBy(seed)).toBe(500);
    expect(await readBy(seed)).toBe(0);
  });

  test('a run that begins reads nothing', async () => {
    const seed = { ...seedOf('agent:agent-9', 'run', NOW - 20_000), agent: 'agent-9' };
    expect(await readBy(seed)).toBe(0);
  });
});
