/** L-3, L-4: claims, reports, publishes, parking and closing. */
import { describe, expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import {
  HOUR,
  NOW,
  ORG,
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

export function relayingContract(bed: Bed): void {
  const limits = limitsOf(0, costLimit(10));
  const daily = seed('daily', { limits });
  const id = periodRowId(daily.key);

  /** Stores `count` events of 1 USD, whose keys are new when `prefix` is. */
  const spend = (count: number, prefix: string, over = {}) =>
    store(bed.ledger(), batch(events(count, {}, prefix), [daily], over));
  /** The row's first report, delivered; notify stands at 8 USD. */
  const started = async () => {
    await spend(1, 'a');
    const claim = await claimOne(bed.ledger());
    await bed.ledger().periodReported(claim, NOW, 10_000);
    await bed.ledger().publish(publishedOf(claim, { notify: { cost: 8 * USD } }), NOW);
    return claim;
  };

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

  describe('L-3: publishes', () => {
    test('(epoch, seq, order) decides what is newer, in this order', async () => {
      const claim = await started();
      const put = (epoch: number, seq: number, order: number, firingNo: number) =>
        bed.ledger().publish(publishedOf(claim, { epoch, seq, order, firingNo }), NOW);
      expect(await put(1, 5, 2, 1)).toBe('written');
      expect(await put(1, 5, 2, 2)).toBe('stale');
      expect(await put(1, 4, 9, 3)).toBe('stale');
      expect(await put(1, 5, 3, 4)).toBe('written');
      expect(await put(2, 1, 1, 5)).toBe('written');
      expect(await put(1, 9, 9, 6)).toBe('stale');
      expect((await viewOf(bed.ledger(), id)).firings).toBe(5);
    });

    test('everything it carries is in the row, and own totals are untouched', async () => {
      const claim = await started();
      const killed = { at: NOW, dimension: 'cost', bps: 8_000, limit: 10 * USD } as const;
      const latches = { 'cost/8000/slack': { fired: [10 * USD], reached: 10 * USD } };
      const direct = { cost: 5, tokens: 6, calls: 7, firstAt: NOW, lastAt: NOW };
      const senders = { sdk: { epoch: 1, seq: 2, totals: direct } };
      const openAlerts = [{ alertId: 'alert/x', dimension: 'cost' as const }];
      const content = { killed, latches, direct, senders, openAlerts, firingNo: 3, appliedRev: 4 };
      await bed.ledger().publish(publishedOf(claim, { order: 2, ...content }), NOW);
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        ...{ killed, latches, direct, firings: 3, appliedRev: 4, own: { calls: 1 } },
      });
      const loaded = await bed.ledger().openPeriod(daily, NOW);
      expect(loaded).toMatchObject({ killed, latches, senders, openAlerts, firingNo: 3 });
      const result = await spend(1, 'b');
      expect(result.periods[0]?.killed).toEqual(killed);
      await bed.ledger().publish(publishedOf(claim, { order: 3 }), NOW);
      expect((await viewOf(bed.ledger(), id)).killed).toBeUndefined();
    });

    test('B9: direct totals count towards a block', async () => {
      const blocking = seed('daily', {
        limits: limitsOf(0, costLimit(10, { enforcement: 'block' })),
      });
      await store(bed.ledger(), batch(events(4), [blocking]));
      const direct = { cost: 6 * USD, tokens: 0, calls: 0 };
      const claim = await claimOne(bed.ledger());
      await bed.ledger().publish(publishedOf(claim, { direct }), NOW);
      expect((await viewOf(bed.ledger(), id)).blocked).toBe(true);
    });
  });

  describe('ends', () => {
    const END = NOW + 12 * HOUR;

    test('at its end a row is due, says closing until the period has published it, and is done', async () => {
      await started();
      const closing = await claimOne(bed.ledger(), END);
      expect(closing).toMatchObject({ closing: true, started: true });
      await bed.ledger().periodReported(closing, END, 1_000);
      expect(await claimAll(bed.ledger(), END + 999)).toEqual([]);
      expect(await claimOne(bed.ledger(), END + 1_000)).toMatchObject({ closing: true });
      await bed.ledger().publish(publishedOf(closing, { order: 2, closed: true }), END + 1_001);
      expect((await viewOf(bed.ledger(), id)).state).toBe('closed');
      expect(await claimAll(bed.ledger(), END + HOUR)).toEqual([]);
    });

    test('the relay closes a row that never needed a workflow', async () => {
      await store(bed.ledger(), batch(events(3), [seed('daily')]));
      await bed.ledger().closePeriod(await claimOne(bed.ledger(), END), END);
      expect((await viewOf(bed.ledger(), id)).state).toBe('closed');
      expect(await bed.ledger().budgets({ org: ORG, openOnly: true, now: END, limit: 9 })).toEqual(
        [],
      );
    });

    test('B4: late events correct a closed row and make it due; their alert is written with its latches', async () => {
      const claim = await started();
      await bed.ledger().publish(publishedOf(claim, { order: 2, closed: true }), END);
      await spend(9, 'late', { now: END + HOUR });
      const late = await claimOne(bed.ledger(), END + HOUR);
      expect(late).toMatchObject({
        state: 'closed',
        closing: false,
        crossing: false,
        own: { calls: 10 },
      });
      const latches = { 'cost/8000/slack': { fired: [10 * USD] } };
      const alert = { id: 'alert/late', org: ORG } as never;
      const evaluated = { latches, firingNo: 1, alert, now: END + HOUR };
      await bed.ledger().recordLate({ ...late, fence: late.fence - 1 }, evaluated);
      expect(await bed.ledger().claimAlerts({ now: END + HOUR, limit: 5, leaseMs: 9 })).toEqual([]);
      await bed.ledger().recordLate(late, evaluated);
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        latches,
        firings: 1,
        state: 'closed',
      });
      expect(await claimAll(bed.ledger(), END + 2 * HOUR)).toEqual([]);
    });

    test('B4: a row first written after its end is closed from the start', async () => {
      const past = seed('daily', { period: 'yesterday', endsAt: NOW - 1, limits });
      const result = await store(bed.ledger(), batch(events(9), [past]));
      expect(result.periods[0]?.claim).toBeUndefined();
      expect(await claimOne(bed.ledger())).toMatchObject({ state: 'closed', closing: false });
    });

    test('the outbox gives an alert out under a lease until it was started', async () => {
      const claim = await started();
      await bed.ledger().publish(publishedOf(claim, { order: 2, closed: true }), END);
      await spend(9, 'late', { now: END });
      const late = await claimOne(bed.ledger(), END);
      const alert = { id: 'alert/late', org: ORG } as never;
      await bed.ledger().recordLate(late, { latches: {}, firingNo: 1, alert, now: END });
      const take = (now: number) => bed.ledger().claimAlerts({ now, limit: 5, leaseMs: 100 });
      const [first] = await take(END);
      expect(first).toMatchObject({ input: alert, tries: 0 });
      expect(await take(END + 99)).toEqual([]);
      const failure = { now: END, backoffMs: 500, reason: 'away' };
      await bed.ledger().alertFailed('alert/late', first?.fence ?? 0, failure);
      expect(await take(END + 499)).toEqual([]);
      const [second] = await take(END + 500);
      expect(second?.tries).toBe(1);
      await bed.ledger().alertStarted('alert/late', first?.fence ?? 0);
      await bed.ledger().alertStarted('alert/late', second?.fence ?? 0);
      expect(await take(END + HOUR)).toEqual([]);
    });
  });
}
