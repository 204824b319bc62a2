import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvent } from '../../gateway/event.js';
import { placeBatch } from '../../gateway/place.js';
import { createPricer } from '../../gateway/price.js';
import { scopeSlot, type ScopeSlot } from '../../gateway/scopes.js';
import type { Scope } from '../../domain/budget/period-key.js';
import { NOON, usageEvent } from './gateway-kit.js';

const context = { receivedAt: NOON, newId: () => 'new', pricer: createPricer() };

describe('reading an event', () => {
  test.each([
    ['2026-11-21T11:00:00Z', 11],
    ['2026-11-21T11:00:00+00:00', 11],
    ['2026-11-21T11:00:00.123456+00:00', 11],
    ['2026-11-21T11:00:00', 11],
    ['2026-11-21 11:00:00', 11],
    ['2026-11-21T11:00', 11],
    ['2026-11-21T12:30:00+01:30', 11],
    ['2026-11-21T09:00:00-0200', 11],
  ])('%s is eleven o’clock UTC', (timestamp, hour) => {
    const read = readEvent(usageEvent({ timestamp }), context);
    expect(read).toMatchObject({ type: 'event' });
    if (read.type === 'event') expect(new Date(read.sentAt).getUTCHours()).toBe(hour);
  });

  test('G-E2: nothing throws, and what is taken is integers and whole text', () => {
    const odd = fc.oneof(
      fc.anything({ withBigInt: false, withSparseArray: true }),
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.constantFrom(-0, NaN, Infinity, 1e308, '\ud800', '\0', null),
    );
    const fields = Object.keys(usageEvent({ run_id: 'r', status: 'success' }));
    const spoilt = fc
      .dictionary(fc.constantFrom(...fields), odd)
      .map((over) => usageEvent(over) as unknown);
    fc.assert(
      fc.property(fc.oneof(spoilt, odd), (raw) => {
        const read = readEvent(raw, context);
        if (read.type === 'fault') return;
        const { event } = read;
        for (const count of [event.inputTokens, event.outputTokens, event.costUsed, event.at]) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
        for (const text of [event.agent, event.run ?? '', event.idempotencyKey, event.model]) {
          expect(text).not.toMatch(/\0|\p{Surrogate}/u);
        }
        expect(Math.abs(event.at - NOON)).toBeLessThanOrEqual(7 * 86_400_000);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the hot path', () => {
  test('a whole batch counts in its runs, and in every budget of its agent and organisation', () => {
    const limits = [
      { dimension: 'cost', amount: 1e12, enforcement: 'alert', thresholds: [] },
    ] as const;
    const slot = (scope: Scope): ScopeSlot =>
      scopeSlot({
        ...{ org: 'default', scope, zone: 'Europe/Berlin', rev: 1, changedAt: 0 },
        budgets: [
          { cadence: 'daily', limits },
          { cadence: 'monthly', limits },
        ],
      });
    const scopes = new Map<Scope, ScopeSlot>(
      (['org', 'agent:research-bot'] as const).map((scope) => [scope, slot(scope)]),
    );
    const events = Array.from({ length: 512 }, (_, index) =>
      usageEvent({ run_id: `run-${String(index % 8)}`, cost: index % 2 === 0 ? 0.00123 : 0 }),
    );
    const body = JSON.stringify({ events });
    const parsed = JSON.parse(body) as { events: unknown[] };
    const read = parsed.events.map((raw) => readEvent(raw, context));
    const good = read.flatMap((each) => (each.type === 'event' ? [each.event] : []));
    expect(good).toHaveLength(512);
    // Eight runs, and a day and a month of both the agent and the organisation.
    const { placements } = placeBatch(good, scopes);
    expect(placements).toHaveLength(12);
    const counted = placements.map(({ seed, events: placed }) => [seed.key.cadence, placed.length]);
    expect(counted.filter(([cadence]) => cadence === 'run')).toEqual(Array(8).fill(['run', 64]));
    expect(counted.filter(([cadence]) => cadence !== 'run').map(([, count]) => count)).toEqual([
      512, 512, 512, 512,
    ]);
  });
});
