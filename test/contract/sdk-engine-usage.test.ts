/** Usage of a guard on its way to the gateway, over real sockets and through every fault. */
import { describe, expect, test, vi } from 'vitest';
import type { Misbehaviour } from '../../fakes/gateway.js';
import { call, CENT, DOLLAR, KEY, reportOf, startGateway, startGuard } from './sdk-engine-kit.js';

const until = { timeout: 10_000, interval: 10 };

describe('usage is stored once', () => {
  const faults: readonly (readonly [string, Misbehaviour])[] = [
    ['a lost reply', { type: 'lost' }],
    ['an answer that is none', { type: 'junk' }],
    ['an answer in JSON that is no gateway’s', { type: 'junk', text: '{"hello":1}', status: 202 }],
    ['a 204', { type: 'junk', text: '', status: 204 }],
    ['503', { type: 'status', status: 503 }],
    ['502 of a proxy', { type: 'junk', status: 502 }],
    ['429 without a reason', { type: 'status', status: 429 }],
    ['404 of a proxy that starts', { type: 'status', status: 404 }],
    ['a redirect', { type: 'status', status: 307, headers: { location: 'http://127.0.0.1:1/' } }],
  ];
  test.each(faults)('through %s', async (_name, fault) => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.script('/v1/ingest', [fault, fault]);
    const guard = startGuard(gateway);
    for (let n = 0; n < 5; n += 1) expect(await call(guard)).toMatchObject({ type: 'admitted' });
    await vi.waitFor(() => {
      expect(guard.admission.status().waiting).toBe(0);
    }, until);
    expect(gateway.book.events).toHaveLength(5);
    expect(gateway.book.spent().cost_nano_usd).toBe(5 * CENT.cost);
    expect(gateway.requests.filter(({ path }) => path === '/v1/ingest').length).toBeGreaterThan(2);
  });

  test('through a gateway that hangs', async () => {
    const gateway = await startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.script('/v1/ingest', [{ type: 'hang' }]);
    const guard = startGuard(gateway, { policy: { sender: { timeoutMs: 100 } } });
    await call(guard);
    await vi.waitFor(() => {
      expect(guard.admission.status().waiting).toBe(0);
    }, until);
    expect(gateway.book.events).toHaveLength(1);
    expect(gateway.book.repeats()).toBe(1);
  });

  test('Retry-After is kept to', async () => {
    const gateway = await startGateway();
    const wait = { type: 'status', status: 429, headers: { 'retry-after': '1' } } as const;
    gateway.script('/v1/ingest', [wait]);
    const guard = startGuard(gateway);
    guard.admission.report(CENT, reportOf(CENT));
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(1);
    }, until);
    const [first, second] = gateway.requests.filter(({ path }) => path === '/v1/ingest');
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(950);
  });

  test('a batch that is too large comes in halves', async () => {
    const gateway = await startGateway();
    const tooLarge = { type: 'status', status: 413 } as const;
    gateway.script('/v1/ingest', [{ type: 'status', status: 503 }, tooLarge, tooLarge]);
    const guard = startGuard(gateway);
    for (let n = 0; n < 40; n += 1) guard.admission.report(CENT, reportOf(CENT));
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(40);
    }, until);
    expect(gateway.book.repeats()).toBe(0);
  });

  test('what no gateway will ever take is given up, and told', async () => {
    const gateway = await startGateway();
    gateway.script('/v1/ingest', [{ type: 'status', status: 422 }]);
    const guard = startGuard(gateway);
    guard.admission.report(CENT, reportOf(CENT));
    await vi.waitFor(() => {
      expect(guard.admission.status().waiting).toBe(0);
    }, until);
    expect(gateway.book.events).toHaveLength(0);
    expect(guard.log.join('\n')).toContain('will not be counted');
  });

  test('a key that is not taken keeps the usage, and no word of it reaches the log', async () => {
    const gateway = await startGateway({ apiKey: 'kv_another' });
    const guard = startGuard(gateway);
    guard.admission.report(CENT, reportOf(CENT));
    expect(await call(guard)).toMatchObject({
      type: 'refused',
      refusal: { why: 'rejected', reason: 'backend_rejected' },
    });
    await vi.waitFor(() => {
      expect(guard.log.join('\n')).toContain('the API key is not accepted');
    }, until);
    expect(guard.admission.status().waiting).toBe(1);
    expect(guard.log.join('\n')).not.toContain(KEY);
  });

  test('a key that is no header is a refusal, not a word of the log', async () => {
    const gateway = await startGateway();
    const guard = startGuard(gateway, { apiKey: 'kv_bad\nkey', policy: { firstSyncMs: 50 } });
    expect(await call(guard)).toMatchObject({ type: 'refused' });
    guard.admission.report(CENT, reportOf(CENT));
    await vi.waitFor(() => {
      expect(guard.log.length).toBeGreaterThan(1);
    }, until);
    expect(guard.log.join('\n')).not.toMatch(/kv_bad|Bearer/);
  });

  test('memory is bounded while the gateway is away: what has no room is told', async () => {
    const gateway = await startGateway();
    gateway.always('/v1/ingest', { type: 'status', status: 503 });
    const guard = startGuard(gateway, { policy: { sender: { maxEvents: 10 } } });
    for (let n = 0; n < 30; n += 1) guard.admission.report(CENT, reportOf(CENT));
    expect(guard.admission.status().waiting).toBeLessThanOrEqual(20);
    expect(guard.log.join('\n')).toContain('memory is full');
  });

  test('large batches are packed, and every event is as it was', async () => {
    const gateway = await startGateway();
    const guard = startGuard(gateway);
    const prompt = 'Grüße, 世界 '.repeat(300);
    for (let n = 0; n < 20; n += 1) {
      guard.admission.report(CENT, { ...reportOf(CENT), prompt: `${String(n)} ${prompt}` });
    }
    await vi.waitFor(() => {
      expect(gateway.book.events).toHaveLength(20);
    }, until);
    expect(gateway.book.events[19]).toMatchObject({
      ...{ agent_name: 'bot', run_id: 'run-1', provider: 'openai', model: 'gpt', cost: 0.01 },
      ...{ input_tokens: 1, output_tokens: 1, status: 'success', prompt: `19 ${prompt}` },
    });
  });
});
