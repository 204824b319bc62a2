/** What the relay promises of push (relay/push.ts): PR-1, PR-2. */
import { describe, expect, test } from 'vitest';
import type { PushConfirmation } from '../../ledger/ledger.js';
import { createPushRelay } from '../../relay/push.js';
import { createVirtualTimers } from '../support/virtual-timers.js';
import { T0 } from './relay-world.js';

const LEASE_MS = 5_000;

function world() {
  const clock = createVirtualTimers(T0);
  const due = new Map<string, { confirmation: PushConfirmation; at: number }>();
  const told: string[] = [];
  const lines: string[] = [];
  const away = { temporal: false, ledger: false };
  let sweeps = 0;
  const gone = () => Promise.reject(new Error('away'));
  const say = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const relay = createPushRelay({
    ledger: {
      claimPushConfirmations: ({ now, limit, leaseMs }) => {
        if (away.ledger) return gone();
        const claimed = [...due.values()].filter(({ at }) => at <= now).slice(0, limit);
        for (const each of claimed) each.at = now + leaseMs;
        return Promise.resolve(claimed.map(({ confirmation }) => confirmation));
      },
      pushConfirmed: ({ id }) => {
        due.delete(id);
        return Promise.resolve();
      },
      sweepPush: () => {
        sweeps += 1;
        return Promise.resolve();
      },
    },
    client: {
      confirmDelivery: (_alert, delivery) => {
        if (away.temporal) return gone();
        told.push(delivery);
        return Promise.resolve('told');
      },
    },
    log: { info: say, warn: say, error: say },
    timers: clock,
    leaseMs: LEASE_MS,
  });
  relay.start();
  const acknowledge = (id: string): void => {
    const confirmation = { org: 'acme', id, alertId: `alert/${id}`, deliveryId: `${id}/0` };
    due.set(id, { confirmation, at: clock.now() });
  };
  return {
    clock,
    due,
    told,
    lines,
    away,
    stop: () => relay.stop(),
    acknowledge,
    sweeps: () => sweeps,
  };
}

describe('the relay of push', () => {
  test('PR-1: each acknowledgement is told once where nothing fails, however many there are', async () => {
    const { clock, told, acknowledge, stop, due } = world();
    for (let i = 0; i < 90; i += 1) acknowledge(String(i));
    await clock.advance(1_000);
    expect(told).toHaveLength(90);
    expect(due.size).toBe(0);
    await stop();
  });

  test('PR-1: while Temporal is away it waits, and is told when it is back', async () => {
    const { clock, told, away, acknowledge, stop, lines } = world();
    away.temporal = true;
    acknowledge('a');
    await clock.advance(60_000);
    expect(told).toEqual([]);
    expect(lines).toHaveLength(1);
    away.temporal = false;
    await clock.advance(LEASE_MS + 1_000);
    expect(told).toEqual(['a/0']);
    await stop();
  });

  test('PR-2: a ledger that is away is left alone for longer and longer, and then goes on', async () => {
    const { clock, told, away, acknowledge, stop } = world();
    away.ledger = true;
    acknowledge('a');
    await clock.advance(30_000);
    away.ledger = false;
    await clock.advance(6_000);
    expect(told).toEqual(['a/0']);
    await stop();
  });

  test('sweeps every few seconds, and stops', async () => {
    const { clock, sweeps, stop } = world();
    await clock.advance(26_000);
    expect(sweeps()).toBeGreaterThanOrEqual(5);
    await stop();
    const before = sweeps();
    await clock.advance(60_000);
    expect(sweeps()).toBe(before);
  });
});
