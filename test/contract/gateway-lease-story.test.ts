/** Leases at a gateway on the real book: from the first grant to the release of what vanished. */
import { describe, expect, test } from 'vitest';
import { bearer, realLedger } from './gateway-real-kit.js';
import { usageEvent } from './gateway-kit.js';
import { openGuard } from './guard-kit.js';

const real = realLedger();
const soon = { timeout: 5_000, interval: 5 };
const amounts = (calls: number) => ({ cost_nano_usd: calls * 1e9, tokens: calls * 100, calls });

async function stage(org: string) {
  const started = await real.start({ now: Date.now });
  const key = await real.key({ org });
  const send = async (path: string, body: unknown) =>
    (await started.request('POST', path, JSON.stringify(body), bearer(key))).body;
  const get = async (path: string) =>
    (await started.request('GET', path, undefined, bearer(key))).body;
  const agent_name = 'bot';
  const block = (amount: number) =>
    send('/v1/limits', {
      agent: agent_name,
      limits: [{ cadence: 'monthly', amount, enforcement: 'block' }],
    });
  const ask = (holder: string, n: number, over: object = {}) =>
    send('/v1/leases', { holder, n, agent_name, need: amounts(1), want: amounts(1), ...over });
  const spend = (over: object) =>
    send('/v1/ingest', {
      events: [usageEvent({ agent_name, timestamp: undefined, input_tokens: 90, ...over })],
    });
  const budget = async () => {
    const { budgets } = (await get('/v1/budgets?agent=bot')) as { budgets: object[] };
    return budgets[0];
  };
  return { ...started, key, send, get, block, ask, spend, budget };
}

describe('a lease', () => {
  test('from grant to close: what is leased is counted until its events settle it', async () => {
    const { block, ask, spend, send, budget, get } = await stage('story');
    expect(await ask('g', 1)).toMatchObject({ type: 'unlimited' });
    await block(2);
    const first = await ask('g', 2);
    expect(first).toMatchObject({
      type: 'granted',
      lease: { id: 'g/2', budgets: [{ cadence: 'monthly', limit: 2e9, spent: 0, leased: 1e9 }] },
    });
    expect(await ask('g', 2)).toEqual(first);
    expect(await ask('h', 1, { need: amounts(2), want: amounts(2) })).toMatchObject({
      ...{ type: 'refused', why: 'exhausted', others_hold: true },
    });
    expect(await budget()).toMatchObject({ leased: { cost: 1e9 }, holders: 1, guarded: 'leased' });
    await spend({ lease: 'g/2', lease_seq: 1, cost: 0.5 });
    expect(await budget()).toMatchObject({ spent: { cost: 5e8 }, leased: { cost: 5e8 } });
    const close = { holder: 'g', n: 3, agent_name: 'bot', lease: 'g/2' };
    expect(await send('/v1/leases/close', { ...close, last_seq: 2 })).toEqual({
      ...{ type: 'closing', lease: 'g/2' },
    });
    await spend({ lease: 'g/2', lease_seq: 2, cost: 0.25 });
    expect(await budget()).toMatchObject({ leased: { cost: 0 }, holders: 0, guarded: 'leased' });
    expect(await get('/v1/leases?state=closed')).toMatchObject({
      leases: [{ id: 'g/2', settled: { cost_nano_usd: 75e7, calls: 2 } }],
    });
    expect(await get('/v1/leases?holding=true')).toEqual({ leases: [] });
    await spend({ lease: 'nobody/1', lease_seq: 1 });
    expect(await budget()).toMatchObject({ guarded: 'mixed' });
  });

  test('released by a person, with an entry in the audit', async () => {
    const { block, ask, send, budget, get } = await stage('release');
    await block(5);
    await ask('g', 1);
    const word = { by: 'ana', reason: 'the machine is gone' };
    expect(await send('/v1/leases/g%2F1/release', word)).toMatchObject({ state: 'released' });
    expect(await budget()).toMatchObject({ leased: { cost: 0 }, holders: 0 });
    const { entries } = (await get('/v1/audit?limit=1')) as { entries: object[] };
    expect(entries).toMatchObject([
      { subject: 'agent:bot', by: 'ana', what: 'lease_released', after: { reason: word.reason } },
    ]);
    expect(await ask('g', 2, { lease: 'g/1' })).toMatchObject({ type: 'refused', why: 'ended' });
  });
});

test('K3: a Stop reaches a guard within a second, and so does a new limit', async () => {
  const { gateway, key, send, block } = await stage('guards');
  const guard = await openGuard(gateway.url, 'agent_name=bot', key);
  await expect.poll(() => guard.of('limits'), soon).toHaveLength(1);
  expect(guard.of('standing')).toEqual([{ stopped: null, killed: null }]);
  const began = performance.now();
  await send('/v1/agents/stop', { agent: 'bot', reason: 'circles', by: 'ana' });
  await expect.poll(() => guard.of('standing').length, soon).toBe(2);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(guard.of('standing')[1]).toMatchObject({ stopped: { by: 'ana', why: 'circles' } });
  await block(5);
  await expect.poll(() => guard.of('limits').length, soon).toBe(2);
  await send('/v1/agents/bot/resume', { by: 'ana' });
  await expect.poll(() => guard.of('standing').length, soon).toBe(3);
});
