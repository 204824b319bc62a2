/**
 * The edge of a budget, two hundred calls at once from four processes: leases hold it, also while a
 * holder and a part of the service die; a guard that checks and then records does not. The short
 * form of `npm run overspend`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { play } from '../../faults/overspend/play.js';
import { startProcessesTarget } from '../../faults/processes.js';
import type { Target } from '../../faults/target.js';

const SIZE = { worstCalls: 200, atOnce: 200, seed: 5 } as const;
const { signal } = new AbortController();
let target: Target;

beforeAll(async () => {
  target = await startProcessesTarget({ env: process.env, say: () => undefined, signal });
}, 180_000);

afterAll(() => target.close());

test('L3. leased guards never pass their budget, whoever dies, and leave little of it', async () => {
  const { billed, limit, killed } = await play(
    target,
    { ...SIZE, guard: 'leased', kills: 1 },
    signal,
  );
  expect(billed).toBeLessThanOrEqual(limit);
  expect(killed).toHaveLength(2);
  // A budget this small is a fiftieth of the one that the bound of 1 % is about.
  expect(billed).toBeGreaterThan(limit * 0.5);
}, 120_000);

test('the same load on a guard that checks, then records: it passes the budget', async () => {
  const { billed, limit } = await play(target, { ...SIZE, guard: 'checked', kills: 0 }, signal);
  expect(billed).toBeGreaterThan(limit);
}, 120_000);
