/** Calls from a lease in memory, over real sockets: never more than is granted, whatever is lost. */
import { describe, expect, test, vi } from 'vitest';
import type { Misbehaviour } from '../../fakes/gateway.js';
import { call, CENT, DOLLAR, startGateway, startGuard } from './sdk-engine-kit.js';

const until = { timeout: 10_000, interval: 10 };

const ended = (id: string, book: { leases: ReadonlyMap<string, { state: string }> }) =>
  book.leases.get(id)?.state;

describe('L2. Spend stays within the limit', () => {
  const faults: readonly (readonly [string, Misbehaviour])[] = [
    ['lost replies', { type: 'lost' }],
    ['answers that are none', { type: 'junk' }],
    ['503', { type: 'status', status: 503 }],
    ['429', { type: 'status', status: 429 }],
  ];
  test.each([['nothing', undefined] as const, ...faults])('through %s', async (_name, fault) => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    if (fault !== undefined) gateway.script('/v1/leases', [fault, fault]);
    const guard = startGuard(gateway, { policy: { holder: { waitMs: 3_000 } } });
    const calls = await Promise.all(Array.from({ length: 120 }, () => call(guard)));
    const refused = calls.filter(({ type }) => type === 'refused');
    expect(refused).toHaveLength(20);
    expect(refused[0]).toMatchObject({
      refusal: { why: 'budget', reason: 'cost', budget: { dimension: 'cost', limit: DOLLAR } },
    });
    await guard.admission.close(5_000);
    expect(gateway.book.spent().cost_nano_usd).toBe(DOLLAR);
    expect(gateway.book.leased().cost_nano_usd).toBe(0);
    const [[id] = ['']] = gateway.book.leases;
    expect(ended(id, gateway.book)).toBe('closed');
  });

  test('L5. a request that is repeated after a lost reply has its number', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.script('/v1/leases', [{ type: 'lost' }, { type: 'lost' }]);
    await call(startGuard(gateway, { policy: { holder: { waitMs: 3_000 } } }));
    const asks = gateway.requests.filter(({ path }) => path === '/v1/leases');
    expect(new Set(asks.slice(0, 3).map(({ body }) => body['n'])).size).toBe(1);
    expect(gateway.book.leases.size).toBe(1);
  });

  test('a call that is released spends nothing, and tells nothing', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: CENT.cost } });
    const guard = startGuard(gateway);
    for (let n = 0; n < 3; n += 1) {
      const admitted = await guard.admission.admit(CENT);
      expect(admitted.type).toBe('admitted');
      if (admitted.type === 'admitted') {
        admitted.reservation.release();
        admitted.reservation.release();
      }
    }
    await guard.admission.close(3_000);
    expect(gateway.book.events).toEqual([]);
    expect(gateway.book.leased().cost_nano_usd).toBe(0);
  });
});

describe('L6. The gateway is unreachable', () => {
  const shifted = () => {
    let ahead = 0;
    return {
      clock: { wall: () => Date.now() + ahead, mono: () => performance.now() + ahead },
      pass: (ms: number) => {
        ahead += ms;
      },
    };
  };

  test('a guard keeps to its lease, and refuses once that is over', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const { clock, pass } = shifted();
    const guard = startGuard(gateway, { clock });
    await call(guard);
    await gateway.refuse();
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    pass(31_000);
    expect(await call(guard)).toMatchObject({
      type: 'refused',
      refusal: { why: 'unreachable' },
    });
    await gateway.reopen();
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
  });

  test('with `open` it goes on, and reports when the gateway is back', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const { clock, pass } = shifted();
    const guard = startGuard(gateway, { clock, whenUnreachable: 'open' });
    await call(guard);
    await gateway.refuse();
    pass(31_000);
    for (let n = 0; n < 3; n += 1) expect(await call(guard)).toMatchObject({ type: 'admitted' });
    await gateway.reopen();
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(4);
    }, until);
  });

  test('a guard that never reached it refuses after its wait, and is admitted once it is there', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    await gateway.refuse();
    const guard = startGuard(gateway, { policy: { firstSyncMs: 50 } });
    expect(await call(guard)).toMatchObject({ type: 'refused', refusal: { why: 'unreachable' } });
    await gateway.reopen();
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
  });

  test('without a block budget calls go on meanwhile, and are reported', async () => {
    const gateway = await startGateway();
    await gateway.refuse();
    const guard = startGuard(gateway, {
      ...{ hasBlockBudget: false, whenUnreachable: 'open', policy: { firstSyncMs: 50 } },
    });
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    await gateway.reopen();
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(1);
    }, until);
  });
});

describe('an agent that no block budget holds', () => {
  test('calls are admitted at once, and reported without a lease', async () => {
    const gateway = await startGateway();
    const guard = startGuard(gateway, { hasBlockBudget: false });
    for (let n = 0; n < 50; n += 1) await call(guard);
    await guard.admission.close(3_000);
    expect(gateway.book.events).toHaveLength(50);
    expect(gateway.book.events.every((event) => !('lease' in event))).toBe(true);
    expect(gateway.requests.filter(({ path }) => path === '/v1/leases').length).toBeLessThan(3);
  });

  test('is held to one that an operator sets later, from the moment the channel tells', async () => {
    const gateway = await startGateway();
    const guard = startGuard(gateway, { hasBlockBudget: false });
    await call(guard);
    await vi.waitFor(() => {
      expect(gateway.listeners()).toBe(1);
    }, until);
    gateway.book.setLimits({ calls: 3 });
    gateway.say('limits', { rev: 2 });
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({
        ...{ type: 'refused', refusal: { why: 'budget', reason: 'calls' } },
      });
    }, until);
  });
});
