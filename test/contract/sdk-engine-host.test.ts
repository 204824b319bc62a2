/** A guard in its host: it keeps nothing alive, throws nothing, hangs nowhere, needs no Node. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import * as kit from './sdk-engine-kit.js';
import { call, CENT, DOLLAR, reportOf, startChild, startGuard } from './sdk-engine-kit.js';

const until = { timeout: 20_000, interval: 20 };
const sdk = fileURLToPath(new URL('../../sdk', import.meta.url));

describe('a process', () => {
  test('ends by itself when its calls are made, with all of them told', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const child = startChild({ endpoint: gateway.url, calls: 1, stay: false });
    expect(await child.said).toEqual(['admitted']);
    const at = performance.now();
    expect(await child.ended).toBe(0);
    // The live channel stands for longer: its socket alone must keep nothing alive.
    expect(performance.now() - at).toBeLessThan(10_000);
    expect(gateway.book.events).toHaveLength(1);
  });

  test('that waits for leave is kept alive until it has its answer', async () => {
    const gateway = await kit.startGateway();
    await gateway.refuse();
    const child = startChild({ endpoint: gateway.url, calls: 2, stay: false });
    expect(await child.said).toEqual(['refused', 'refused']);
    expect(await child.ended).toBe(0);
  });
});

describe('close', () => {
  test('ends within its time, also while the gateway hangs, and twice is once', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    await call(guard);
    for (const path of ['/v1/ingest', '/v1/leases', '/v1/leases/close', '/v1/runs']) {
      gateway.always(path, { type: 'hang' });
    }
    await call(guard);
    const at = performance.now();
    await Promise.all([guard.admission.close(1_000), guard.admission.close(1)]);
    expect(performance.now() - at).toBeLessThan(1_500);
    expect(await call(guard)).toMatchObject({ refusal: { why: 'rejected', reason: 'closed' } });
  });

  test('sends what waits, gives the rest back and ends the run', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    for (let n = 0; n < 30; n += 1) await call(guard);
    await guard.admission.close(5_000);
    expect(gateway.book.events).toHaveLength(30);
    expect(gateway.book.leased().cost_nano_usd).toBe(0);
    expect(gateway.book.runs.at(-1)).toMatchObject({ what: 'ended' });
    await vi.waitFor(() => {
      expect(gateway.listeners()).toBe(0);
    }, until);
    expect(guard.admission.status()).toMatchObject({ waiting: 0 });
  });

  test('answers who still waits for leave', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.always('/v1/leases', { type: 'hang' });
    const guard = startGuard(gateway, { policy: { holder: { waitMs: 60_000 } } });
    const waiting = call(guard);
    await vi.waitFor(() => {
      expect(gateway.requests.some(({ path }) => path === '/v1/leases')).toBe(true);
    }, until);
    await guard.admission.close(200);
    expect(await waiting).toMatchObject({ type: 'refused', refusal: { reason: 'closed' } });
  });

  test('a caller that gives up is answered at once, and holds nothing', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    gateway.script('/v1/leases', [{ type: 'hang' }]);
    const guard = startGuard(gateway, { policy: { holder: { waitMs: 60_000, answerMs: 100 } } });
    const abort = new AbortController();
    const waiting = guard.admission.admit(CENT, abort.signal);
    await vi.waitFor(() => {
      expect(gateway.requests.some(({ path }) => path === '/v1/leases')).toBe(true);
    }, until);
    abort.abort();
    expect(await waiting).toMatchObject({ type: 'refused' });
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
    await guard.admission.close(3_000);
    expect(gateway.book.leased().cost_nano_usd).toBe(0);
  });
});

describe('the host', () => {
  test('may throw in what it is told with: nothing comes of it', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const broken = () => {
      throw new Error('the host is broken');
    };
    const guard = startGuard(gateway, { logger: { info: broken, warn: broken, error: broken } });
    guard.admission.onRefusal(broken);
    guard.admission.onLifted(broken);
    gateway.script('/v1/ingest', [{ type: 'status', status: 503 }]);
    await call(guard);
    gateway.stop('x');
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'refused' });
    }, until);
    gateway.resume();
    await vi.waitFor(async () => {
      expect(await call(guard)).toMatchObject({ type: 'admitted' });
    }, until);
  });

  test('a fetch that throws, answers nonsense or never does is a refusal', async () => {
    const gateway = await kit.startGateway();
    const fetches = [
      () => Promise.reject(new TypeError('fetch failed')),
      () => {
        throw new Error('no');
      },
      () => Promise.resolve(new Response('<html>')),
      () => new Promise<Response>(() => undefined),
    ] as const;
    for (const fetch of fetches) {
      const guard = startGuard(gateway, { fetch, policy: { firstSyncMs: 20 } });
      expect(await call(guard)).toMatchObject({ refusal: { why: 'unreachable' } });
      await guard.admission.close(50);
    }
  });

  test('its status says what waits and what is held', async () => {
    const gateway = await kit.startGateway({ limits: { cost_nano_usd: DOLLAR } });
    const guard = startGuard(gateway);
    await call(guard);
    await vi.waitFor(() => {
      expect(guard.admission.status()).toMatchObject({ waiting: 0, connected: true });
    }, until);
    const status = guard.admission.status();
    expect(status.remaining).toBeLessThanOrEqual(DOLLAR);
    expect(status.held?.cost).toBeGreaterThan(0);
    gateway.always('/v1/ingest', { type: 'status', status: 503 });
    guard.admission.report(CENT, reportOf(CENT));
    expect(guard.admission.status().waiting).toBe(1);
  });
});

test('Node is imported in one file of the SDK, which is loaded only when a journal is wanted', () => {
  const sources = readdirSync(sdk, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const textOf = (name: string): string => readFileSync(join(sdk, name), 'utf8');
  const withNode = sources.filter((name) => /(?:from|import\()\s*['"]node:/.test(textOf(name)));
  expect(withNode).toEqual([join('engine', 'disk.ts')]);
  const eager = sources.filter((name) =>
    /^(?:import|export)\s+(?!type\b)[^;]*from '[^']*\/disk\.js'/m.test(textOf(name)),
  );
  expect(eager).toEqual([]);
  const engine = sources.filter((name) => name.startsWith('engine') && !name.endsWith('disk.ts'));
  const globals = engine.filter((name) =>
    /\bBuffer\b|\bprocess\.(?!getB)|\bconsole\./.test(textOf(name)),
  );
  expect(globals).toEqual([]);
});
