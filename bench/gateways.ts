/**
 * gateways.ratio: events a second that two gateways take on one Postgres, against one of them with
 * the same number of connections. All of it shares this machine's processors with the load, so on
 * two of them two gateways cannot be faster: the figure says what the second one costs.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { figure, interleave, type Report } from './figure.js';
import { awayFromMidnight, BATCH, sumOf, writeBatch, type Batch, type Poster } from './load.js';
import type { SetStack } from './set-stack.js';
import { syncDocument } from './sync.js';
import { usageChecks } from './watch.js';

const AGENTS = 8;

export interface GatewaysSize {
  readonly pairs: number;
  /** Of each arm of a pair. */
  readonly events: number;
}

export async function benchGateways({ posters }: SetStack, size: GatewaysSize): Promise<Report> {
  const [one, two] = posters;
  if (one === undefined || two === undefined)
    throw new Error('The set has fewer than two gateways');
  await awayFromMidnight(60_000);
  const agents = Array.from({ length: AGENTS }, () => `gateways-${randomUUID()}`);
  for (const agent of agents) {
    const webhook = 'http://127.0.0.1:9/never';
    await one.sync(syncDocument({ agent, budgets: { daily: 2 ** 52 }, thresholds: [1], webhook }));
  }
  const batches = (): Batch[] =>
    Array.from({ length: Math.ceil(size.events / BATCH) }, (_, i) =>
      writeBatch({ agent: agents[i % AGENTS] ?? '' }),
    );
  const pairs = await interleave(
    size.pairs,
    () => rateOf(batches(), [one, two]),
    () => rateOf(batches(), [one]),
  );
  const posted = sumOf(posters.map((poster) => poster.posted()));
  return {
    figures: [
      figure(
        'gateways.ratio',
        'x',
        pairs.map(({ a, b }) => a / b),
        // Where there is room for both, the bound is about what they add.
        availableParallelism() >= 4 ? undefined : { atLeast: 0.9 },
      ),
    ],
    checks: await usageChecks('gateways', one, posted),
    notes: [
      `gateways: ${String(size.events)} events an arm, over 4 connections to one gateway and 2 to each of two.`,
    ],
  };
}

/** The same connections in all: a poster has four, of which each of two uses two. */
async function rateOf(batches: readonly Batch[], posters: readonly Poster[]): Promise<number> {
  const { events } = sumOf(batches);
  const began = performance.now();
  await Promise.all(
    posters.map((poster, i) =>
      poster.post(
        batches.filter((_, no) => no % posters.length === i),
        4 / posters.length,
      ),
    ),
  );
  return events / ((performance.now() - began) / 1_000);
}
