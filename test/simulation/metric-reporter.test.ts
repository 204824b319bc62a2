/** A metric reporter on virtual time, in front of the machine of the agent's rules. */
import { describe, expect, test } from 'vitest';
import { createMetricReporter, type KnownRules } from '../../client/metric-reporter.js';
import type { MatchReport } from '../../domain/agent/report.js';
import type { Rule } from '../../domain/rule.js';
import { AGENT, driveAgent, heldIn, T0 } from '../domain/agent-driver.js';
import { createRuleShelf, ruleOf } from '../support/rule-shelf.js';
import { createVirtualTimers } from '../support/virtual-timers.js';

async function createWorld(...given: readonly Rule[]) {
  const timers = createVirtualTimers(T0);
  const shelf = createRuleShelf(...given);
  const driver = driveAgent(shelf);
  const sent: { at: number; report: MatchReport }[] = [];
  const errors: string[] = [];
  const world = {
    ...{ timers, shelf, driver, sent, errors },
    known: (): Promise<KnownRules> => Promise.resolve({ rev: shelf.rev(), rules: given }),
    transport: (report: MatchReport): Promise<void> => {
      world.arrive(report);
      return Promise.resolve();
    },
    arrive: (report: MatchReport): void => {
      driver.pass(timers.now() - driver.now);
      driver.send({ type: 'reported', report });
    },
  };
  const reporter = createMetricReporter({
    client: {
      reportMatches: (_, report) => {
        sent.push({ at: timers.now(), report });
        return world.transport(report);
      },
    },
    ...{ org: 'default', agent: AGENT, sender: 'direct-1', timers },
    rules: () => world.known(),
    onError: ({ message }) => errors.push(message),
  });
  await reporter.ready;
  return { ...world, world, reporter };
}

describe('a metric reporter', () => {
  test('R2: a match goes at once; those inside the cooldown by time, as counts so far', async () => {
    const { reporter, timers, sent, driver } = await createWorld(ruleOf());
    reporter.record({ error_rate: 0.01 });
    await timers.advance(20_000);
    expect(sent).toEqual([]);
    reporter.record({ error_rate: 0.07 });
    await timers.advance(0);
    expect(driver.alerts).toHaveLength(1);
    for (let i = 0; i < 100; i += 1) {
      reporter.record({ error_rate: 0.07 });
      await timers.advance(100);
    }
    await timers.advance(10_000);
    expect(sent.length).toBeLessThanOrEqual(3);
    expect(sent.at(-1)?.report.rules).toMatchObject([{ matches: 101, misses: 0 }]);
    await timers.advance(300_000);
    reporter.record({ error_rate: 0.07 });
    await timers.advance(250);
    expect(driver.alerts.map(heldIn)).toEqual([0, 100]);
    expect(driver.alerts).toHaveLength(2);
  });

  test('R3: misses reach an open alert, and end it', async () => {
    const { reporter, timers, driver } = await createWorld(ruleOf());
    reporter.record({ error_rate: 1 });
    await timers.advance(0);
    reporter.record({ error_rate: 0 });
    reporter.record({ other: 1 });
    reporter.record({ error_rate: 0 });
    await timers.advance(10_000);
    expect(driver.ended).toEqual(driver.alerts.map(({ id }) => id));
  });

  test('what is lost, doubled or late changes nothing: the next one heals it', async () => {
    const { reporter, timers, world, sent, driver, shelf } = await createWorld(ruleOf());
    let no = 0;
    world.transport = (report) => {
      no += 1;
      if (no % 3 === 1) return Promise.reject(new Error('Temporal is away'));
      world.arrive(report);
      if (no % 3 === 2) world.arrive(report);
      for (const { report: old } of sent) world.arrive(old);
      return Promise.resolve();
    };
    for (let i = 0; i < 50; i += 1) {
      reporter.record({ error_rate: 1 });
      await timers.advance(1_000);
    }
    await timers.advance(30_000);
    expect(driver.alerts).toHaveLength(1);
    expect(shelf.row(AGENT, 'r1')?.held).toBe(49);
    expect(world.errors.length).toBeGreaterThan(0);
  });

  test('rules that change reach it by time; a count never starts over', async () => {
    const { reporter, timers, world, sent, shelf } = await createWorld(ruleOf());
    reporter.record({ error_rate: 1 });
    await timers.advance(0);
    shelf.put(ruleOf({ condition: 'error_rate > 5', cooldownMs: 0 }));
    const rules = [ruleOf({ condition: 'error_rate > 5', cooldownMs: 0 })];
    world.known = () => Promise.resolve({ rev: shelf.rev(), rules });
    await timers.advance(30_000);
    reporter.record({ error_rate: 1 });
    reporter.record({ error_rate: 6 });
    await timers.advance(1_000);
    expect(sent.at(-1)?.report).toMatchObject({ rev: 2, rules: [{ matches: 2 }] });
    world.known = () => Promise.reject(new Error('no answer'));
    await timers.advance(60_000);
    reporter.record({ error_rate: 7 });
    await timers.advance(1_000);
    expect(sent.at(-1)?.report).toMatchObject({ rules: [{ matches: 3 }] });
    expect(world.errors).toContain('no answer');
  });

  test('drained it has told all, or says that it could not', async () => {
    const { reporter, timers, world, sent } = await createWorld(ruleOf());
    reporter.record({ error_rate: 1 });
    await timers.advance(0);
    reporter.record({ error_rate: 1 });
    const drained = reporter.drain();
    await timers.advance(0);
    expect(await drained).toBe(true);
    expect(sent.at(-1)?.report.rules).toMatchObject([{ matches: 2 }]);
    expect(() => {
      reporter.record({ error_rate: 1 });
    }).toThrow(/drained/);
    const other = await createWorld(ruleOf());
    other.world.transport = () => new Promise(() => undefined);
    other.reporter.record({ error_rate: 1 });
    const hanging = other.reporter.drain(1_000);
    await other.timers.advance(1_000);
    expect(await hanging).toBe(false);
    expect(world.errors).toEqual([]);
  });
});
