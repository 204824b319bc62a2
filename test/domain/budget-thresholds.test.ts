import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thresholdAmount } from '../../domain/ratio.js';
import { driveBudget, limitOf, limitsOf, rowWith, totals, T0 } from './budget-driver.js';

const LADDER = [
  [5_000, 'slack'],
  [8_000, 'slack', 'email'],
  [10_000, 'slack', 'kill'],
] as const;

const bpsOf = (driver: ReturnType<typeof driveBudget>) =>
  driver.alerts.map((alert) => alert.facts.thresholdBps);

describe('thresholds', () => {
  test('T3: one change that passes several fires each, lowest first, and T4: all channels in one alert', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, LADDER)));
    driver.report(totals(1, 1_000));
    expect(bpsOf(driver)).toEqual([5_000, 8_000, 10_000]);
    expect(driver.alerts[1]?.routes.map((route) => route.channel)).toEqual(['slack', 'email']);
    expect(driver.alerts[2]?.routes.map((route) => route.channel)).toEqual(['slack']);
    expect(driver.alerts[2]?.facts).toMatchObject({ severity: 'critical', kills: true });
  });

  test('T2: a channel on cost does not fire for tokens', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, LADDER)));
    driver.report(totals(1, 0, { tokens: 1_000_000 }));
    expect(driver.alerts).toEqual([]);
  });

  test('T2: removing a channel and adding it back does not fire it again', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));
    driver.report(totals(1, 600));
    driver.report(totals(2, 600, { limits: limitsOf(1_000, [[5_000, 'email']], 2) }));
    driver.report(totals(3, 600, { limits: limitsOf(1_000, [[5_000, 'slack', 'email']], 3) }));
    driver.pass(600_000);
    expect(driver.alerts.map((alert) => alert.routes.map((route) => route.channel))).toEqual([
      ['slack'],
      ['email'],
    ]);
  });

  test('T5: a raise re-arms what is no longer passed, and only that', () => {
    const driver = driveBudget(
      rowWith(
        limitsOf(1_000, [
          [2_000, 'slack'],
          [5_000, 'slack'],
        ]),
      ),
    );
    driver.report(totals(1, 600));
    driver.report(
      totals(2, 600, {
        limits: limitsOf(
          2_000,
          [
            [2_000, 'slack'],
            [5_000, 'slack'],
          ],
          2,
        ),
      }),
    );
    driver.pass(400_000);
    expect(bpsOf(driver)).toEqual([2_000, 5_000]);
    driver.report(totals(3, 1_000));
    expect(bpsOf(driver)).toEqual([2_000, 5_000, 5_000]);
  });

  test('T5: a lowered limit fires what is now passed', () => {
    const driver = driveBudget(
      rowWith(
        limitsOf(1_000, [
          [5_000, 'slack'],
          [8_000, 'slack'],
        ]),
      ),
    );
    driver.report(totals(1, 600));
    driver.report(
      totals(2, 600, {
        limits: limitsOf(
          700,
          [
            [5_000, 'slack'],
            [8_000, 'slack'],
          ],
          2,
        ),
      }),
    );
    expect(bpsOf(driver)).toEqual([5_000, 8_000]);
  });

  test('T5: a total corrected downwards re-arms nothing', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));
    driver.report(totals(1, 600));
    driver.report(totals(1, 100, { epoch: 2 }));
    driver.pass(400_000);
    driver.report(totals(2, 600, { epoch: 2 }));
    driver.pass(400_000);
    expect(bpsOf(driver)).toEqual([5_000]);
  });

  test('T5: a crossing inside the cooldown is held, and fires at its end if it still stands', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])), {
      cooldownMs: 300_000,
    });
    driver.report(totals(1, 500));
    driver.now += 1_000;
    driver.report(totals(2, 500, { limits: limitsOf(2_000, [[5_000, 'slack']], 2) }));
    driver.report(totals(3, 1_000));
    expect(driver.alerts).toHaveLength(1);
    driver.pass(298_999);
    expect(driver.alerts).toHaveLength(1);
    driver.pass(1);
    expect(driver.alerts).toHaveLength(2);
    expect(driver.alerts[1]?.facts.at).toBe(T0 + 300_000);
  });

  test('T5: a held crossing that no longer stands is not told; kill has no cooldown', () => {
    const thresholds = [
      [5_000, 'slack'],
      [10_000, 'kill'],
    ] as const;
    const driver = driveBudget(rowWith(limitsOf(1_000, thresholds)));
    driver.report(totals(1, 1_000));
    driver.report(totals(2, 1_000, { limits: limitsOf(2_500, thresholds, 2) }));
    expect(driver.state.killed).toBeUndefined();
    driver.report(totals(3, 2_500));
    expect(driver.state.killed).toMatchObject({ limit: 2_500 });
    driver.report(totals(4, 2_500, { limits: limitsOf(9_000, thresholds, 3) }));
    driver.pass(400_000);
    expect(bpsOf(driver)).toEqual([5_000, 10_000, 10_000]);
  });

  const report = fc.record({
    sender: fc.constantFrom('ledger', 'direct-1', 'direct-2'),
    seq: fc.integer({ min: 1, max: 12 }),
  });
  const thresholdList = fc
    .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 5 })
    .map((list) => list.sort((a, b) => a - b).map((bps) => [bps, 'slack'] as const));

  test('T2: whatever the order, the repeats and the rotations, each threshold fires once if reached and never else', () => {
    fc.assert(
      fc.property(
        fc.array(report, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3_000 }),
        thresholdList,
        fc.boolean(),
        (reports, amount, thresholds, rotate) => {
          const driver = driveBudget(rowWith(limitsOf(amount, thresholds)), {}, rotate);
          // A sender's totals are a function of its seq, as a real sender's are.
          for (const { sender, seq } of reports) driver.report(totals(seq, seq * 100, { sender }));
          const highest = new Map<string, number>();
          for (const { sender, seq } of reports) {
            highest.set(sender, Math.max(seq, highest.get(sender) ?? 0));
          }
          const spent = [...highest.values()].reduce((sum, seq) => sum + seq * 100, 0);
          const expected = thresholds
            .map(([bps]) => bps)
            .filter((bps) => spent >= thresholdAmount(amount, bps));
          expect([...bpsOf(driver)].sort((a, b) => a - b)).toEqual(expected);
          // T3 within one change, and never a lower one after a higher one here: spend only grows.
          expect(bpsOf(driver)).toEqual(expected);
        },
      ),
    );
  });

  const change = fc.oneof(
    fc.record({ type: fc.constant('spend' as const), by: fc.integer({ min: 0, max: 800 }) }),
    fc.record({ type: fc.constant('limit' as const), to: fc.integer({ min: 1, max: 4_000 }) }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 500_000 }) }),
  );

  test('T2, T5: once per limit value, a cooldown apart, and nothing reached stays untold', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        thresholdList,
        fc.boolean(),
        (changes, thresholds, rotate) => {
          const driver = driveBudget(rowWith(limitsOf(1_000, thresholds)), {}, rotate);
          let [spent, limit, rev, seq] = [0, 1_000, 1, 0];
          for (const each of changes) {
            if (each.type === 'wait') driver.pass(each.ms);
            if (each.type === 'spend') spent += each.by;
            if (each.type === 'limit') [limit, rev] = [each.to, rev + 1];
            if (each.type === 'wait') continue;
            seq += 1;
            driver.report(totals(seq, spent, { limits: limitsOf(limit, thresholds, rev) }));
          }
          // The day has 24 h; all cooldowns end well before, unless the changes took it whole.
          driver.pass(400_000);
          if (driver.state.phase !== 'open') return;
          const seen = new Map<string, number>();
          for (const { facts } of driver.alerts) {
            const once = `${String(facts.thresholdBps)}@${String(facts.limit)}`;
            expect(seen.has(once)).toBe(false);
            seen.set(once, facts.at);
            const last = seen.get(String(facts.thresholdBps));
            if (last !== undefined) expect(facts.at - last).toBeGreaterThanOrEqual(300_000);
            seen.set(String(facts.thresholdBps), facts.at);
            expect(facts.spent).toBeGreaterThanOrEqual(
              thresholdAmount(facts.limit, facts.thresholdBps),
            );
          }
          for (const [bps] of thresholds) {
            if (spent >= thresholdAmount(limit, bps)) expect(seen.has(String(bps))).toBe(true);
          }
        },
      ),
    );
  });

  test('the row always wants to hear of the next threshold, in terms of the ledger alone', () => {
    const driver = driveBudget(
      rowWith({ rev: 1, limits: [limitOf(1_000, LADDER), limitOf(50, LADDER, 'calls')] }),
    );
    expect(driver.published.at(-1)?.notify).toEqual({ cost: 500, calls: 25 });
    driver.report(totals(1, 100, { sender: 'direct', calls: 5 }));
    expect(driver.published.at(-1)?.notify).toEqual({ cost: 400, calls: 20 });
    driver.report(totals(1, 400, { calls: 20 }));
    expect(driver.published.at(-1)?.notify).toEqual({ cost: 700, calls: 35 });
  });
});
