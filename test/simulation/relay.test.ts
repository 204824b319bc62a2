import { describe, expect, test } from 'vitest';
import { after, claimOf, createWorld, grpcError, T0, type World } from './relay-world.js';

const UNAVAILABLE = 14;
const RESOURCE_EXHAUSTED = 8;
const INVALID_ARGUMENT = 3;

const idsOf = (world: World): string[] => world.sent.map((each) => each.id);
const many = (count: number, prefix: string, more = {}) =>
  Array.from({ length: count }, (_, index) => claimOf(`${prefix}${String(index)}`, more));

describe('the pace of a relay', () => {
  test('all periods together are told at the common rate', async () => {
    const world = createWorld({ signalsPerSecond: 50 });
    world.put(...many(500, 'p'));
    world.relay.start();
    await world.timers.advance(4_000);
    expect(world.sent.length).toBeGreaterThan(170);
    expect(world.sent.length).toBeLessThanOrEqual(50 * 4 + 25);
    for (let at = T0; at < T0 + 4_000; at += 1_000) {
      const inSecond = world.sent.filter((each) => each.at >= at && each.at < at + 1_000);
      expect(inSecond.length).toBeLessThanOrEqual(75);
    }
  });

  test('slow answers halve it down to the floor, quick ones bring it back', async () => {
    const world = createWorld({ signalsPerSecond: 40 });
    world.answer = () => after(world.timers, 800, 'delivered');
    world.put(...many(400, 'slow'));
    world.relay.start();
    await world.timers.advance(8_000);
    expect(world.relay.stats().signalsPerSecond).toBe(5);
    world.answer = () => Promise.resolve('delivered');
    await world.timers.advance(12_000);
    expect(world.relay.stats().signalsPerSecond).toBeGreaterThan(30);
  });

  test('a server that asks for less gets less', async () => {
    const world = createWorld({ signalsPerSecond: 40 });
    world.answer = () => Promise.reject(grpcError(RESOURCE_EXHAUSTED, 'rps limit'));
    world.put(...many(100, 'busy'));
    world.relay.start();
    await world.timers.advance(1_500);
    expect(world.relay.stats().signalsPerSecond).toBe(20);
  });

  test('never more than the allowed sends are under way', async () => {
    const world = createWorld({ signalsPerSecond: 1_000, capPerSecond: 1_000, maxInFlight: 20 });
    world.answer = () => after(world.timers, 400, 'delivered');
    world.put(...many(200, 'p'));
    world.relay.start();
    world.relay.deliver(many(60, 'crossing', { crossing: true }));
    await world.timers.advance(6_000);
    expect(world.maxInFlight).toBe(20);
    expect(world.sent.length).toBe(260);
  });
});

describe('what goes first', () => {
  test('a crossing that is due goes before older rows', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.put(...many(100, 'p'));
    world.relay.start();
    await world.timers.advance(1_000);
    world.put(claimOf('crosses', { crossing: true }));
    const before = world.sent.length;
    await world.timers.advance(400);
    expect(idsOf(world).indexOf('crosses')).toBeLessThanOrEqual(before + 1);
  });

  test('a handed-over crossing is told at once while ordinary rows queue', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.put(...many(200, 'p'));
    world.relay.start();
    await world.timers.advance(1_000);
    world.relay.deliver([claimOf('crosses', { crossing: true })]);
    await world.timers.settle();
    expect(world.sent.at(-1)).toMatchObject({ id: 'crosses', at: T0 + 1_000 });
  });

  test('crossings of one organisation do not hold back those of another', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.relay.start();
    const noisy = many(100, 'noisy', { crossing: true });
    const quiet = claimOf('quiet', { crossing: true });
    world.relay.deliver(noisy);
    world.relay.deliver([{ ...quiet, key: { ...quiet.key, org: 'other' } }]);
    await world.timers.advance(400);
    expect(idsOf(world)).toContain('quiet');
    expect(world.sent.length).toBeLessThan(20);
  });

  test('a claim that waited too long is left to its lease', async () => {
    const world = createWorld({ signalsPerSecond: 5, leaseMs: 2_000 });
    world.relay.start();
    world.relay.deliver(many(100, 'c', { crossing: true }));
    await world.timers.advance(5_000);
    expect(world.sent.every((each) => each.at <= T0 + 1_000)).toBe(true);
    expect(world.relay.stats().dropped).toBe(100 - world.sent.length);
  });
});

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
    expect(world.written.map((each) => each.what)).toEqual(['reported']);
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

