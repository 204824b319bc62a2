/**
 * upsert.*: full events over HTTP into Postgres, against what a service without a ledger would do
 * on the same Postgres: for every event a transaction that inserts it unless it is known and adds
 * it to its budget unless that passes the limit, prepared, over as many connections. Beside it
 * `fused`, the best that a statement an event can do: both folded into one.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { figure, interleave, type Check, type Report } from './figure.js';
import { awayFromMidnight, BATCH, sumOf, writeBatch } from './load.js';
import type { SetStack } from './set-stack.js';
import { syncDocument } from './sync.js';
import { usageChecks } from './watch.js';

const IN_FLIGHT = 4;
/** Budgets of the bare arm: agents that do not all wait for one row. */
const BUDGETS = 8;

export interface UpsertSize {
  readonly pairs: number;
  /** Of one pair, of each arm. */
  readonly events: number;
  readonly bareEvents: number;
}

export async function benchUpsert({ set, posters }: SetStack, size: UpsertSize): Promise<Report> {
  const [poster] = posters;
  if (poster === undefined) throw new Error('The set has no gateway');
  await awayFromMidnight(60_000);
  const pool = new pg.Pool({ connectionString: set.databaseUrl, max: IN_FLIGHT });
  try {
    await pool.query(BARE_TABLES);
    const ours = () => ingest(poster, size.events);
    const pairs = await interleave(size.pairs, ours, async () => ({
      plain: await upsert(pool, size.bareEvents, inTransaction),
      fused: await upsert(pool, size.bareEvents, inOneStatement),
    }));
    return {
      figures: [
        figure(
          'upsert.ratio',
          'x',
          pairs.map(({ a, b }) => a / b.plain.perSecond),
          { atLeast: 10 },
        ),
        figure(
          'upsert.fused.ratio',
          'x',
          pairs.map(({ a, b }) => a / b.fused.perSecond),
        ),
        figure(
          'upsert.ours.eventsPerSecond',
          '/s',
          pairs.map(({ a }) => a),
        ),
        figure(
          'upsert.bare.eventsPerSecond',
          '/s',
          pairs.map(({ b }) => b.plain.perSecond),
        ),
        figure(
          'upsert.fused.eventsPerSecond',
          '/s',
          pairs.map(({ b }) => b.fused.perSecond),
        ),
      ],
      checks: [
        ...pairs.flatMap(({ b }) => [...b.plain.checks, ...b.fused.checks]),
        ...(await usageChecks('upsert', poster, sumOf(posters.map((each) => each.posted())))),
      ],
      notes: [
        `upsert: ${String(size.events)} events a pair over HTTP, each in 3 periods, against ` +
          `${String(size.bareEvents)} events of each bare arm over ${String(IN_FLIGHT)} connections; all ` +
          'commit to disk.',
      ],
    };
  } finally {
    await pool.end();
  }
}

/** Events a second until the last one is acknowledged. */
async function ingest(poster: SetStack['posters'][number], events: number): Promise<number> {
  const agent = `upsert-${randomUUID()}`;
  const run = randomUUID();
  const count = Math.ceil(events / BATCH);
  const batches = Array.from({ length: count }, () => writeBatch({ agent, run }));
  const sum = sumOf(batches);
  const budgets = { per_run: 2 * sum.cost, daily: 2 * sum.cost, monthly: 2 * sum.cost };
  const webhook = 'http://127.0.0.1:9/never';
  await poster.sync(syncDocument({ agent, budgets, thresholds: [1], webhook }));
  const began = performance.now();
  await poster.post(batches);
  return sum.events / ((performance.now() - began) / 1_000);
}

const BARE_TABLES = `
create table if not exists bench_event (
  key text primary key, agent text not null, model text not null, input_tokens bigint not null,
  output_tokens bigint not null, cost bigint not null, at bigint not null);
create table if not exists bench_budget (
  agent text primary key, spent bigint not null, allowed bigint not null)`;

/** Key, agent, tokens, tokens, nano-USD, and when. */
type Row = readonly [string, string, number, number, number, number];
type Send = (client: pg.PoolClient, row: Row) => Promise<void>;

const INSERT = `
insert into bench_event (key, agent, model, input_tokens, output_tokens, cost, at)
values ($1, $2, 'gpt-4o', $3, $4, $5, $6) on conflict (key) do nothing`;
const PUT = { name: 'bench-put', text: INSERT };
const ADD = {
  name: 'bench-add',
  text: 'update bench_budget set spent = spent + $2 where agent = $1 and spent + $2 <= allowed',
};
const FUSED = {
  name: 'bench-fused',
  text: `
with put as (${INSERT} returning cost)
update bench_budget set spent = spent + put.cost from put
where agent = $2 and spent + put.cost <= allowed`,
};

/** An event that is known, or that its budget refuses, leaves nothing behind. */
const inTransaction: Send = async (client, row) => {
  await client.query('begin');
  const put = await client.query({ ...PUT, values: [...row] });
  const added = put.rowCount === 0 ? put : await client.query({ ...ADD, values: [row[1], row[4]] });
  await client.query(added.rowCount === 1 ? 'commit' : 'rollback');
};

const inOneStatement: Send = async (client, row) => {
  await client.query({ ...FUSED, values: [...row] });
};

async function upsert(
  pool: pg.Pool,
  events: number,
  send: Send,
): Promise<{ readonly perSecond: number; readonly checks: readonly Check[] }> {
  const prefix = randomUUID();
  const agents = Array.from({ length: BUDGETS }, (_, i) => `${prefix}-${String(i)}`);
  for (const agent of agents) {
    await pool.query('insert into bench_budget values ($1, 0, $2)', [agent, 2 ** 52]);
  }
  let next = 0;
  const sendAll = async (): Promise<void> => {
    const client = await pool.connect();
    while (next < events) {
      const no = next;
      next += 1;
      const agent = agents[no % BUDGETS] ?? '';
      const row: Row = [`${prefix}-${String(no)}`, agent, 400 + (no % 700), 90, 1_000, Date.now()];
      await send(client, row);
    }
    client.release();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, sendAll));
  const perSecond = events / ((performance.now() - began) / 1_000);
  const { rows } = await pool.query<{ spent: string }>(
    'select sum(spent) as spent from bench_budget where agent = any($1)',
    [agents],
  );
  const actual = Number(rows[0]?.spent);
  return {
    perSecond,
    checks: [{ what: 'upsert: nano-USD of the bare arm', expected: events * 1_000, actual }],
  };
}
