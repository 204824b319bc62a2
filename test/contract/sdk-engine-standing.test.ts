/** Kill and Stop as they reach a running guard, over real sockets (K1 to K4). */
import { describe, expect, test, vi } from 'vitest';
import type { FakeGateway } from '../../fakes/gateway.js';
import { createSseReader } from '../../sdk/engine/sse.js';
import { call, CENT, DOLLAR, reportOf, startGateway, startGuard } from './sdk-engine-kit.js';
import fc from 'fast-check';

const until = { timeout: 10_000, interval: 10 };
const STOPPED = { type: 'refused', refusal: { why: 'stopped', reason: 'tier_agent_limit' } };

const heard = (gateway: FakeGateway) =>
  vi.waitFor(() => {
    expect(gateway.listeners()).toBe(1);
  }, until);

describe('K3. A Stop reaches the guard', () => {
  test('by the channel, within a second; told once; and its end lets calls go on (K4)', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    await heard(gateway);
    const at = performance.now();
    gateway.stop('it spends too much');
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject(STOPPED);
    }, until);
    expect(performance.now() - at).toBeLessThan(1_000);
    gateway.say('standing', gateway.book.standing());
    for (let n = 0; n < 3; n += 1) expect(await call(guard)).toMatchObject(STOPPED);
    expect(guard.refusals).toHaveLength(1);
    expect(guard.refusals[0]?.detail).toContain('kim: it spends too much');
    gateway.resume();
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
    expect(guard.lifted).toBe(1);
    gateway.stop('again');
    await vi.waitFor(() => {
      expect(guard.refusals).toHaveLength(2);
    }, until);
  });

  test('by the sync, before the first call', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/guard', { type: 'hang' });
    gateway.book.stop('stands already');
    const guard = startGuard(gateway);
    expect(await call(guard)).toMatchObject(STOPPED);
    expect(guard.refusals).toHaveLength(1);
    expect(gateway.requests.some(({ path }) => path === '/v1/leases')).toBe(false);
  });

  test('by the answer to usage, where there is no channel; the usage is stored', async () => {
    const gateway = await startGateway();
    gateway.always('/v1/guard', { type: 'status', status: 404 });
    const guard = startGuard(gateway, { hasBlockBudget: false });
    await call(guard);
    gateway.book.stop('no channel');
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject(STOPPED);
    }, until);
    expect(guard.refusals).toHaveLength(1);
    await vi.waitFor(() => {
      expect(guard.admission.status().waiting).toBe(0);
    }, until);
    expect(gateway.book.repeats()).toBe(0);
  });

  test('late: usage that was refused before the resume holds only until the gateway is asked', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/guard', { type: 'status', status: 404 });
    const guard = startGuard(gateway);
    gateway.script('/v1/ingest', [
      {
        ...{ type: 'status', status: 429 },
        body: { accepted: 1, rejected_count: 0, reason: 'tier_agent_limit', detail: 'old' },
      },
    ]);
    guard.admission.report(CENT, reportOf(CENT));
    await vi.waitFor(() => {
      expect(guard.refusals).toHaveLength(1);
    }, until);
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
    expect(guard.lifted).toBe(1);
  });
});

describe('K1. A kill', () => {
  test('of the channel ends calls at once, with its dimension, once; its end lifts it', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    await call(guard);
    await heard(gateway);
    gateway.book.kill('tokens_total');
    gateway.say('standing', { stopped: null, ...gateway.book.standing() });
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({
        ...{ type: 'refused', refusal: { why: 'killed', reason: 'tokens' } },
      });
    }, until);
    expect(guard.refusals).toHaveLength(1);
    gateway.book.unkill();
    gateway.say('standing', { stopped: null, killed: null });
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
    expect(guard.lifted).toBe(1);
  });

  test('that only a lease is refused for holds, is told once, and ends with the next grant', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/guard', { type: 'status', status: 404 });
    const guard = startGuard(gateway, { policy: { holder: { recheckMs: 10 } } });
    gateway.script('/v1/leases', [
      {
        ...{ type: 'status', status: 200 },
        body: { type: 'refused', why: 'killed', others_hold: false, reason: 'the run', now: 1 },
      },
    ]);
    expect(await call(guard)).toMatchObject({ type: 'refused', refusal: { why: 'killed' } });
    expect(guard.refusals).toHaveLength(1);
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
    expect([guard.refusals.length, guard.lifted]).toEqual([1, 1]);
  });
});

describe('the live channel', () => {
  test('comes again after silence, after its end, and after a gateway was away', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway, { policy: { channel: { silenceMs: 100 } } });
    const opened = () => gateway.requests.filter(({ path }) => path.startsWith('/v1/guard')).length;
    await vi.waitFor(() => {
      expect(opened()).toBeGreaterThan(2);
    }, until);
    await gateway.refuse();
    gateway.book.stop('while away');
    await gateway.reopen();
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject(STOPPED);
    }, until);
  });

  test('junk on it changes nothing', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    await heard(gateway);
    for (const data of [1, 'x', [], { stopped: 7, killed: 'yes' }, { __proto__: 1 }]) {
      for (const event of ['standing', 'limits', 'recall', 'later']) gateway.say(event, data);
    }
    expect(await call(guard)).toMatchObject({ type: 'admitted' });
    expect(guard.refusals).toEqual([]);
  });

  test('events are read the same in whatever pieces they come', () => {
    const text =
      'event: a\ndata: 1\n\n:\n\ndata: x\r\ndata: y\r\n\r\nevent: b\rdata:2\r\rdata: end\n';
    const whole = createSseReader()(text);
    expect(whole).toEqual([
      { name: 'a', data: '1' },
      { name: 'message', data: 'x\ny' },
      { name: 'b', data: '2' },
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (sizes) => {
        const read = createSseReader();
        let rest = text;
        const events = [...sizes, text.length].flatMap((size) => {
          const piece = rest.slice(0, size);
          rest = rest.slice(size);
          return read(piece);
        });
        expect(events).toEqual(whole);
      }),
    );
    expect(() => createSseReader()('x'.repeat(2_000_000))).toThrow(RangeError);
  });
});

describe('B7. the run', () => {
  test('is told its start, that it lives, and its end, once each way', async () => {
    const gateway = await startGateway();
    gateway.script('/v1/runs', [{ type: 'status', status: 503 }]);
    const guard = startGuard(gateway, { policy: { heartbeatMs: 20 } });
    await vi.waitFor(() => {
      expect(gateway.book.runs.length).toBeGreaterThan(2);
    }, until);
    await guard.admission.close(2_000);
    const words = gateway.book.runs.map(({ what }) => what);
    expect([words[0], words[1], words.at(-1)]).toEqual(['started', 'heartbeat', 'ended']);
    expect(words.filter((what) => what !== 'heartbeat')).toEqual(['started', 'ended']);
  });
});