describe('failures', () => {
  test('an outage is tried again within 5 s, is said once, and parks nothing', async () => {
    const world = createWorld();
    world.answer = () => Promise.reject(grpcError(UNAVAILABLE, 'connection refused'));
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.advance(180_000);
    expect(world.sent.length).toBeGreaterThan(30);
    expect(world.relay.stats()).toMatchObject({ parked: 0, isTemporalAway: true });
    world.answer = () => Promise.resolve('delivered');
    await world.timers.advance(6_000);
    expect(world.written.at(-1)?.what).toBe('reported');
    expect(world.logged.filter((line) => line.includes('Temporal'))).toHaveLength(2);
  });

  test('a refused row backs off from 1 s to 60 s and is parked at the 20th refusal', async () => {
    const world = createWorld();
    world.answer = (id) =>
      id === 'bad'
        ? Promise.reject(grpcError(INVALID_ARGUMENT, 'blob too large'))
        : Promise.resolve('delivered');
    world.put(claimOf('bad'), claimOf('good'));
    world.relay.start();
    await world.timers.advance(3_600_000);
    const failures = world.written.filter((each) => each.what === 'failed');
    expect(failures.map((each) => (each.fields as { backoffMs: number }).backoffMs)).toEqual(
      [1, 2, 4, 8, 16, 32, ...Array.from({ length: 14 }, () => 60)].map((s) => s * 1_000),
    );
    expect(failures.at(-1)?.fields).toMatchObject({
      park: true,
      reason: 'Temporal refused: INVALID_ARGUMENT blob too large',
    });
    expect(failures.slice(0, -1).every((each) => !(each.fields as { park: boolean }).park)).toBe(
      true,
    );
    expect(world.written).toContainEqual(expect.objectContaining({ what: 'reported', id: 'good' }));
  });

  test('a ledger that is away is said once, left alone, and used again when it is back', async () => {
    const world = createWorld();
    let asked = 0;
    world.ledgerFault = () => {
      asked += 1;
      throw new Error('connection terminated');
    };
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.advance(30_000);
    expect(asked).toBeLessThan(15);
    expect(world.logged).toHaveLength(1);
    world.ledgerFault = () => undefined;
    await world.timers.advance(6_000);
    expect(world.written.map((each) => each.what)).toEqual(['reported']);
    expect(world.logged).toHaveLength(2);
  });

  test('a report that was told but could not be marked is told again', async () => {
    const world = createWorld({ leaseMs: 2_000 });
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.settle();
    world.ledgerFault = () => {
      if (world.sent.length === 1 && world.timers.now() < T0 + 1_000) throw new Error('gone');
    };
    await world.timers.advance(8_000);
    expect(world.sent.length).toBe(2);
    expect(world.written.map((each) => each.what)).toEqual(['reported']);
  });
});

describe('alerts the ledger decided', () => {
  const outboxOf = (id: string) => ({
    input: { id } as never,
    fence: 1,
    tries: 0,
  });

  test('each is started and marked; a failure is tried again', async () => {
    const world = createWorld();
    let failures = 2;
    world.answer = () => {
      failures -= 1;
      return failures >= 0
        ? Promise.reject(grpcError(UNAVAILABLE, 'gone'))
        : Promise.resolve('delivered');
    };
    world.putAlert(outboxOf('a1'));
    world.relay.start();
    await world.timers.advance(10_000);
    expect(world.written.map((each) => each.what)).toEqual([
      'alertFailed',
      'alertFailed',
      'alertStarted',
    ]);
  });

  test('they go before due rows', async () => {
    const world = createWorld({ signalsPerSecond: 5 });
    world.put(...many(100, 'p'));
    world.relay.start();
    await world.timers.advance(2_000);
    world.putAlert(outboxOf('a1'));
    await world.timers.advance(400);
    expect(world.startedAlerts).toHaveLength(1);
  });
});

describe('stopping', () => {
  test('waits for what is under way and what was handed over, and claims nothing more', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.answer = () => after(world.timers, 300, 'delivered');
    world.put(...many(50, 'p'));
    world.relay.start();
    await world.timers.advance(100);
    world.relay.deliver(many(8, 'crossing', { crossing: true }));
    let isStopped = false;
    const stopped = world.relay.stop().then(() => {
      isStopped = true;
    });
    await world.timers.settle();
    expect(isStopped).toBe(false);
    await world.timers.advance(3_000);
    await stopped;
    const count = world.sent.length;
    expect(idsOf(world).filter((id) => id.startsWith('crossing'))).toHaveLength(8);
    expect(world.written).toHaveLength(count);
    await world.timers.advance(10_000);
    expect(world.sent.length).toBe(count);
  });

  test('waits for rows that it is just claiming', async () => {
    const world = createWorld();
    world.claimMs = 300;
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.advance(100);
    const stopped = world.relay.stop().then(() => world.written.length);
    await world.timers.advance(1_000);
    expect(await stopped).toBe(1);
  });

  test('gives up on what hangs', async () => {
    const world = createWorld({ stopMs: 1_000 });
    world.answer = () => new Promise<never>(() => undefined);
    world.put(claimOf('p'));
    world.relay.start();
    await world.timers.advance(300);
    const stopped = world.relay.stop();
    await world.timers.advance(1_000);
    await stopped;
    expect(world.logged).toEqual(['warn relay: stopped with work under way']);
  });
});
