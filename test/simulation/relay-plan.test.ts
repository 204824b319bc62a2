import { describe, expect, test } from 'vitest';
import { claimOf, createWorld, T0 } from './relay-world.js';

describe('what a row comes to', () => {
  test.each([
    ['a calendar period with usage is started', { started: false }, 'reported', 1],
    [
      'a period without usage needs no workflow',
      { started: false, own: { cost: 0, tokens: 0, calls: 0 } },
      'reported',
      0,
    ],
    ['a period that ended unstarted is closed', { started: false, closing: true }, 'closed', 0],
    ['a started one hears that it ends', { closing: true }, 'reported', 1],
    ['a closed row is evaluated late', { state: 'closed' as const }, 'late', 0],
  ])('%s', async (_, more, what, sends) => {
    const world = createWorld();
    world.put(claimOf('p', more));
    world.relay.start();
    await world.timers.advance(300);
    expect(world.written.map((each) => each.what)).toEqual([what]);
    expect(world.sent.length).toBe(sends);
  });

  test.each([
    ['that crosses nothing has no workflow', { crossing: false }, 0],
    ['that crosses gets one', { crossing: true }, 1],
    ['that is open without a length to watch has none', { run: { open: true, heardAt: T0 } }, 0],
  ])('a run %s', async (_, more, sends) => {
    const world = createWorld();
    const claim = claimOf('r', { started: false, ...more });
    world.put({ ...claim, key: { ...claim.key, cadence: 'run', period: 'run-1' } });
    world.relay.start();
    await world.timers.advance(300);
    expect(world.sent.length).toBe(sends);
    expect(world.written).toMatchObject([{ what: 'reported', fields: { isStarted: sends === 1 } }]);
  });

  test('an open run whose length is watched gets a workflow, and its life with it', async () => {
    const world = createWorld();
    const claim = claimOf('r', { started: false, run: { open: true, startedAt: T0, heardAt: T0 } });
    const thresholds = [{ bps: 8_000, routes: [{ channel: 'slack' as const }] }];
    const limit = { dimension: 'duration' as const, amount: 60_000, enforcement: 'alert' as const };
    world.put({
      ...claim,
      key: { ...claim.key, cadence: 'run', period: 'run-1' },
      limits: { rev: 1, limits: [{ ...limit, thresholds }] },
    });
    world.relay.start();
    await world.timers.advance(300);
    expect(world.sent[0]?.report.run).toEqual({ open: true, startedAt: T0, heardAt: T0 });
  });

  test('limits ride along until their revision is applied', async () => {
    const world = createWorld();
    world.put(claimOf('new', { appliedRev: 0 }), claimOf('known', { appliedRev: 1 }));
    world.relay.start();
    await world.timers.advance(300);
    const reports = new Map(world.sent.map((each) => [each.id, each.report]));
    expect(reports.get('new')).toMatchObject({ sender: 'ledger', limitsRev: 1, seq: 7, cost: 10 });
    expect(reports.get('new')?.limits?.limits).toHaveLength(1);
    expect(reports.get('known')?.limits).toBeUndefined();
  });

  test('a period whose workflow had ended is closed, never taken for told', async () => {
    const world = createWorld();
    world.answer = () => Promise.resolve('already_ended');
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.advance(300);
    expect(world.written.map((each) => each.what)).toEqual(['closed']);
    expect(world.written[0]).toMatchObject({ fields: { hasEnded: true } });
  });

  test.each([
    ['ended while nobody could be told', { started: false, closing: true }],
    ['had ended when its report came', { started: true }],
  ])('B4: a crossing of a period that %s is told late, not lost', async (_, more) => {
    const world = createWorld();
    world.answer = () => Promise.resolve('already_ended');
    world.put(claimOf('p', { ...more, own: { cost: 900, tokens: 0, calls: 3 } }));
    world.relay.start();
    await world.timers.advance(1_000);
    expect(world.written.map((each) => each.what)).toEqual(['closed', 'late']);
    expect(world.written[1]).toMatchObject({ fields: { alert: { facts: { late: true } } } });
  });

  test('B4: a late crossing is written with its one warning', async () => {
    const world = createWorld();
    world.put(claimOf('p', { state: 'closed', own: { cost: 900, tokens: 0, calls: 3 } }));
    world.relay.start();
    await world.timers.advance(300);
    expect(world.written[0]).toMatchObject({
      what: 'late',
      fields: { firingNo: 1, alert: { facts: { late: true, severity: 'warning' } } },
    });
  });
});
