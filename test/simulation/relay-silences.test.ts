/** A13: alerts are told that a silence was ended, whatever is away meanwhile. */
import { expect, test } from 'vitest';
import type { SilencedAlert } from '../../ledger/ledger.js';
import { createSilenceRelay } from '../../relay/silences.js';
import { createVirtualTimers } from '../support/virtual-timers.js';

const T0 = Date.UTC(2026, 10, 21);
const HOUR = 3_600_000;

function createWorld(...alertIds: readonly string[]) {
  const timers = createVirtualTimers(T0);
  const rows = alertIds.map((alertId) => ({
    claim: { org: 'acme', silence: 's1', alertId, fence: 0, tries: 0 },
    ...{ dueAt: 0, leaseUntil: 0, isTold: false },
  }));
  const world = {
    ...{
      timers,
      rows,
      isLedgerAway: false,
      answer: (): Promise<unknown> => Promise.resolve('told'),
    },
    told: [] as string[],
    sweeps: [] as number[],
    logged: [] as string[],
  };
  const rowOf = ({ alertId, fence }: SilencedAlert) =>
    rows.find(({ claim }) => claim.alertId === alertId && claim.fence === fence);
  const relay = createSilenceRelay({
    timers,
    ledger: {
      claimSilenced: ({ now, limit, leaseMs }) => {
        if (world.isLedgerAway) return Promise.reject(new Error('the ledger is away'));
        const due = rows.filter((row) => !row.isTold && row.dueAt <= now && row.leaseUntil <= now);
        for (const row of due.slice(0, limit)) {
          row.leaseUntil = now + leaseMs;
          row.claim = { ...row.claim, fence: row.claim.fence + 1 };
        }
        return Promise.resolve(due.slice(0, limit).map(({ claim }) => claim));
      },
      silencedTold: (claim) => {
        const row = rowOf(claim);
        if (row !== undefined) row.isTold = true;
        return Promise.resolve();
      },
      silencedFailed: (claim, { now, backoffMs }) => {
        const row = rowOf(claim);
        if (row === undefined) return Promise.resolve();
        row.claim = { ...row.claim, tries: row.claim.tries + 1 };
        Object.assign(row, { dueAt: now + backoffMs, leaseUntil: 0 });
        return Promise.resolve();
      },
      forgetSilenced: (before) => {
        world.sweeps.push(before);
        return Promise.resolve(0);
      },
    },
    client: {
      endSilence: (id) => {
        world.told.push(id);
        return world.answer() as Promise<'told'>;
      },
    },
    log: {
      info: (_fields, message) => void world.logged.push(message),
      warn: (_fields, message) => void world.logged.push(message),
      error: () => undefined,
    },
    config: { batch: 2 },
  });
  return { world, relay, timers, rows };
}

test('each alert is told once, batch after batch', async () => {
  const { world, relay, timers } = createWorld('a1', 'a2', 'a3', 'a4', 'a5');
  relay.start();
  await timers.advance(100);
  expect(world.told.sort()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  await timers.advance(HOUR);
  expect(world.told).toHaveLength(5);
  await relay.stop();
});

test('an alert that is over is told nothing more', async () => {
  const { world, relay, timers, rows } = createWorld('a1');
  world.answer = () => Promise.resolve('not_running');
  relay.start();
  await timers.advance(HOUR);
  expect([world.told, rows[0]?.isTold]).toEqual([['a1'], true]);
  await relay.stop();
});

test('SR-1: while Temporal is away it is tried again, less and less often, and said once', async () => {
  const { world, relay, timers, rows } = createWorld('a1');
  world.answer = () => Promise.reject(new Error('no answer'));
  relay.start();
  await timers.advance(HOUR);
  expect(world.told.length).toBeGreaterThan(55);
  expect(world.told.length).toBeLessThan(80);
  expect(world.logged).toEqual(['relay: the end of a silence waits']);
  world.answer = () => Promise.resolve('told');
  await timers.advance(61_000);
  expect(rows[0]?.isTold).toBe(true);
  await relay.stop();
});

test('SR-2: a ledger that is away ends nothing, and old notes are swept now and then', async () => {
  const { world, relay, timers, rows } = createWorld('a1');
  world.isLedgerAway = true;
  relay.start();
  await timers.advance(60_000);
  expect(world.told).toEqual([]);
  world.isLedgerAway = false;
  await timers.advance(HOUR);
  expect(rows[0]?.isTold).toBe(true);
  expect(world.sweeps.length).toBeGreaterThanOrEqual(6);
  await relay.stop();
  const before = world.sweeps.length;
  await timers.advance(HOUR);
  expect(world.sweeps).toHaveLength(before);
});
