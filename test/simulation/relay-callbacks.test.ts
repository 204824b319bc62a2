/** What the relay makes of callbacks: to whom it carries them, when again, and when no more. */
import { describe, expect, test } from 'vitest';
import type { UpdateAnswer } from '../../client/answer-update.js';
import type {
  CallbackLedger,
  CallbackWord,
  ClaimedCallback,
  ReceiptDelivery,
} from '../../ledger/ledger.js';
import { createCallbackRelay, DEFAULT_CALLBACK_CONFIG } from '../../relay/callbacks.js';
import { createVirtualTimers } from '../support/virtual-timers.js';
import { grpcError, T0, UNAVAILABLE } from './relay-world.js';

const HOUR = 3_600_000;
const LOST: CallbackWord = { what: 'undelivered', message: 'm', reason: 'bounced', gone: false };
const TAKEN: CallbackWord = {
  ...{ what: 'acknowledged', incident: 'key', by: 'Ann (PagerDuty)', occurredAt: T0 },
};
const delivery = (over: Partial<ReceiptDelivery> = {}): ReceiptDelivery => ({
  ...{ org: 'acme', alertId: 'alert/1', deliveryId: 'alert/1/0', hasVote: true },
  ...over,
});

interface Row {
  claim: ClaimedCallback;
  dueAt: number | undefined;
  result: string;
}

