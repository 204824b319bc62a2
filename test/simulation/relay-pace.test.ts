import { describe, expect, test } from 'vitest';
import {
  after,
  claimOf,
  createWorld,
  grpcError,
  manyClaims,
  T0,
  type World,
} from './relay-world.js';

const RESOURCE_EXHAUSTED = 8;

const idsOf = (world: World): string[] => world.sent.map((each) => each.id);

describe('the pace of a relay', () => {
  test('all periods together are told at the common rate', async () => {
    const world = createWorld({ signalsPerSecond: 50 });
    world.put(...manyClaims(500, 'p'));
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
    world.put(...manyClaims(400, 'slow'));
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
    world.put(...manyClaims(100, 'busy'));
    world.relay.start();
    await world.timers.advance(1_500);
    expect(world.relay.stats().signalsPerSecond).toBe(20);
  });

  test('never more than the allowed sends are under way', async () => {
    const world = createWorld({ signalsPerSecond: 1_000, capPerSecond: 1_000, maxInFlight: 20 });
    world.answer = () => after(world.timers, 400, 'delivered');
    world.put(...manyClaims(200, 'p'));
    world.relay.start();
    world.relay.deliver(manyClaims(60, 'crossing', { crossing: true }));
    await world.timers.advance(6_000);
    expect(world.maxInFlight).toBe(20);
    expect(world.sent.length).toBe(260);
  });
});

describe('what goes first', () => {
  test('a crossing that is due goes before older rows', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.put(...manyClaims(100, 'p'));
    world.relay.start();
    await world.timers.advance(1_000);
    world.put(claimOf('crosses', { crossing: true }));
    const before = world.sent.length;
    await world.timers.advance(400);
    expect(idsOf(world).indexOf('crosses')).toBeLessThanOrEqual(before + 1);
  });

  test('a handed-over crossing is told at once while ordinary rows queue', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.put(...manyClaims(200, 'p'));
    world.relay.start();
    await world.timers.advance(1_000);
    world.relay.deliver([claimOf('crosses', { crossing: true })]);
    await world.timers.settle();
    expect(world.sent.at(-1)).toMatchObject({ id: 'crosses', at: T0 + 1_000 });
  });

  test('crossings of one organisation do not hold back those of another', async () => {
    const world = createWorld({ signalsPerSecond: 10 });
    world.relay.start();
    const noisy = manyClaims(100, 'noisy', { crossing: true });
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
    world.relay.deliver(manyClaims(100, 'c', { crossing: true }));
    await world.timers.advance(5_000);
    expect(world.sent.every((each) => each.at <= T0 + 1_000)).toBe(true);
    expect(world.relay.stats().dropped).toBe(100 - world.sent.length);
  });
});
