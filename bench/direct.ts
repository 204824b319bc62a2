/**
 * direct.ratio: usage recorded by the direct reporter in the agent's own process, told to a day
 * and a month, against one signal an event. The clock ends when both statuses show the total.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createReporter, type ReporterPeriod } from '../client/index.js';
import { createPeriodFinder } from '../domain/period.js';
import { countBare } from './bare.js';
import { figure, interleave, type Check, type Report } from './figure.js';
import { awayFromMidnight, type Sum } from './load.js';
import { benchClient } from './periods.js';
import type { Stack } from './stack.js';
import { checksOf, expectSum, keyOf, untilTold } from './watch.js';

/** Records between two turns of the event loop: an agent's own work lies between its calls. */
const BURST = 1_000;

export interface DirectSize {
  readonly pairs: number;
  /** Of all pairs together. */
  readonly records: number;
  readonly bareEvents: number;
}

export async function benchDirect(stack: Stack, size: DirectSize): Promise<Report> {
  await stack.service();
  const client = benchClient(stack.client, stack.taskQueue);
  const perPair = Math.ceil(size.records / size.pairs);
  const checks: Check[] = [];

  const ours = async (): Promise<number> => {
    await awayFromMidnight(60_000);
    const agent = `direct-${randomUUID()}`;
    const cost = (i: number): number => 1_000 + (i % 1_000);
    const tokens = (i: number): number => 10 + (i % 100);
    const sum = { events: perPair, cost: 0, tokens: 0 };
    for (let i = 0; i < perPair; i += 1) {
      sum.cost += cost(i);
      sum.tokens += tokens(i);
    }
    const periods = periodsOf(agent, sum);
    const errors: Error[] = [];
    const reporter = createReporter({
      client,
      sender: `bench-${randomUUID()}`,
      periods,
      onError: (error) => errors.push(error),
    });
    await reporter.ready;
    const expected = periods.map(({ key }) => expectSum(key, sum));
    const began = performance.now();
    for (let i = 0; i < perPair; i += 1) {
      reporter.record({ costNanos: cost(i), tokens: tokens(i) });
      if (i % BURST === 0) await nextTurn();
    }
    await untilTold(client, expected);
    const perSecond = perPair / ((performance.now() - began) / 1_000);
    const { undelivered } = await reporter.drain();
    checks.push(
      ...(await checksOf(client, 'direct', expected)),
      { what: 'direct: undelivered periods', expected: 0, actual: undelivered.length },
      { what: 'direct: errors', expected: '', actual: errors.map(String).join('; ') },
    );
    return perSecond;
  };

  const pairs = await interleave(size.pairs, ours, () => countBare(stack, size.bareEvents));
  return {
    figures: [
      figure(
        'direct.ratio',
        'x',
        pairs.map(({ a, b }) => a / b.perSecond),
        { atLeast: 1_000 },
      ),
      figure(
        'direct.recordsPerSecond',
        '/s',
        pairs.map(({ a }) => a),
      ),
    ],
    checks: [...checks, ...pairs.flatMap(({ b }) => b.checks)],
    notes: [
      `direct: ${String(perPair * size.pairs)} records in ${String(size.pairs)} pairs, each in 2 periods; ` +
        `the bare arm sends ${String(size.bareEvents)} signals a pair.`,
    ],
  };
}

/** A day and a month, whose limit is what will be recorded: the last record passes it. */
function periodsOf(agent: string, sum: Sum): ReporterPeriod[] {
  const find = createPeriodFinder('UTC');
  return (['daily', 'monthly'] as const).map((cadence) => {
    const found = find(cadence, Date.now());
    const { startsAt, zone } = found;
    return {
      key: keyOf(`agent:${agent}`, cadence),
      window: 'endsAt' in found ? { startsAt, endsAt: found.endsAt, zone } : { startsAt, zone },
      name: agent,
      limits: {
        rev: 1,
        limits: [
          {
            ...{ dimension: 'cost', amount: sum.cost, enforcement: 'alert' },
            thresholds: [{ bps: 10_000, routes: [{ channel: 'webhook' }] }],
          },
        ],
      },
    };
  });
}
