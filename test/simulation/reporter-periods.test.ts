import { describe, expect, test } from 'vitest';
import { ANY_RUN, type ReporterPeriod } from '../../client/reporter-period.js';
import { createVirtualTimers } from '../support/virtual-timers.js';
import { createReporterWorld, DAY, dayPeriod, T0 } from './reporter-world.js';

const refused = (): Promise<never> => Promise.reject(new Error('connection refused'));

describe('the succession of periods', () => {
  const asDays = (timers: { now: () => number }) => () =>
    Promise.resolve([dayPeriod(Math.floor((timers.now() - T0) / DAY))]);

  test('T7: at a window’s end the old totals are told as final, the new ones begin at 0', async () => {
    const timers = createVirtualTimers(T0 + DAY - 2_000);
    const world = await createReporterWorld({ periods: asDays(timers) }, timers);
    world.reporter.record({ costNanos: 10, tokens: 0 });
    await timers.advance(1_900);
    world.reporter.record({ costNanos: 1, tokens: 0 });
    await timers.settle();
    // What is recorded just before the end does not wait for the flush time.
    await timers.advance(50);
    expect(world.received('day-0').cost).toBe(11);
    await timers.advance(50);
    world.reporter.record({ costNanos: 5, tokens: 0 });
    await timers.advance(5_000);
    expect(world.received('day-0').cost).toBe(11);
    expect(world.received('day-1').cost).toBe(5);
    const ofOld = world.sent.filter((each) => each.period === 'day-0');
    expect(ofOld.at(-1)?.report).toMatchObject({ closing: true, cost: 11 });
    expect(world.errors).toEqual([]);
  });

  test('what is recorded while the next period is unknown waits for it', async () => {
    const timers = createVirtualTimers(T0 + DAY - 1_000);
    let isAway = false;
    const days = asDays(timers);
    const periods = () => (isAway ? refused() : days());
    const world = await createReporterWorld({ periods }, timers);
    isAway = true;
    await timers.advance(2_000);
    world.reporter.record({ costNanos: 900, tokens: 0 });
    await timers.advance(30_000);
    expect(world.sent).toHaveLength(0);
    isAway = false;
    await timers.advance(10_000);
    expect(world.received('day-1').cost).toBe(900);
    expect(world.errors).toEqual(['The budget periods could not be read: connection refused']);
    expect((await world.reporter.drain()).undelivered).toEqual([]);
  });

  test('what is recorded before the first answer is not lost', async () => {
    const timers = createVirtualTimers(T0);
    let answer = (): void => undefined;
    const periods = () =>
      new Promise<readonly ReporterPeriod[]>((resolve) => {
        answer = () => {
          resolve([dayPeriod()]);
        };
      });
    const world = await createReporterWorld({ periods }, timers);
    world.reporter.record({ costNanos: 3, tokens: 4 });
    answer();
    await world.reporter.ready;
    world.reporter.record({ costNanos: 1, tokens: 1 });
    await timers.advance(5_000);
    expect(world.received('day-0')).toEqual({ cost: 4, tokens: 5, calls: 2 });
  });

  test('B4: usage from before the period is said to be late, not counted in it', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ costNanos: 900, tokens: 0, at: T0 - 1 });
    world.reporter.record({ costNanos: 900, tokens: 0, at: T0 - 1 });
    await world.timers.advance(5_000);
    expect(world.sent).toHaveLength(0);
    expect(world.errors).toHaveLength(1);
    expect(world.reporter.stats().late).toBe(2);
  });

  test('B4: a time more than 5 minutes ahead is read as now', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ costNanos: 1, tokens: 0, at: T0 + 10 * DAY });
    await world.timers.advance(5_000);
    expect(world.sent[0]?.report.lastAt).toBe(T0);
  });

  test('a static list that has run out is said, and its usage stays accounted for', async () => {
    const timers = createVirtualTimers(T0 + DAY - 1_000);
    const world = await createReporterWorld({ periods: [dayPeriod()] }, timers);
    await timers.advance(1_000);
    world.reporter.record({ costNanos: 7, tokens: 0 });
    await timers.advance(60_000);
    expect(world.errors).toHaveLength(1);
    expect(world.errors[0]).toContain('has ended and no next one is known');
    const drained = world.reporter.drain();
    await timers.advance(6_000);
    expect((await drained).undelivered).toEqual([{ cost: 7, tokens: 0, calls: 1 }]);
  });

  test('each run has its own totals, and one that comes back is a new sender', async () => {
    const day = dayPeriod();
    const run: ReporterPeriod = {
      ...day,
      key: { ...day.key, cadence: 'run', period: ANY_RUN },
      window: { startsAt: 0, zone: 'UTC' },
    };
    const world = await createReporterWorld({ periods: [run] });
    world.reporter.record({ costNanos: 1, tokens: 0, run: 'a' });
    world.reporter.record({ costNanos: 2, tokens: 0, run: 'b' });
    world.reporter.record({ costNanos: 4, tokens: 0 });
    await world.timers.advance(5_000);
    world.reporter.endRun('a');
    await world.timers.settle();
    world.reporter.record({ costNanos: 8, tokens: 0, run: 'a' });
    await world.timers.advance(5_000);
    expect(world.received('a')).toMatchObject({ cost: 9, calls: 2 });
    expect(world.received('b')).toMatchObject({ cost: 2, calls: 1 });
  });
});
