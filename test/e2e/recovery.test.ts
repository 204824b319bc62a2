/**
 * `kill -9` of the service under load, and its restart: no crossing is missed, none is decided
 * twice, and every delivery keeps its key. How quick it is, the bench judges.
 */
import { expect, test } from 'vitest';
import { runRecovery } from '../../bench/recovery.js';
import { splitByKill } from '../../bench/recovery-account.js';
import { SHORT } from '../../bench/sizes.js';
import { startStack } from '../../bench/stack.js';

test('twenty busy periods: a killed service misses no crossing and decides none twice', async () => {
  const { signal } = new AbortController();
  const stack = await startStack({ env: process.env, onProgress: () => undefined, signal });
  try {
    const { account, killedAt, repeatedPosts } = await runRecovery(stack, SHORT.recovery);
    const { arrived, ...faults } = account;
    expect(faults).toMatchObject({ missed: [], decidedTwice: 0, unexpected: 0, underTwoKeys: 0 });
    const { before, inside } = splitByKill(arrived, killedAt);
    // It was really hit: crossings on both sides, and posts that found nobody.
    expect(before.length).toBeGreaterThan(0);
    expect(inside.length).toBeGreaterThan(0);
    expect(repeatedPosts).toBeGreaterThan(0);
  } finally {
    await stack.close();
  }
}, 180_000);
