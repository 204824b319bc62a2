import { describe, expect, test } from 'vitest';
import { evaluateLate } from '../../domain/budget/late.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { PeriodRow } from '../../domain/budget/input.js';
import { driveBudget, limitOf, limitsOf, rowWith, totals, T0 } from './budget-driver.js';

const run = (limits: PeriodRow['limits']): PeriodRow => ({
  ...rowWith(limits),
  key: { org: 'default', scope: 'agent:bot', cadence: 'run', period: 'r1', generation: 1 },
  window: { startsAt: T0, zone: 'UTC' },
});
const minute = limitsOf(
  60_000,
  [
    [5_000, 'slack'],
    [10_000, 'slack', 'kill'],
  ],
  1,
  'duration',
);

describe('an alert that cannot be started', () => {
  const half = () => driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));

  test('is started again until it stands, and only then told as fired to the row', () => {
    const driver = half();
    const before = driver.published.length;
    driver.failRaises = 3;
    driver.report(totals(1, 500));
    for (let tries = 0; tries < 3; tries += 1) {
      expect(driver.alerts).toEqual([]);
      expect(driver.published).toHaveLength(before);
      driver.pass(DEFAULT_POLICY.retryMs);
    }
    expect(driver.alerts).toHaveLength(1);
    expect(driver.published.at(-1)).toMatchObject({ firingNo: 1, openAlerts: [{}] });
  });

  test('does not keep a kill from the row, which takes it as not fired', () => {
    const thresholds = [
      [5_000, 'slack'],
      [10_000, 'kill'],
    ] as const;
    const driver = driveBudget(rowWith(limitsOf(1_000, thresholds)));
    driver.failRaises = 1;
    driver.report(totals(1, 1_000));
    expect(driver.published.at(-1)?.killed).toBeDefined();
    const told = driver.published.at(-1)?.latches ?? {};
    expect(told['cost/5000/slack']?.reached).toBeUndefined();
    driver.pass(DEFAULT_POLICY.retryMs);
    expect(driver.alerts.map(({ facts }) => facts.thresholdBps).sort()).toEqual([10_000, 5_000]);
    expect(driver.published.at(-1)).toMatchObject({ firingNo: 2 });
  });

  test('is started and told that it is over when the period ends meanwhile', () => {
    const driver = half();
    driver.failRaises = 1;
    driver.report(totals(1, 500, { closing: true }));
    expect(driver.state.phase).toBe('closing');
    driver.pass(DEFAULT_POLICY.retryMs);
    expect(driver.alerts).toHaveLength(1);
    expect(driver.ended).toHaveLength(1);
    expect(driver.state.phase).toBe('closed');
  });
});

