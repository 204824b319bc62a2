import { describe, expect, test } from 'vitest';
import { NOON, startTestGateway, syncDocument, usageEvent } from './gateway-kit.js';

const DAY = 86_400_000;
const USD = 1_000_000_000;
const today = 'default/agent:research-bot/daily/20261121T000000Z';

describe('usage over HTTP', () => {
  test('a batch is stored, priced in nano-USD, and acknowledged with 202', async () => {
    const { ingest, ledger } = await startTestGateway();
    const answer = await ingest(
      usageEvent({ idempotency_key: 'a', cost: 0.0123, run_id: 'run-1' }),
    );
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 1, duplicates: 0, rejected: [] });
    expect(answer.body['request_id']).toBe(answer.headers.get('x-request-id'));
    expect(ledger.events.get('a')).toMatchObject({
      agent: 'research-bot',
      run: 'run-1',
      costReported: 12_300_000,
      costUsed: 12_300_000,
      inputTokens: 100,
      durationMs: 850,
      status: 'success',
      at: NOON - 1_000,
      receivedAt: NOON,
      flags: [],
    });
  });

  test('gzip is read, B5: a repeated key counts once', async () => {
    const { ingestPacked, ledger } = await startTestGateway();
    const event = usageEvent();
    const body = JSON.stringify({ events: [event, usageEvent(), event] });
    expect((await ingestPacked(body)).body).toMatchObject({ accepted: 2, duplicates: 1 });
    expect((await ingestPacked(body)).body).toMatchObject({ accepted: 0, duplicates: 3 });
    expect(ledger.events.size).toBe(2);
  });

  test('B5: an event without a key gets one of its own here', async () => {
    const { ingest, ledger } = await startTestGateway();
    const { idempotency_key: _none, ...keyless } = usageEvent();
    await ingest(keyless, keyless, { ...keyless, idempotency_key: null });
    expect(ledger.events.size).toBe(3);
  });

  test('what nobody knows is ignored, an empty batch is fine', async () => {
    const { ingest } = await startTestGateway();
    expect((await ingest(usageEvent({ prompt: 'x', colour: 'red' }))).body['accepted']).toBe(1);
    expect((await ingest()).status).toBe(202);
  });

  test.each([
    ['1970', '1970-01-01T00:00:00Z'],
    ['2100', '2100-01-01T00:00:00Z'],
    ['six minutes ahead', new Date(NOON + 6 * 60_000).toISOString()],
    ['eight days ago', new Date(NOON - 8 * DAY).toISOString()],
  ])('B4: a time in %s counts at its receipt, flagged', async (_what, timestamp) => {
    const { ingest, ledger } = await startTestGateway();
    await ingest(usageEvent({ idempotency_key: 'a', timestamp }));
    expect(ledger.events.get('a')).toMatchObject({ at: NOON, flags: ['clamped'] });
  });

  test('B4: yesterday counts yesterday, flagged as late', async () => {
    const { ingest, post, ledger } = await startTestGateway();
    await post('/v1/sync-config', syncDocument());
    const timestamp = new Date(NOON - DAY).toISOString();
    await ingest(usageEvent({ idempotency_key: 'a', timestamp }), usageEvent());
    expect(ledger.events.get('a')?.flags).toEqual(['late']);
    expect(ledger.rows.get('default/agent:research-bot/daily/20261120T000000Z')?.calls).toBe(1);
    expect(ledger.rows.get(today)?.calls).toBe(1);
  });

  test('B3: an event counts in its run and in every cadence of agent and organisation', async () => {
    const { ingest, post, ledger } = await startTestGateway();
    const monthly = { budget_type: 'cost', period: 'monthly', limit_value: 90 };
    await post('/v1/sync-config', {
      ...syncDocument(),
      budgets: [
        { budget_type: 'cost', period: 'daily', limit_value: 5 },
        { budget_type: 'tokens_total', period: 'total', limit_value: 1e9 },
        { budget_type: 'calls', period: 'per_run', limit_value: 3 },
      ],
      org_budget: monthly,
    });
    await ingest(
      usageEvent({ run_id: 'r1' }),
      usageEvent({ run_id: 'r1' }),
      usageEvent({ agent_name: 'other' }),
    );
    const calls = Object.fromEntries([...ledger.rows].map(([id, row]) => [id, row.calls]));
    expect(calls).toEqual({
      [today]: 2,
      'default/agent:research-bot/total/all': 2,
      'default/agent:research-bot/run/r1': 2,
      'default/org/monthly/20261101T000000Z': 3,
    });
    expect(ledger.rows.get('default/agent:research-bot/run/r1')?.seed.limits.limits).toMatchObject([
      { dimension: 'calls', amount: 3 },
    ]);
  });

  test('B8: a budget configured after the first usage starts from what the ledger holds', async () => {
    const { ingest, post, ledger } = await startTestGateway();
    await ingest(usageEvent(), usageEvent());
    await post('/v1/sync-config', syncDocument());
    await ingest(usageEvent());
    expect(ledger.rows.get(today)).toMatchObject({ cost: 3 * USD, calls: 3 });
    await ingest(usageEvent());
    expect(ledger.opened).toEqual([today]);
  });

  test('a configuration that changed elsewhere is read again, and nothing counts twice', async () => {
    const { ingest, ledger } = await startTestGateway();
    await ingest(usageEvent());
    await ledger.configure({
      org: 'default',
      scope: 'agent:research-bot',
      name: 'research-bot',
      zone: 'UTC',
      budgets: [
        {
          cadence: 'hourly',
          limits: [{ dimension: 'cost', amount: USD, enforcement: 'alert', thresholds: [] }],
        },
      ],
      by: 'another gateway',
      now: NOON,
      windows: [],
    });
    expect((await ingest(usageEvent())).body).toMatchObject({ accepted: 1 });
    expect(ledger.rows.get('default/agent:research-bot/hourly/20261121T120000Z')).toBeUndefined();
    expect(ledger.rows.get('default/agent:research-bot/hourly/20261121T110000Z')?.calls).toBe(2);
  });

  test('rows that passed their notify amount go to the relay, once', async () => {
    const { ingest, post, delivered } = await startTestGateway();
    await post('/v1/sync-config', syncDocument());
    await ingest(usageEvent({ cost: 3 }));
    expect(delivered).toEqual([]);
    await ingest(usageEvent({ cost: 1.5 }));
    await ingest(usageEvent({ cost: 0.1 }));
    expect(delivered).toMatchObject([{ id: today }]);
  });

  test('a relay that fails costs nothing', async () => {
    const relay = {
      deliver: () => Promise.reject(new Error('no Temporal')),
    };
    const { ingest, post, lines } = await startTestGateway({ relay });
    await post('/v1/sync-config', syncDocument());
    expect((await ingest(usageEvent({ cost: 4.5 }))).status).toBe(202);
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'claimed rows were not delivered' }),
    );
  });
});

