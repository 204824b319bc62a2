/**
 * Budget periods in worlds of their own, one a seed: what is watched is written in period-play.ts.
 * `KAVACH_SEEDS=from-to` plays others.
 */
import { describe, expect, test } from 'vitest';
import { playPeriod } from './period-play.js';

const [from = 1, to = 300] = (process.env['KAVACH_SEEDS'] ?? '')
  .split('-')
  .filter(Boolean)
  .map(Number);

describe('a period among late, doubled, lost and reordered messages', () => {
  test(`seeds ${String(from)} to ${String(to)}: each crossing is told once, everything ends`, () => {
    let lives = 0;
    let told = 0;
    for (let seed = from; seed <= to; seed += 1) {
      try {
        const world = playPeriod(seed);
        lives += world.lives;
        told += world.arrivals.length;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`seed ${String(seed)}: ${reason}`, { cause: error });
      }
    }
    // Worlds in which nothing happens would prove nothing.
    expect(lives).toBeGreaterThan(to - from);
    expect(told).toBeGreaterThan(to - from);
  });

  /**
   * Each of these fails again without the fix that its fault led to; where that is the ledger's,
   * an activity's or a workflow's, without its image in period-row, period-world, period-providers.
   */
  test.each([
    [266, 'a new life’s kill was refused by the row as an old publish (nextOrder)'],
    [359, 'the same, of a run'],
    [7219, 'a kill’s alert was lost with the life that had published it (unfire)'],
    [133, 'a life begun by a direct sender did not know what the book held (openPeriod)'],
    [1388, 'an attempt that a rotation held back was sent after an acknowledgement (wordAgainst)'],
    [7233, 'a repeated last publish took a late firing back (ledger/publish.ts)'],
    [462, 'an older report of a direct sender hid a newer one of the row (newestOf)'],
  ])('seed %i: %s', (seed) => {
    expect(() => playPeriod(seed)).not.toThrow();
  });
});
