/**
 * The last of a budget, shared by many (L2 to L4). `LEASE_SEEDS=1000` plays a thousand worlds of
 * each kind instead of a few.
 */
import { describe, expect, test } from 'vitest';
import { playEdge, type EdgePlan, type EdgeResult } from './lease-edge.js';

const SEEDS = Number(process.env['LEASE_SEEDS'] ?? 3);
const EDGE = { holders: 4, callersEach: 50, worstCases: 10_000 };
const MINUTE = 60_000;

function playAll(plan: (seed: number) => EdgePlan): readonly EdgeResult[] {
  return Array.from({ length: SEEDS }, (_one, index) => playEdge(plan(index + 1)));
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

function tell(name: string, results: readonly EdgeResult[]): void {
  if (process.env['LEASE_SEEDS'] === undefined) return;
  const unspent = results.map((one) => one.unspentBps);
  console.log(
    name,
    `over ${Math.max(...results.map((one) => one.over))}`,
    `unspent bps median ${median(unspent).toFixed(1)} max ${Math.max(...unspent).toFixed(1)}`,
    `but for unknown median ${median(results.map((one) => one.unspentBps - one.unknownBps)).toFixed(1)}`,
    `per 1,000 calls ${Math.max(...results.map((one) => one.per1000)).toFixed(1)}`,
  );
}

describe('200 callers of 4 guards at the edge of a budget of 10,000 worst cases', () => {
  test(
    'L3. never pass it, leave 0.2 % at most, and ask 100 times for 1,000 calls at most',
    { timeout: 2 * MINUTE + SEEDS * 30_000 },
    () => {
      const results = playAll((seed) => ({ ...EDGE, seed }));
      tell('all live:', results);
      for (const one of results) {
        expect(one.over).toBe(0);
        expect(one.unspentBps).toBeLessThanOrEqual(20);
        expect(one.per1000).toBeLessThanOrEqual(100);
      }
    },
  );

  test(
    'L4. never pass it when guards die and start again; what died with them is all that is left',
    { timeout: 2 * MINUTE + SEEDS * 30_000 },
    () => {
      const results = playAll((seed) => ({ ...EDGE, seed, kills: 1 + (seed % 2) }));
      tell('1 or 2 die:', results);
      for (const one of results) {
        expect(one.over).toBe(0);
        expect(one.unspentBps).toBeLessThanOrEqual(100);
        expect(one.per1000).toBeLessThanOrEqual(100);
      }
      expect(median(results.map((one) => one.unspentBps - one.unknownBps))).toBeLessThanOrEqual(20);
    },
  );
});

test('500 guards on one budget are all served, and nobody waits in a queue that grows', () => {
  const one = playEdge({
    seed: 1,
    holders: 500,
    callersEach: 2,
    callsEach: 5,
    worstCases: 100_000,
  });
  expect(one).toMatchObject({ calls: 5_000, refused: 0, over: 0 });
  expect(one.longestQueue).toBeLessThanOrEqual(2);
  expect(one.seconds).toBeLessThanOrEqual(30);
});