describe('a ledger in trouble', () => {
  test.each(['apiKey', 'configurations', 'ingest'])(
    'a failing %s is a 429 with Retry-After and without a reason',
    async (method) => {
      const { ingest, ledger } = await startTestGateway();
      ledger.before = (called) => {
        if (called === method) throw new Error('connection refused at 10.0.0.1');
      };
      const answer = await ingest(usageEvent());
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(10);
      expect(answer.body).not.toHaveProperty('reason');
      expect(JSON.stringify(answer.body)).not.toContain('10.0.0.1');
    },
  );

  test('a quarantine that cannot be written stores nothing: the batch comes again whole', async () => {
    const { ingest, ledger } = await startTestGateway();
    ledger.before = (called) => {
      if (called === 'quarantine') throw new Error('disk full');
    };
    expect((await ingest(usageEvent(), 'bad')).status).toBe(429);
    expect(ledger.events.size).toBe(0);
  });

  test('a ledger that hangs is given up', async () => {
    const { ingest, ledger } = await startTestGateway({ policy: { ledgerTimeoutMs: 20 } });
    ledger.before = (called) => (called === 'ingest' ? new Promise(() => undefined) : undefined);
    expect((await ingest(usageEvent())).status).toBe(429);
  });

  test('a configuration that never settles is given up', async () => {
    const { ingest, ledger } = await startTestGateway();
    ledger.ingest = () => Promise.resolve({ type: 'stale_configuration' });
    expect((await ingest(usageEvent())).status).toBe(429);
  });

  test('more batches in hand than can be: the next one waits', async () => {
    const { ingest, ledger } = await startTestGateway({ policy: { maxInFlight: 1 } });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      ledger.before = (called) => {
        if (called !== 'ingest') return undefined;
        resolve();
        return held;
      };
    });
    const first = ingest(usageEvent());
    await reached;
    const second = await ingest(usageEvent());
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('1');
    release();
    expect((await first).status).toBe(202);
  });
});
