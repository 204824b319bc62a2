import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReporterPeriod } from '../../client/reporter-period.js';
import type { Report } from '../../domain/budget/report.js';
import { createReporterWorld, dayPeriod, T0 } from './reporter-world.js';

const refused = (): Promise<never> => Promise.reject(new Error('connection refused'));

describe('when a reporter tells', () => {
  test('what was recorded goes out together after the flush time', async () => {
    const world = await createReporterWorld();
    for (let call = 0; call < 100; call += 1) world.reporter.record({ costNanos: 1, tokens: 2 });
    await world.timers.advance(4_999);
    expect(world.sent).toHaveLength(0);
    await world.timers.advance(1);
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]?.report).toMatchObject({
      ...{ sender: 'bot-1f', epoch: 1, seq: 1, cost: 100, tokens: 200, calls: 100 },
      ...{ firstAt: T0, lastAt: T0 },
    });
    await world.timers.advance(60_000);
    expect(world.sent).toHaveLength(1);
  });

  test('a threshold that is passed is told at once, and once', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ costNanos: 799, tokens: 0 });
    await world.timers.settle();
    expect(world.sent).toHaveLength(0);
    world.reporter.record({ costNanos: 1, tokens: 0 });
    world.reporter.record({ costNanos: 1, tokens: 0 });
    await world.timers.settle();
    expect(world.sent.map((each) => each.report.cost)).toEqual([800]);
    await world.timers.advance(5_000);
    expect(world.sent.map((each) => each.report.cost)).toEqual([800, 801]);
  });

  test('so is an amount the period asked for', async () => {
    const periods = [dayPeriod(0, { notify: { tokens: 50 } })];
    const world = await createReporterWorld({ periods });
    world.reporter.record({ costNanos: 0, tokens: 50 });
    await world.timers.settle();
    expect(world.sent).toHaveLength(1);
  });

  test('one signal a period is under way; the latest totals follow it', async () => {
    const periods = [dayPeriod(0, { notify: { cost: 1_000 } })];
    const world = await createReporterWorld({ periods });
    let release = (): void => undefined;
    world.transport = () =>
      new Promise((resolve) => {
        release = () => {
          resolve('delivered');
        };
      });
    world.reporter.record({ costNanos: 850, tokens: 0 });
    await world.timers.settle();
    world.reporter.record({ costNanos: 150, tokens: 0 });
    world.reporter.record({ costNanos: 5, tokens: 0 });
    await world.timers.advance(6_000);
    expect(world.sent).toHaveLength(1);
    release();
    // A mark was passed meanwhile: the next one does not wait for the flush time.
    await world.timers.settle();
    expect(world.sent.map((each) => each.report.cost)).toEqual([850, 1_005]);
  });

  test('USD are read by their digits', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ usd: 0.1, tokens: 0 });
    world.reporter.record({ usd: 0.2, tokens: 0 });
    await world.timers.advance(5_000);
    expect(world.sent.at(-1)?.report.cost).toBe(300_000_000);
  });

  test.each([
    ['costNanos', { costNanos: -1, tokens: 0 }],
    ['costNanos', { costNanos: Number.NaN, tokens: 0 }],
    ['usd', { usd: Number.POSITIVE_INFINITY, tokens: 0 }],
    ['usd', { tokens: 0 }],
    ['tokens', { costNanos: 1, tokens: 0.5 }],
    ['at', { costNanos: 1, tokens: 1, at: Number.NaN }],
  ])('a bad %s is refused and counts nothing', async (path, usage) => {
    const world = await createReporterWorld();
    expect(() => {
      world.reporter.record(usage);
    }).toThrow(new RegExp(`^${path}: `));
    await world.timers.advance(5_000);
    expect(world.sent).toHaveLength(0);
  });
});