function createWorld(...words: CallbackWord[]) {
  const timers = createVirtualTimers(T0);
  const rows = words.map<Row>((word, i) => ({
    claim: { provider: 'resend', eventId: String(i), word, receivedAt: T0, fence: 0, tries: 0 },
    ...{ dueAt: T0, result: '' },
  }));
  const find = ({ eventId }: ClaimedCallback) => rows[Number(eventId)]!;
  const world = {
    ...{ timers, rows },
    told: [] as { readonly at: number; readonly call: string }[],
    logged: [] as string[],
    deliveries: [delivery()] as readonly ReceiptDelivery[],
    alerts: [] as { id: string; phase: 'firing' | 'acknowledged' }[],
    until: [] as number[],
    sweeps: [] as number[],
    claims: 0,
    ledgerFault: (): void => undefined,
    answer: (): Promise<unknown> => Promise.resolve('told'),
  };
  const ledger: CallbackLedger = {
    putCallback: () => Promise.resolve('stored'),
    claimCallbacks: ({ now, limit, leaseMs }) => {
      world.claims += 1;
      world.ledgerFault();
      const due = rows.filter(({ dueAt }) => dueAt !== undefined && dueAt <= now).slice(0, limit);
      for (const row of due) row.dueAt = now + leaseMs;
      return Promise.resolve(due.map(({ claim }) => claim));
    },
    callbackDone: (claim, result) => {
      Object.assign(find(claim), { dueAt: undefined, result });
      return Promise.resolve();
    },
    callbackFailed: (claim, { now, backoffMs, reason }) => {
      const row = find(claim);
      row.claim = { ...claim, tries: claim.tries + 1 };
      Object.assign(row, { dueAt: now + backoffMs, result: reason });
      return Promise.resolve();
    },
    forgetCallbacks: (before) => {
      world.sweeps.push(before);
      return Promise.resolve(0);
    },
    noteReceipt: () => Promise.resolve(world.deliveries),
    alertsOfIncident: (_key, until) => {
      world.until.push(until);
      return Promise.resolve(world.alerts);
    },
  };
  const tell = (call: string): Promise<unknown> => {
    world.told.push({ at: timers.now() - T0, call });
    return world.answer();
  };
  const act = (verb: string) => (id: string, actor: object) =>
    tell(`${verb} ${id} ${JSON.stringify(actor)}`) as Promise<UpdateAnswer>;
  const say = (fields: object, message: string): void => {
    world.logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const relay = createCallbackRelay({
    ...{ ledger, timers, log: { info: say, warn: say, error: say } },
    client: {
      acknowledge: act('acknowledge'),
      resolve: act('resolve'),
      revokeDelivery: (id, { delivery: of, reason }) =>
        tell(`revoke ${id} ${of} ${reason}`) as Promise<'told' | 'not_running'>,
    },
  });
  return { ...world, world, relay };
}

const UPDATED = { type: 'done' };

describe('a message that did not arrive', () => {
  test('takes its vote back, once', async () => {
    const { relay, timers, told, rows } = createWorld(LOST);
    relay.start();
    await timers.advance(HOUR);
    expect(told).toEqual([{ at: 0, call: 'revoke alert/1 alert/1/0 bounced' }]);
    expect(rows[0]?.result).toBe('revoked 1');
  });

  test('CR-2: waits until the alert has counted the delivery', async () => {
    const { relay, timers, told, world } = createWorld(LOST);
    world.deliveries = [delivery({ hasVote: false })];
    relay.start();
    await timers.advance(2_000);
    expect(told).toEqual([]);
    world.deliveries = [delivery()];
    await timers.advance(2_000);
    expect(told).toHaveLength(1);
  });

  test('of an alert that never counts it, is given up after a day', async () => {
    const { relay, timers, told, world, rows } = createWorld(LOST);
    world.deliveries = [delivery({ hasVote: false })];
    relay.start();
    await timers.advance(25 * HOUR);
    expect(told).toEqual([]);
    expect(rows[0]?.dueAt).toBeUndefined();
  });

  test('of an alert that has ended, changes nothing', async () => {
    const { relay, timers, world, rows } = createWorld(LOST);
    world.answer = () => Promise.resolve('not_running');
    relay.start();
    await timers.advance(1_000);
    expect(rows[0]).toMatchObject({ dueAt: undefined, result: 'the alert was over' });
  });

  test('that is not ours is looked for again for a quarter of an hour: our book may be behind', async () => {
    const { relay, timers, told, world, rows } = createWorld(LOST, {
      what: 'delivered',
      message: 'm',
    });
    world.deliveries = [];
    relay.start();
    await timers.advance(HOUR / 4 - 61_000);
    expect(rows.every(({ dueAt }) => dueAt !== undefined)).toBe(true);
    await timers.advance(130_000);
    expect(rows.map(({ dueAt, result }) => [dueAt, result])).toEqual([
      [undefined, 'no delivery has this message'],
      [undefined, 'no delivery has this message'],
    ]);
    expect(told).toEqual([]);
  });
});

describe('T9: a word of a person at PagerDuty', () => {
  test('is said to every firing alert of its key, in that person’s name', async () => {
    const { relay, timers, told, world, rows } = createWorld(TAKEN);
    world.alerts = [
      { id: 'a/1', phase: 'firing' },
      { id: 'a/2', phase: 'acknowledged' },
      { id: 'a/3', phase: 'firing' },
    ];
    world.answer = () => Promise.resolve(UPDATED);
    relay.start();
    await timers.advance(1_000);
    expect(told.map(({ call }) => call)).toEqual([
      'acknowledge a/1 {"by":"Ann (PagerDuty)"}',
      'acknowledge a/3 {"by":"Ann (PagerDuty)"}',
    ]);
    expect(rows[0]?.result).toBe('acknowledge: 2 of 2');
  });

  test('resolved ends those that were acknowledged, too', async () => {
    const { relay, timers, told, world } = createWorld({ ...TAKEN, what: 'resolved' });
    world.alerts = [{ id: 'a/2', phase: 'acknowledged' }];
    world.answer = () => Promise.resolve({ type: 'refused' });
    relay.start();
    await timers.advance(HOUR);
    expect(told).toHaveLength(1);
  });

  test('holds for what was raised until then, whichever clock goes ahead', async () => {
    const world = createWorld(
      { ...TAKEN, occurredAt: T0 - HOUR },
      { ...TAKEN, occurredAt: T0 + HOUR },
    );
    world.relay.start();
    await world.timers.advance(1_000);
    expect(world.until).toEqual([T0 - HOUR + 5_000, T0]);
  });
});

describe('CR-1', () => {
  test('while Temporal is away nothing is lost; it is asked again within a minute', async () => {
    const { relay, timers, told, world, rows, logged } = createWorld(LOST);
    world.answer = () => Promise.reject(grpcError(UNAVAILABLE, 'connection refused'));
    relay.start();
    await timers.advance(10 * HOUR);
    expect(rows[0]?.result).toBe('Temporal did not answer: connection refused');
    const waits = told.map(({ at }, i) => at - (told[i - 1]?.at ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(61_000);
    expect(logged).toHaveLength(1);
    world.answer = () => Promise.resolve('told');
    await timers.advance(61_000);
    expect(rows[0]).toMatchObject({ dueAt: undefined, result: 'revoked 1' });
  });

  test('a ledger that is away is left alone for a while, and asked again', async () => {
    const { relay, timers, told, world } = createWorld(LOST);
    world.ledgerFault = () => {
      throw new Error('connection terminated');
    };
    relay.start();
    await timers.advance(60_000);
    expect(world.claims).toBeLessThan(30);
    world.ledgerFault = () => undefined;
    await timers.advance(6_000);
    expect(told).toHaveLength(1);
  });

  test('a backlog is carried out without waiting, all of it', async () => {
    const { relay, timers, told } = createWorld(...Array.from({ length: 95 }, () => LOST));
    relay.start();
    await timers.advance(100);
    expect(told).toHaveLength(95);
  });

  test('what is stopped claims nothing more, and starts again', async () => {
    const { relay, timers, world } = createWorld();
    relay.start();
    relay.start();
    await timers.advance(1_000);
    await relay.stop();
    const claims = world.claims;
    expect(claims).toBe(3);
    await timers.advance(10_000);
    expect(world.claims).toBe(claims);
  });

  test('repeats are known for two weeks: what is older is swept away every hour', async () => {
    const { relay, timers, sweeps } = createWorld();
    relay.start();
    await timers.advance(3 * HOUR);
    expect(sweeps.length).toBeGreaterThanOrEqual(3);
    expect(sweeps[0]).toBe(T0 - DEFAULT_CALLBACK_CONFIG.keepMs);
  });
});
