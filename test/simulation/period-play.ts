/** Plays one period from its first usage to its end, from a seed, and watches over it. */
import { T0 } from '../domain/budget-driver.js';
import { createDice } from './dice.js';
import { plan, POLICY, someOpening } from './period-plan.js';
import { createWatcher } from './period-watch.js';
import { createPeriodWorld, type PeriodWorld } from './period-world.js';
import { createVirtualClock } from './virtual-clock.js';

const HOUR = 3_600_000;

/** Answers the world at its rest; throws, naming the rule, as soon as one does not hold. */
export function playPeriod(seed: number): PeriodWorld {
  const dice = createDice(seed);
  const clock = createVirtualClock(T0);
  const opening = someOpening(dice);
  const watcher = createWatcher(() => world, clock);
  const world = createPeriodWorld(opening, POLICY, clock, dice, watcher);
  plan(world, clock, dice, opening.key.cadence === 'run');
  let steps = 0;
  for (let next = clock.nextAt(); next !== undefined; next = clock.nextAt()) {
    steps += clock.runUntil(next);
    if (steps > 50_000 || next > T0 + 48 * HOUR) {
      throw new Error(`something is pending for ever: ${JSON.stringify(world.row)}`);
    }
  }
  watcher.atTheEnd();
  return world;
}
