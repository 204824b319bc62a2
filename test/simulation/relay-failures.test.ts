import { describe, expect, test } from 'vitest';
import type { NewNotice } from '../../ledger/ledger.js';
import {
  after,
  claimOf,
  createWorld,
  grpcError,
  manyClaims,
  T0,
  UNAVAILABLE,
  type World,
} from './relay-world.js';

const INVALID_ARGUMENT = 3;

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
    world.put(...manyClaims(100, 'p'));
    world.relay.start();
    await world.timers.advance(2_000);
    world.putAlert(outboxOf('a1'));
    await world.timers.advance(400);
    expect(world.startedAlerts).toHaveLength(1);
  });
});

describe('starting', () => {
  test('a crossing that came in before the start is told at the start, not when its lease ends', async () => {
    const world = createWorld();
    world.relay.deliver([claimOf('p', { crossing: true })]);
    await world.timers.advance(500);
    expect(world.sent).toEqual([]);
    world.relay.start();
    await world.timers.advance(10);
    expect(world.sent.map(({ id }) => id)).toEqual(['p']);
  });

  test('one that was stopped takes nothing more and does not start again', async () => {
    const world = createWorld();
    world.relay.start();
    await world.relay.stop();
    world.relay.deliver([claimOf('p', { crossing: true })]);
    world.relay.start();
    await world.timers.advance(10_000);
    expect(world.sent).toEqual([]);
  });
});

describe('stopping', () => {
  test('waits for what is under way and what was handed over, and claims nothing more', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.answer = () => after(world.timers, 300, 'delivered');
    world.put(...manyClaims(50, 'p'));
    world.relay.start();
    await world.timers.advance(100);
    world.relay.deliver(manyClaims(8, 'crossing', { crossing: true }));
    let isStopped = false;
    const stopped = world.relay.stop().then(() => {
      isStopped = true;
    });
    await world.timers.settle();
    expect(isStopped).toBe(false);
    await world.timers.advance(3_000);
    await stopped;
    const count = world.sent.length;
    expect(world.sent.filter((each) => each.id.startsWith('crossing'))).toHaveLength(8);
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

describe('what the service says of itself (A15)', () => {
  test('notices are raised every two seconds, whatever else is due', async () => {
    const world = createWorld();
    world.relay.start();
    await world.timers.advance(10_000);
    expect(world.raises).toBeGreaterThanOrEqual(4);
    expect(world.raises).toBeLessThanOrEqual(6);
  });

  test('a lag of a minute is told, in one wording an hour', async () => {
    const world = createWorld();
    world.lagMs = 59_999;
    world.relay.start();
    await world.timers.advance(40_000);
    expect(told(world)).toEqual([]);
    world.lagMs = 60_000;
    await world.timers.advance(90_000);
    expect(new Set(told(world)).size).toBe(1);
  });
});

function told(world: World): string[] {
  return world.written
    .filter(({ what }) => what === 'tellOperators')
    .map(({ fields }) => (fields as NewNotice).once ?? '');
}