describe('kill', () => {
  test('K3: the alert of a kill waits for the row; a failed publish is tried until it stands', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[10_000, 'slack', 'kill']])));
    driver.holdPublishes = true;
    driver.report(totals(1, 1_000));
    expect(driver.state.killed).toMatchObject({ at: T0, bps: 10_000 });
    expect(driver.alerts).toEqual([]);
    for (let tries = 0; tries < 5; tries += 1) {
      driver.release('publishFailed');
      driver.pass(DEFAULT_POLICY.retryMs);
    }
    expect(driver.alerts).toEqual([]);
    driver.release();
    expect(driver.published.at(-1)?.killed).toBeDefined();
    expect(driver.alerts).toHaveLength(1);
  });

  test('K3: a publish that was under way before the kill does not free its alert', () => {
    const driver = driveBudget(
      rowWith(
        limitsOf(1_000, [
          [5_000, 'slack'],
          [10_000, 'kill'],
        ]),
      ),
    );
    driver.holdPublishes = true;
    driver.report(totals(1, 500));
    driver.report(totals(2, 1_000));
    driver.release();
    expect(driver.published.at(-1)?.killed).toBeUndefined();
    expect(driver.alerts).toHaveLength(1);
    driver.release();
    expect(driver.alerts).toHaveLength(2);
  });

  test('K1: sticky; K4: only a raise to below its threshold lifts it', () => {
    const kill = [[8_000, 'kill']] as const;
    const driver = driveBudget(rowWith(limitsOf(1_000, kill)));
    driver.report(totals(1, 900));
    driver.report(totals(1, 100, { epoch: 2 }));
    expect(driver.state.killed).toBeDefined();
    driver.report(totals(2, 900, { epoch: 2 }));
    driver.report(totals(3, 900, { epoch: 2, limits: limitsOf(1_100, kill, 2) }));
    expect(driver.state.killed).toBeDefined();
    driver.report(totals(4, 900, { epoch: 2, limits: limitsOf(1_126, kill, 3) }));
    expect(driver.state.killed).toBeUndefined();
    expect(driver.published.at(-1)?.killed).toBeUndefined();
  });

  test('K4: when the raise that lifted it is over a kill holds again, and is told once', () => {
    const kill = [[8_000, 'kill']] as const;
    const driver = driveBudget(rowWith(limitsOf(1_000, kill)));
    driver.report(totals(1, 900));
    driver.report(totals(2, 900, { limits: limitsOf(2_000, kill, 2) }));
    expect(driver.published.at(-1)?.killed).toBeUndefined();
    driver.report(totals(3, 900, { limits: limitsOf(1_000, kill, 3) }));
    expect(driver.published.at(-1)?.killed).toMatchObject({ bps: 8_000, limit: 1_000 });
    expect(driver.alerts).toHaveLength(1);
  });

  test('C1: after a reset the period counts anew: it goes on, fires and kills again', () => {
    const both = [[8_000, 'kill', 'slack']] as const;
    const driver = driveBudget(rowWith(limitsOf(1_000, both)));
    driver.report(totals(1, 900));
    expect(driver.published.at(-1)?.killed).toBeDefined();
    const reset = { ...limitsOf(1_000, both, 2), base: { at: driver.now, cost: 900 } };
    driver.report(totals(2, 900, { limits: reset }));
    expect(driver.published.at(-1)).toMatchObject({ latches: {}, notify: { cost: 900 + 800 } });
    expect(driver.published.at(-1)?.killed).toBeUndefined();
    driver.report(totals(3, 1_699));
    expect(driver.alerts).toHaveLength(1);
    driver.report(totals(4, 1_700));
    expect(driver.published.at(-1)?.killed).toMatchObject({ limit: 1_000 });
    expect(driver.alerts.at(-1)?.facts).toMatchObject({ spent: 800, limit: 1_000 });
    expect(driver.alerts).toHaveLength(2);
    // Another change of limits is no other reset.
    driver.report(totals(5, 1_700, { limits: { ...reset, rev: 3 } }));
    expect(driver.published.at(-1)?.killed).toBeDefined();
  });

  test('C2: an organisation’s kill names the agents that have it configured', () => {
    const routes = (...agents: string[]) => ({
      rev: agents.length,
      limits: [
        {
          ...limitOf(1_000, []),
          thresholds: [
            {
              bps: 10_000,
              routes: agents.map((agent) => ({ channel: 'kill' as const, agents: [agent] })),
            },
          ],
        },
      ],
    });
    const driver = driveBudget(rowWith(routes('a')));
    driver.report(totals(1, 1_000));
    expect(driver.state.killed?.agents).toEqual(['a']);
    driver.report(totals(2, 1_000, { limits: routes('a', 'b') }));
    expect(driver.published.at(-1)?.killed?.agents).toEqual(['a', 'b']);
  });
});

describe('duration of a run (B7)', () => {
  test('a run that hangs crosses by the timer alone, as long as it is heard of', () => {
    const driver = driveBudget(run(minute));
    let seq = 0;
    for (let beat = 0; beat <= 5; beat += 1) {
      seq += 1;
      driver.report(totals(seq, 0, { run: { startedAt: T0, heardAt: driver.now, open: true } }));
      driver.pass(20_000);
    }
    expect(driver.alerts.map((alert) => [alert.facts.thresholdBps, alert.facts.at - T0])).toEqual([
      [5_000, 30_000],
      [10_000, 60_000],
    ]);
    expect(driver.state.killed).toBeDefined();
  });

  test('one that simply fell silent, or said that it ended, pages nobody', () => {
    const silent = driveBudget(run(limitsOf(120_000, [[10_000, 'slack']], 1, 'duration')));
    silent.report(totals(1, 0, { run: { startedAt: T0, heardAt: T0 + 1_000, open: true } }));
    silent.pass(3_600_000);
    const ended = driveBudget(run(minute));
    ended.report(totals(1, 0, { run: { startedAt: T0, heardAt: T0, open: true } }));
    ended.pass(10_000);
    ended.report(totals(2, 0, { run: { startedAt: T0, heardAt: T0 + 10_000, open: false } }));
    ended.pass(3_600_000);
    expect([...silent.alerts, ...ended.alerts]).toEqual([]);
  });

  test('events alone measure from the first to the last', () => {
    const driver = driveBudget(run(minute));
    driver.report(totals(1, 5, { firstAt: T0, lastAt: T0 + 29_999 }));
    expect(driver.alerts).toEqual([]);
    driver.report(totals(2, 5, { firstAt: T0 - 1, lastAt: T0 + 29_999 }));
    expect(driver.alerts).toHaveLength(1);
  });

  test('a worker that comes back too late looks once and does not spin', () => {
    const driver = driveBudget(run(minute));
    driver.report(totals(1, 0, { run: { startedAt: T0, heardAt: T0, open: true } }));
    driver.now = T0 + 1_000_000;
    driver.send({ type: 'ticked' });
    driver.pass(1_000);
    expect(driver.alerts).toEqual([]);
  });
});

