/** L-4: claims, reports, parking; what crosses is told once. */
import { describe, expect, test } from 'vitest';
import {
  HOUR,
  NOW,
  USD,
  batch,
  claimAll,
  claimOne,
  costLimit,
  events,
  limitsOf,
  publishedOf,
  seed,
  store,
  viewOf,
} from './bed.js';
import type { Bed } from './bed.js';
import { dailyOf } from './daily.js';

export function relayingContract(bed: Bed): void {
  const { limits, daily, id, spend, started } = dailyOf(bed);

  describe('L-4: claims', () => {
    test('a claim carries all that a first signal needs', async () => {
      await spend(2, 'a');
      expect(await claimOne(bed.ledger())).toMatchObject({
        ...{ id, key: daily.key, window: daily.window, name: 'bot', limits, state: 'open' },
        ...{ started: false, epoch: 1, appliedRev: 0, latches: {}, firingNo: 0, senders: {} },
        own: { cost: 2 * USD, tokens: 240, calls: 2, firstAt: NOW, lastAt: NOW },
        ...{ openAlerts: [], closing: false, crossing: false, tries: 0 },
      });
    });

    test('four claimers at once never hold the same row', async () => {
      const seeds = Array.from({ length: 20 }, (_, i) =>
        seed('daily', { limits, period: `p${String(i)}` }),
      );
      await store(bed.ledger(), batch(events(1), seeds));
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      const request = { now: NOW, limit: 8, leaseMs: 1_000 };
      const claims = await Promise.all(ledgers.map((ledger) => ledger.claimPeriods(request)));
      const rest = await claimAll(bed.ledger());
      const ids = [...claims.flat(), ...rest].map((claim) => claim.id);
      expect(new Set(ids).size).toBe(20);
      expect(ids).toHaveLength(20);
    });

    test('a lease that ran out gives the row to the next, and the old fence changes nothing', async () => {
      await spend(1, 'a');
      const old = await claimOne(bed.ledger());
      expect(await claimAll(bed.ledger(), NOW + 4_999)).toEqual([]);
      const next = await claimOne(bed.ledger(), NOW + 5_000);
      expect(next.fence).toBeGreaterThan(old.fence);
      // Something untold, so that a lease given back would show.
      await spend(1, 'b', { now: NOW + 5_000 });
      await bed.ledger().periodReported(old, NOW + 5_001, 0);
      await bed.ledger().periodFailed(old, { now: NOW, backoffMs: 0, reason: 'late', park: true });
      await bed.ledger().closePeriod(old, NOW + 5_001);
      expect(await claimAll(bed.ledger(), NOW + 5_002)).toEqual([]);
      expect((await viewOf(bed.ledger(), id)).state).toBe('open');
    });

    test('crossings go first, then organisations take turns, the oldest of each first', async () => {
      const ledger = bed.ledger();
      const of = (org: string, period: string, count: number, now: number) =>
        store(
          ledger,
          batch(events(count, {}, period), [seed('daily', { org, period, limits })], {
            ...{ org, now, claimMs: 0 },
          }),
        );
      await of('a', 'a1', 1, NOW - 50);
      await of('a', 'a2', 1, NOW - 40);
      await of('a', 'a3', 1, NOW - 30);
      await of('b', 'b1', 1, NOW - 20);
      await of('b', 'b2', 9, NOW - 10);
      const take = async (limit: number) =>
        (await ledger.claimPeriods({ now: NOW, limit, leaseMs: 100 })).map(
          (claim) => claim.key.period,
        );
      expect(await take(2)).toEqual(['b2', 'a1']);
      expect(await take(9)).toEqual(['a2', 'b1', 'a3']);
      const again = await claimAll(ledger, NOW + 100);
      expect(again.map((claim) => claim.key.period)).toEqual(['b2', 'a1', 'b1', 'a2', 'a3']);
      expect(again.map((claim) => claim.crossing)).toEqual([true, false, false, false, false]);
    });

    test('nothing is due again after a report until the row moves on, and then at its pace', async () => {
      await started();
      expect(await claimAll(bed.ledger(), NOW + HOUR)).toEqual([]);
      await spend(1, 'b', { now: NOW + 1_000 });
      expect(await claimAll(bed.ledger(), NOW + 9_999)).toEqual([]);
      const next = await claimOne(bed.ledger(), NOW + 10_000);
      expect(next).toMatchObject({ started: true, own: { calls: 2 }, crossing: false });
    });

    test('what came while a report was under way is due after it', async () => {
      await spend(1, 'a');
      const claim = await claimOne(bed.ledger());
      await spend(1, 'b');
      await bed.ledger().periodReported(claim, NOW, 10_000);
      expect(await claimAll(bed.ledger(), NOW + 9_999)).toEqual([]);
      expect((await claimOne(bed.ledger(), NOW + 10_000)).own.calls).toBe(2);
    });

    test('a failure is tried again after its backoff; a parked row counts on and is left alone', async () => {
      await spend(1, 'a');
      const failure = { now: NOW, backoffMs: 700, reason: 'namespace is gone', park: false };
      await bed.ledger().periodFailed(await claimOne(bed.ledger()), failure);
      expect(await claimAll(bed.ledger(), NOW + 699)).toEqual([]);
      const again = await claimOne(bed.ledger(), NOW + 700);
      expect(again.tries).toBe(1);
      await bed.ledger().periodFailed(again, { ...failure, park: true });
      await spend(9, 'b');
      expect(await claimAll(bed.ledger(), NOW + HOUR)).toEqual([]);
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        ...{ state: 'parked', parkedReason: 'namespace is gone', own: { calls: 10 } },
      });
      expect(await bed.ledger().lag(NOW + HOUR)).toEqual({ due: 0, oldestMs: 0, parked: 1 });
    });

    test('lag is the rows due and the wait of the oldest', async () => {
      await spend(1, 'a');
      expect(await bed.ledger().lag(NOW + 250)).toEqual({ due: 1, oldestMs: 250, parked: 0 });
    });

    test('a row nobody waits for is not due before its end', async () => {
      await store(bed.ledger(), batch(events(3), [seed('daily')]));
      expect(await claimAll(bed.ledger(), NOW + HOUR)).toEqual([]);
      expect(await claimOne(bed.ledger(), NOW + 12 * HOUR)).toMatchObject({ closing: true });
    });
  });

  describe('crossings', () => {
    test('the batch that passes a notify amount answers the row claimed, once', async () => {
      const first = await spend(7, 'a');
      expect(first.periods[0]?.claim).toBeUndefined();
      const passing = await spend(1, 'b');
      expect(passing.periods[0]?.claim).toMatchObject({ crossing: true, own: { calls: 8 } });
      const after = await spend(1, 'c');
      expect(after.periods[0]?.claim).toBeUndefined();
      expect(await claimAll(bed.ledger(), NOW + 4_999)).toEqual([]);
      expect(await claimOne(bed.ledger(), NOW + 5_000)).toMatchObject({ crossing: true });
    });

    test('the very first batch can cross as well', async () => {
      const result = await spend(8, 'a');
      expect(result.periods[0]?.claim).toMatchObject({ started: false, crossing: true, fence: 1 });
    });

    test('tokens, calls and the length of a run cross by their own amounts', async () => {
      const dimensions = [
        { dimension: 'tokens_total', amount: 240 },
        { dimension: 'calls', amount: 2 },
        { dimension: 'duration', amount: 60_000 },
      ] as const;
      for (const { dimension, amount } of dimensions) {
        const limit = costLimit(1, {
          dimension,
          amount,
          thresholds: [{ bps: 10_000, routes: [{ channel: 'slack' }] }],
        });
        const run = seed('run', { period: dimension, limits: limitsOf(0, limit) });
        const [a, b] = [events(1, {}, `${dimension}a`), events(1, { at: NOW + 60_000 }, dimension)];
        expect((await store(bed.ledger(), batch(a, [run]))).periods[0]?.claim).toBeUndefined();
        const { periods } = await store(bed.ledger(), batch(b, [run]));
        expect(periods[0]?.claim?.crossing, dimension).toBe(true);
      }
    });

    test('once told, a crossing waits for the publish, however much more comes', async () => {
      const claim = (await spend(8, 'a')).periods[0]?.claim;
      if (claim === undefined) throw new Error('not claimed');
      await bed.ledger().periodReported(claim, NOW, 0);
      expect((await spend(1, 'b')).periods[0]?.claim).toBeUndefined();
      expect(await claimAll(bed.ledger(), NOW + 100)).toEqual([]);
      await bed.ledger().publish(publishedOf(claim, { notify: { cost: 10 * USD } }), NOW + 100);
      expect(await claimOne(bed.ledger(), NOW + 100)).toMatchObject({ crossing: false });
    });

    test('a publish whose next amount is passed already makes the row due at once, first in line', async () => {
      const claim = (await spend(8, 'a')).periods[0]?.claim;
      if (claim === undefined) throw new Error('not claimed');
      await spend(4, 'b');
      await bed.ledger().publish(publishedOf(claim, { notify: { cost: 10 * USD } }), NOW);
      // The word that the report was delivered may come after the publish it led to.
      await bed.ledger().periodReported(claim, NOW, 30_000);
      expect(await claimOne(bed.ledger())).toMatchObject({ crossing: true, own: { calls: 12 } });
    });

    test('an older publish does not free a newer claim', async () => {
      const old = await started();
      const claim = (await spend(7, 'b')).periods[0]?.claim;
      if (claim === undefined) throw new Error('not claimed');
      await bed.ledger().publish(publishedOf(old, { order: 2, notify: { cost: 8 * USD } }), NOW);
      expect(await claimAll(bed.ledger(), NOW + 10)).toEqual([]);
    });
  });
}
