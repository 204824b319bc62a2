/** LW-1, LW-2: a ledger that answers nothing at all holds up no sender. */
import { describe, expect, test } from 'vitest';
import { startTestGateway, usageEvent } from './gateway-kit.js';

const never = () => new Promise<never>(() => undefined);
const policy = { watchMs: 5, silenceMs: 20 };

/** Until the gateway has noticed. */
async function untilStatus(ask: () => Promise<{ status: number }>, status: number): Promise<void> {
  await expect.poll(async () => (await ask()).status, { timeout: 5_000, interval: 5 }).toBe(status);
}

describe('a ledger that is away', () => {
  test('usage under way is given up with a 429 that says when to come again', async () => {
    const { ledger, ingest, lines } = await startTestGateway({ policy });
    let isGone = false;
    ledger.before = (method) => {
      if (method === 'ingest') isGone = true;
      return isGone ? never() : undefined;
    };
    const answer = ingest(usageEvent());
    const { status, headers, body } = await answer;
    expect([status, headers.get('retry-after'), body['reason']]).toEqual([429, '2', undefined]);
    expect(lines.filter(({ message }) => message.startsWith('the ledger is away'))).toHaveLength(1);
  });

  test('what comes is refused before its key is looked up, and taken when the ledger is back', async () => {
    const { ledger, ingest, request } = await startTestGateway({
      policy: { ...policy, keyTtlMs: 0 },
    });
    ledger.before = (method) => (method === 'ping' ? Promise.reject(new Error('no')) : never());
    await untilStatus(() => ingest(usageEvent()), 429);
    const stranger = await request('POST', '/v1/ingest', '{}', { authorization: 'Bearer kv_x' });
    expect(stranger.status).toBe(429);
    ledger.before = () => undefined;
    await untilStatus(() => ingest(usageEvent()), 202);
  });

  test('LW-2: one that is slow is no reason to refuse', async () => {
    const { ledger, ingest, lines } = await startTestGateway({ policy });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let pings = 0;
    ledger.before = (method) => {
      if (method === 'ping' && (pings += 1) > 20) release();
      return method === 'ingest' ? held : undefined;
    };
    expect((await ingest(usageEvent())).status).toBe(202);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('LW-2: nor one that answers usage, but not the question', async () => {
    const { ledger, ingest, lines } = await startTestGateway({
      policy: { watchMs: 5, silenceMs: 300 },
    });
    ledger.before = (method) => (method === 'ping' ? never() : undefined);
    const until = performance.now() + 1_000;
    while (performance.now() < until) expect((await ingest(usageEvent())).status).toBe(202);
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
    // Once nobody hears of it any more, it is away.
    await expect.poll(() => lines.filter(({ level }) => level === 'warn').length).toBe(1);
    expect((await ingest(usageEvent())).status).toBe(429);
  });

  test('only usage is refused so: what people ask gets its own answer', async () => {
    const { ledger, ingest, get } = await startTestGateway({ policy });
    ledger.before = (method) => (method === 'ping' || method === 'ingest' ? never() : undefined);
    await untilStatus(() => ingest(usageEvent()), 429);
    expect((await get('/v1/status')).status).toBe(200);
  });
});
