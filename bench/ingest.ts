/**
 * ingest.*: full events over HTTP that count in a run, a day, a month and the organisation,
 * against one signal an event. Every limit is the sum of what is sent, so the last event passes
 * it, and its workflow hears of it at once; the clock ends when every status shows the total.
 */
import { randomUUID } from 'node:crypto';
import { countBare } from './bare.js';
import { figure, interleave, type Report } from './figure.js';
import { awayFromMidnight, BATCH, sumOf, writeBatch, type Batch } from './load.js';
import { benchClient } from './periods.js';
import type { Stack } from './stack.js';
import { syncDocument } from './sync.js';
import { checksOf, expectSum, keyOf, ledgerChecks, untilTold, type Expected } from './watch.js';

/** Runs of one pair: one a sender and as many again, as agents come and go. */
const RUNS = 8;

export interface IngestSize {
  readonly pairs: number;
  /** Of all pairs together; each posts whole batches, the same number for each run. */
  readonly events: number;
  /** Signals of one pair of the bare arm. */
  readonly bareEvents: number;
}

export async function benchIngest(stack: Stack, size: IngestSize): Promise<Report> {
  const { poster } = await stack.service();
  const client = benchClient(stack.client, stack.taskQueue);
  const perRun = Math.ceil(size.events / size.pairs / RUNS / BATCH);
  const perPair = perRun * RUNS * BATCH;

  const ours = async (): Promise<{ perSecond: number; expected: readonly Expected[] }> => {
    await awayFromMidnight(60_000);
    const agent = `ingest-${randomUUID()}`;
    const runs = Array.from({ length: RUNS }, () => randomUUID());
    const batches: Batch[] = [];
    for (let i = 0; i < perRun; i += 1) {
      for (const run of runs) batches.push(writeBatch({ agent, run }));
    }
    const sum = sumOf(batches);
    const runSum = sumOf(batches.filter((_, i) => i % RUNS === 0));
    const orgSum = sumOf([poster.posted(), sum]);
    await poster.sync(
      syncDocument({
        agent,
        budgets: { per_run: runSum.cost, daily: sum.cost, monthly: sum.cost },
        thresholds: [1],
        webhook: `${stack.sink.url}/webhook/ingest`,
        orgBudget: orgSum.cost,
      }),
    );
    const scope = `agent:${agent}` as const;
    const expected = [
      expectSum(keyOf(scope, 'daily'), sum),
      expectSum(keyOf(scope, 'monthly'), sum),
      expectSum(keyOf('org', 'monthly'), orgSum),
      ...runs.map((run) => expectSum(keyOf(scope, { run }), runSum)),
    ];
    const began = performance.now();
    await poster.post(batches);
    await untilTold(client, expected);
    const perSecond = sum.events / ((performance.now() - began) / 1_000);
    return { perSecond, expected };
  };

  const pairs = await interleave(size.pairs, ours, () => countBare(stack, size.bareEvents));
  // The organisation's total moves on with every pair: only its last one still holds.
  const all = pairs.flatMap(({ a }) => a.expected);
  const newest = [...new Map(all.map((each) => [each.workflowId, each])).values()];
  return {
    figures: [
      figure(
        'ingest.ratio',
        'x',
        pairs.map(({ a, b }) => a.perSecond / b.perSecond),
        { atLeast: 20 },
      ),
      figure(
        'ingest.eventsPerSecond',
        '/s',
        pairs.map(({ a }) => a.perSecond),
      ),
      figure(
        'ingest.bare.eventsPerSecond',
        '/s',
        pairs.map(({ b }) => b.perSecond),
      ),
    ],
    checks: [
      ...(await checksOf(client, 'ingest', newest)),
      ...(await ledgerChecks('ingest', poster)),
      ...pairs.flatMap(({ b }) => b.checks),
    ],
    notes: [
      `ingest: ${String(perPair * size.pairs)} events in ${String(size.pairs)} pairs, each event in 4 periods; ` +
        `the bare arm sends ${String(size.bareEvents)} signals a pair, and rates are compared.`,
    ],
  };
}
