/** The relay tells agents' workflows what their rules matched, within its one pace. */
import { expect, test } from 'vitest';
import type { ClaimedWatch } from '../../ledger/ledger.js';
import { createWorld, grpcError, manyClaims, T0, UNAVAILABLE } from './relay-world.js';

function watchOf(agent: string, over: Partial<ClaimedWatch> = {}): ClaimedWatch {
  const rules = [{ rule: 'r1', matches: 3, misses: 0, heardAt: T0, matchedAt: T0 }];
  const report = { sender: 'ledger', epoch: 1, seq: 2, rev: 1, rules };
  return { ...{ org: 'default', agent, fence: 0, seq: 2, tries: 0, report }, ...over };
}

test('what was counted is told once, and written down after Temporal has it', async () => {
  const world = createWorld({ intervalMs: 7_000 });
  world.putWatch(watchOf('bot'));
  world.relay.start();
  await world.timers.advance(5_000);
  expect(world.matches).toEqual([{ at: T0, agent: 'bot', report: watchOf('bot').report }]);
  expect(world.written).toContainEqual(
    expect.objectContaining({ what: 'watchReported', id: 'bot', fields: { nextInMs: 7_000 } }),
  );
  expect(world.relay.stats()).toMatchObject({ matchesTold: 1 });
  await world.relay.stop();
});

test('while Temporal is away it waits, and is told when that is back', async () => {
  const world = createWorld();
  world.answer = () => Promise.reject(grpcError(UNAVAILABLE, 'no connection'));
  world.putWatch(watchOf('bot'));
  world.relay.start();
  await world.timers.advance(10_000);
  const tried = world.matches.length;
  expect(tried).toBeGreaterThan(1);
  expect(world.written.some(({ what }) => what === 'watchReported')).toBe(false);
  world.answer = () => Promise.resolve('delivered');
  await world.timers.advance(10_000);
  expect(world.matches).toHaveLength(tried + 1);
  expect(world.written.some(({ what }) => what === 'watchReported')).toBe(true);
  await world.relay.stop();
});

test('nothing left to tell starts no workflow', async () => {
  const world = createWorld();
  const { report } = watchOf('bot');
  world.putWatch(watchOf('bot', { report: { ...report, rules: [] } }));
  world.relay.start();
  await world.timers.advance(1_000);
  expect(world.matches).toEqual([]);
  expect(world.written.map(({ what }) => what)).toContain('watchReported');
  await world.relay.stop();
});

test('a flood of agents leaves room for periods, and periods for agents', async () => {
  const world = createWorld();
  for (let no = 0; no < 500; no += 1) world.putWatch(watchOf(`agent-${String(no)}`));
  world.put(...manyClaims(500, 'p'));
  world.relay.start();
  await world.timers.advance(4_000);
  expect(world.matches.length).toBeGreaterThan(60);
  expect(world.sent.length).toBeGreaterThan(60);
  await world.timers.advance(60_000);
  expect([world.matches.length, world.sent.length]).toEqual([500, 500]);
  await world.relay.stop();
});
