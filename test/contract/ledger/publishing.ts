/** L-3: what a workflow writes back; B4, T7: the end of a period and what comes after it. */
import { describe, expect, test } from 'vitest';
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
import { dailyOf } from './daily.js';

export function publishingContract(bed: Bed): void {
  const { limits, daily, id, spend, started } = dailyOf(bed);

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

    test('B4: a row whose workflow is over is closed before its end, and its usage is late', async () => {
      await started();
      await spend(1, 'b', { now: NOW + 10_000 });
      const claim = await claimOne(bed.ledger(), NOW + 10_000);
      await spend(7, 'c', { now: NOW + 10_001 });
      await bed.ledger().closePeriod(claim, NOW + 10_002);
      expect((await viewOf(bed.ledger(), id)).state).toBe('open');
      const again = await claimOne(bed.ledger(), NOW + 10_002);
      await spend(1, 'd', { now: NOW + 10_003 });
      await bed.ledger().closePeriod(again, NOW + 10_003, true);
      expect((await viewOf(bed.ledger(), id)).state).toBe('closed');
      const late = await claimOne(bed.ledger(), NOW + 10_003);
      expect(late).toMatchObject({ state: 'closed', closing: false, own: { calls: 10 } });
      await bed.ledger().recordLate(late, { latches: {}, firingNo: 0, now: NOW + 10_004 });
      expect(await claimAll(bed.ledger(), END + HOUR)).toEqual([]);
    });

    test('B4: a crossing that was reported to a workflow that was over is still told late', async () => {
      const first = await started();
      const told = (await spend(9, 'b')).periods[0]?.claim;
      if (told === undefined) throw new Error('not claimed');
      await bed.ledger().periodReported(told, NOW, 0);
      const again = await claimOne(bed.ledger(), NOW + 10_000);
      expect(again.seq).toBeGreaterThan(first.seq);
      await bed.ledger().closePeriod({ ...again, seq: 0 }, NOW + 10_001, true);
      expect(await claimOne(bed.ledger(), NOW + 10_001)).toMatchObject({ state: 'closed' });
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

    test('B4: what reached a period that was closing is late, though it was reported', async () => {
      const claim = await started();
      const told = (await spend(9, 'late', { now: END - 1 })).periods[0]?.claim;
      if (told === undefined) throw new Error('not claimed');
      // The workflow closes on what it knew; the report of the rest came too late for it.
      await bed.ledger().publish(publishedOf(claim, { order: 2, closed: true }), END + 1);
      await bed.ledger().periodReported(told, END + 2, 0);
      // At once: the lease of the claim that was out holds nothing up any more.
      expect(await claimOne(bed.ledger(), END + 3)).toMatchObject({
        ...{ state: 'closed', own: { calls: 10 } },
      });
    });

    test('B4: a last publish that is repeated takes no late firing back', async () => {
      const claim = await started();
      await bed.ledger().publish(publishedOf(claim, { order: 2, closed: true }), END);
      await spend(9, 'late', { now: END });
      const late = await claimOne(bed.ledger(), END);
      const latches = { 'cost/8000/slack': { fired: [10 * USD] } };
      await bed.ledger().recordLate(late, { latches, firingNo: 1, now: END });
      await bed.ledger().publish(publishedOf(claim, { order: 3, closed: true }), END + 1);
      expect(await viewOf(bed.ledger(), id)).toMatchObject({ latches, firings: 1 });
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