describe('the end of a period (T7)', () => {
  test('the ledger’s last word is evaluated, alerts end, the row is closed, the workflow with it', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));
    driver.now = T0 + 86_400_000 + 5;
    driver.report(totals(1, 700, { closing: true }));
    expect(driver.alerts).toHaveLength(1);
    expect(driver.ended).toEqual([driver.alerts[0]?.id]);
    expect(driver.published.at(-1)).toMatchObject({ closed: true, openAlerts: [] });
    expect(driver.state.phase).toBe('closed');
  });

  test('without that word its own timer ends it after the grace', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));
    driver.report(totals(1, 700));
    driver.pass(86_400_000 + DEFAULT_POLICY.closeGraceMs);
    expect(driver.state.phase).toBe('closed');
    expect(driver.ended).toHaveLength(1);
  });

  test('a run closes a day after it was last heard of', () => {
    const driver = driveBudget(run(minute));
    driver.report(totals(1, 1, { firstAt: T0, lastAt: T0 + 3_600_000 }));
    driver.pass(86_400_000);
    expect(driver.state.phase).toBe('open');
    driver.pass(3_600_000 + DEFAULT_POLICY.closeGraceMs);
    expect(driver.state.phase).toBe('closed');
  });

  test('a ledger that is away at the end delays the close, and loses nothing', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[10_000, 'slack', 'kill']])));
    driver.holdPublishes = true;
    driver.report(totals(1, 1_000, { closing: true }));
    driver.release('publishFailed');
    expect(driver.state.phase).toBe('closing');
    driver.holdPublishes = false;
    driver.pass(DEFAULT_POLICY.retryMs);
    expect(driver.alerts).toHaveLength(1);
    expect(driver.ended).toHaveLength(1);
    expect(driver.state.phase).toBe('closed');
  });

  test('B4: late events are told once, as one warning that never kills', () => {
    const row = rowWith(
      limitsOf(1_000, [
        [5_000, 'slack'],
        [8_000, 'email'],
        [10_000, 'email', 'kill'],
      ]),
    );
    const verdict = evaluateLate(
      { ...row, own: { cost: 1_200, tokens: 0, calls: 0 } },
      DEFAULT_POLICY,
      T0,
    );
    expect(verdict.alert?.facts).toMatchObject({
      late: true,
      severity: 'warning',
      thresholdBps: 10_000,
    });
    expect(verdict.alert?.facts.kills).toBeUndefined();
    expect(verdict.alert?.routes.map((route) => route.channel)).toEqual(['slack', 'email']);
    const again = evaluateLate(
      { ...row, ...verdict, own: { cost: 9_000, tokens: 0, calls: 0 } },
      DEFAULT_POLICY,
      T0,
    );
    expect(again.alert).toBeUndefined();
  });
});

test('a new life goes on from the row’s last publish, so that its own are never stale', () => {
  const first = driveBudget(rowWith(limitsOf(1_000, [[10_000, 'slack', 'kill']])));
  first.report(totals(7, 100));
  first.report(totals(1, 5, { sender: 'direct-1' }));
  const last = first.published.at(-1);
  const life = driveBudget(
    rowWith(limitsOf(1_000, [[10_000, 'slack', 'kill']]), { publishes: last?.order ?? 0 }),
  );
  life.report(totals(7, 100));
  life.report(totals(1, 900, { sender: 'direct' }));
  const kill = life.published.at(-1);
  expect(kill?.killed).toBeDefined();
  expect([kill?.epoch, kill?.seq]).toEqual([last?.epoch, last?.seq]);
  expect(kill?.order).toBeGreaterThan(last?.order ?? Infinity);
});

describe('direct senders', () => {
  test('add up with the ledger; a closed one takes no more; a new life knows them', () => {
    const driver = driveBudget(rowWith(limitsOf(1_000, [[5_000, 'slack']])));
    driver.report(totals(1, 200, { sender: 'a' }));
    driver.report(totals(2, 250, { sender: 'a', closing: true }));
    driver.report(totals(3, 900, { sender: 'a' }));
    driver.report(totals(1, 249));
    expect(driver.alerts).toEqual([]);
    const published = driver.published.at(-1);
    const life = driveBudget(
      rowWith(limitsOf(1_000, [[5_000, 'slack']]), { senders: published?.senders ?? {} }),
    );
    life.report(totals(1, 249));
    life.report(totals(2, 250, { sender: 'a' }));
    expect(life.alerts).toEqual([]);
    life.report(totals(2, 250));
    expect(life.alerts).toHaveLength(1);
  });
});