describe('failures', () => {
  test('totals are kept and told again after 1, 2, 4, 8, 10 s; the outage is said once', async () => {
    const world = await createReporterWorld();
    world.transport = refused;
    world.reporter.record({ costNanos: 900, tokens: 1 });
    await world.timers.advance(35_000);
    expect(world.sent.map((each) => (each.at - T0) / 1_000)).toEqual([0, 1, 3, 7, 15, 25, 35]);
    expect(world.errors).toEqual([
      'Usage of the daily budget of bot could not be reported: connection refused. ' +
        'Nothing is lost; it is tried again.',
    ]);
    world.transport = (period, report) => {
      world.arrive(period, report);
      return Promise.resolve('delivered');
    };
    await world.timers.advance(10_000);
    expect(world.received('day-0')).toEqual({ cost: 900, tokens: 1, calls: 1 });
  });

  test('a send that never answers is tried again', async () => {
    const world = await createReporterWorld();
    world.transport = () => new Promise(() => undefined);
    world.reporter.record({ costNanos: 900, tokens: 1 });
    await world.timers.advance(12_000);
    expect(world.sent).toHaveLength(2);
  });

  test('B5: lost, doubled, late and reordered reports leave the totals right', async () => {
    const fate = fc.constantFrom('arrives', 'lost', 'answer lost', 'doubled', 'late', 'hangs');
    const step = fc.record({ cost: fc.nat(400), tokens: fc.nat(50), waitMs: fc.nat(7_000) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fate, { minLength: 1, maxLength: 12 }),
        async (steps, fates) => {
          const world = await createReporterWorld();
          const held: [ReporterPeriod, Report][] = [];
          let turn = 0;
          world.transport = (period, report) => {
            const how = fates[turn % fates.length];
            turn += 1;
            if (how === 'late' || how === 'doubled') held.push([period, report]);
            if (how !== 'lost' && how !== 'late' && how !== 'hangs') world.arrive(period, report);
            if (how === 'hangs') return new Promise(() => undefined);
            return how === 'arrives' || how === 'doubled'
              ? Promise.resolve('delivered')
              : refused();
          };
          for (const { cost, tokens, waitMs } of steps) {
            world.reporter.record({ costNanos: cost, tokens });
            await world.timers.advance(waitMs);
            if (waitMs % 3 === 0)
              for (const each of held.splice(0).reverse()) world.arrive(...each);
          }
          world.transport = (period, report) => {
            world.arrive(period, report);
            return Promise.resolve('delivered');
          };
          await world.timers.advance(30_000);
          for (const each of held.reverse()) world.arrive(...each);
          expect(world.received('day-0')).toEqual({
            cost: steps.reduce((sum, each) => sum + each.cost, 0),
            tokens: steps.reduce((sum, each) => sum + each.tokens, 0),
            calls: steps.length,
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a period whose workflow has ended is said with what came too late', async () => {
    const world = await createReporterWorld();
    world.transport = () => Promise.resolve('already_ended');
    world.reporter.record({ costNanos: 900, tokens: 7 });
    await world.timers.advance(20_000);
    expect(world.sent).toHaveLength(1);
    expect(world.errors).toEqual([
      '1 calls (900 nano-USD, 7 tokens) came too late for the daily budget of bot, ' +
        'whose period has ended; send late usage to the gateway.',
    ]);
  });
});

describe('draining', () => {
  test('tells what is left, closing, and resolves when it has arrived', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ costNanos: 3, tokens: 0 });
    const { undelivered } = await world.reporter.drain();
    expect(undelivered).toEqual([]);
    expect(world.sent.map((each) => each.report)).toEqual([
      expect.objectContaining({ cost: 3, closing: true }),
    ]);
    expect(() => {
      world.reporter.record({ costNanos: 1, tokens: 0 });
    }).toThrow('drained');
  });

  test('what a report under way does not carry goes with a last one', async () => {
    const world = await createReporterWorld();
    const arrive = world.transport;
    world.transport = async (period, report) => {
      await new Promise<void>((resolve) => {
        world.timers.after(300, resolve);
      });
      return arrive(period, report);
    };
    world.reporter.record({ costNanos: 800, tokens: 0 });
    await world.timers.settle();
    world.reporter.record({ costNanos: 5, tokens: 0 });
    const drained = world.reporter.drain();
    await world.timers.advance(1_000);
    expect((await drained).undelivered).toEqual([]);
    expect(world.received('day-0').cost).toBe(805);
    expect(world.sent.map((each) => each.report.closing)).toEqual([undefined, true]);
  });

  test('after its time-out it says what did not arrive', async () => {
    const world = await createReporterWorld();
    world.reporter.record({ costNanos: 3, tokens: 1 });
    await world.timers.advance(5_000);
    world.transport = refused;
    world.reporter.record({ costNanos: 4, tokens: 2 });
    const drained = world.reporter.drain(3_000);
    await world.timers.advance(3_000);
    expect((await drained).undelivered).toEqual([
      { period: dayPeriod().key, cost: 4, tokens: 2, calls: 1 },
    ]);
    const count = world.sent.length;
    await world.timers.advance(60_000);
    expect(world.sent).toHaveLength(count);
  });

  test('an idle reporter has nothing to tell', async () => {
    const world = await createReporterWorld();
    expect((await world.reporter.drain()).undelivered).toEqual([]);
    expect(world.sent).toHaveLength(0);
  });
});
