/**
 * PU-1, PF-1, PC-1: whatever the order in which people connect, alerts are offered, statements are
 * answered and devices acknowledge: each device is told each alert once, and of its end once.
 */
import { describe, expect, test } from 'vitest';
import { createDice } from './dice.js';
import { createPushWorld, turns, type RecordingSocket } from './push-world.js';

const WORLDS = Number(process.env['KAVACH_PUSH_WORLDS'] ?? 150);
const ALERTS = 12;

async function play(seed: number) {
  const dice = createDice(seed);
  const world = createPushWorld(dice);
  const staying: RecordingSocket[] = [];
  const soon = (most: number): Promise<void> => turns(dice.between(0, most));
  const offering = Array.from({ length: ALERTS }, async (_, i) => {
    await soon(60);
    await world.offer(`m${String(i)}`);
  });
  const visiting = Array.from({ length: 6 }, async (_, i) => {
    await soon(60);
    const socket = await world.connect();
    await soon(30);
    // Half of them go again: sometimes nobody is left for a while.
    if (i % 2 === 0) socket.terminate();
    else staying.push(socket);
    const [first] = socket.idsOf('notification');
    if (first !== undefined && dice.chance(0.5)) socket.ack(first);
  });
  await Promise.all([...offering, ...visiting]);
  const isTold = (socket: RecordingSocket): boolean => {
    const taken = world.takenOf();
    const has = new Set(socket.idsOf('notification'));
    const ended = new Set(socket.idsOf('acknowledged'));
    const ids = Array.from({ length: ALERTS }, (_, i) => `m${String(i)}`);
    return ids.every((id) => (taken.includes(id) ? !has.has(id) || ended.has(id) : has.has(id)));
  };
  await expect
    .poll(() => staying.every(isTold), {
      timeout: 5_000,
      interval: 2,
      message: `seed ${String(seed)}`,
    })
    .toBe(true);
  // What would come twice, or too late, has come by now.
  await turns(60);
  const taken = world.takenOf();
  const told = [...world.told].sort();
  await world.hub.stop(0);
  return { staying, taken, told };
}

describe('push', () => {
  test(`${String(WORLDS)} worlds: each alert once to each device, each acknowledgement once to its alert`, async () => {
    for (let seed = 1; seed <= WORLDS; seed += 1) {
      const { staying, taken, told } = await play(seed);
      expect(told, `seed ${String(seed)}`).toEqual(taken.map((id) => `${id}/0`).sort());
      for (const socket of staying) {
        for (const type of ['notification', 'acknowledged']) {
          const ids = socket.idsOf(type);
          expect(new Set(ids).size, `seed ${String(seed)}: ${type} ${ids.join(' ')}`).toBe(
            ids.length,
          );
        }
      }
    }
  });
});
