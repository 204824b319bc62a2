/** B2, B7, T7: the life of a run. */
import { describe, expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import {
  DAY,
  NOW,
  ORG,
  batch,
  claimAll,
  claimOne,
  costLimit,
  event,
  events,
  limitsOf,
  publishedOf,
  seed,
  store,
  viewOf,
} from './bed.js';
import type { Bed } from './bed.js';

export function runningContract(bed: Bed): void {
  const duration = costLimit(0, { dimension: 'duration', amount: 60_000 });
  const run = seed('run', { limits: limitsOf(0, duration) });
  const plain = seed('run', { limits: limitsOf(0, costLimit(10)) });
  const id = periodRowId(run.key);
  const say = (what: 'started' | 'heartbeat' | 'ended', now: number, of = run) =>
    bed.ledger().reportRun({ seed: of, what, now, claimMs: 5_000 });

  describe('B7: a run’s length', () => {
    test('a start is claimed at once where somebody waits for the length, and only there', async () => {
      const { period } = await say('started', NOW);
      expect(period.claim).toMatchObject({
        run: { startedAt: NOW, heardAt: NOW, open: true },
        started: false,
      });
      const other = { ...plain, key: { ...plain.key, period: 'run-2' } };
      expect((await say('started', NOW, other)).period.claim).toBeUndefined();
      expect(await claimAll(bed.ledger(), NOW + 6_000)).toHaveLength(1);
    });

    test('a heartbeat goes with the next report, the end is told at once', async () => {
      const { period } = await say('started', NOW);
      if (period.claim === undefined) throw new Error('not claimed');
      await bed.ledger().periodReported(period.claim, NOW, 10_000);
      expect((await say('heartbeat', NOW + 5_000)).period.claim).toBeUndefined();
      expect(await claimAll(bed.ledger(), NOW + 9_999)).toEqual([]);
      const beat = await claimOne(bed.ledger(), NOW + 10_000);
      expect(beat.run).toEqual({ startedAt: NOW, heardAt: NOW + 5_000, open: true });
      await bed.ledger().periodReported(beat, NOW + 10_000, 10_000);
      const end = await say('ended', NOW + 11_000);
      expect(end.period.claim?.run).toEqual({ startedAt: NOW, heardAt: NOW + 11_000, open: false });
    });

    test('it counts from the earlier of the start and the first event to the last word', async () => {
      await say('started', NOW - 1_000);
      await store(bed.ledger(), batch([event('a'), event('b', { at: NOW + 4_000 })], [run]));
      expect((await viewOf(bed.ledger(), id)).durationMs).toBe(5_000);
      await say('heartbeat', NOW + 20_000);
      expect((await viewOf(bed.ledger(), id)).durationMs).toBe(21_000);
      await say('ended', NOW + 30_000);
      expect((await viewOf(bed.ledger(), id)).durationMs).toBe(5_000);
    });

    test('B9: a `block` limit on the length refuses', async () => {
      const blocking = seed('run', { limits: limitsOf(0, { ...duration, enforcement: 'block' }) });
      await store(bed.ledger(), batch([event('a')], [blocking]));
      const result = await store(
        bed.ledger(),
        batch([event('b', { at: NOW + 60_000 })], [blocking]),
      );
      expect(result.periods[0]?.blocked).toBe(true);
    });

    test('the answer says who is stopped', async () => {
      const word = { agent: 'bot', at: NOW, by: 'ann', reason: 'loops' };
      await bed.ledger().stop(ORG, word);
      expect((await say('started', NOW)).stopped).toEqual([word]);
    });

    test('a run without a crossing needs no workflow before its end', async () => {
      await store(bed.ledger(), batch(events(3), [plain]));
      expect(await claimAll(bed.ledger(), NOW + DAY - 1)).toEqual([]);
      expect(await claimOne(bed.ledger(), NOW + DAY)).toMatchObject({
        started: false,
        closing: true,
      });
    });
  });

  describe('B2, T7: closing and opening again', () => {
    const killed = { at: NOW, dimension: 'cost', bps: 10_000, limit: 1 } as const;

    /** Closed by its workflow, with everything a life can leave behind. */
    const close = async () => {
      const { periods } = await store(bed.ledger(), batch(events(8), [plain]));
      const claim = periods[0]?.claim;
      if (claim === undefined) throw new Error('not claimed');
      await bed.ledger().periodReported(claim, NOW, 0);
      const latches = { 'cost/8000/slack': { fired: [1] } };
      const over = {
        latches,
        killed,
        firingNo: 2,
        closed: true,
        direct: { cost: 1, tokens: 1, calls: 1 },
      };
      await bed.ledger().publish(publishedOf(claim, over), NOW);
      return claim;
    };

    test('an event after the end begins a new life: nothing carries over, limits are the seed’s', async () => {
      const old = await close();
      const again = seed('run', { limits: limitsOf(3, costLimit(20)) });
      const result = await store(
        bed.ledger(),
        batch([event('new', { at: NOW + DAY })], [again], { now: NOW + DAY }),
      );
      const [period] = result.periods;
      expect(period).toMatchObject({ id, key: { generation: 2 } });
      expect(period?.killed).toBeUndefined();
      const view = await viewOf(bed.ledger(), id);
      expect(view).toMatchObject({
        ...{ state: 'open', own: { calls: 1 }, direct: { calls: 0 }, firings: 0 },
        limits: { rev: 3, limits: [costLimit(20)] },
      });
      expect(view.latches).toEqual({});
      const due = await bed.ledger().openPeriod(again, NOW + DAY);
      expect(due.seq).toBeGreaterThan(old.seq);
    });

    test('L-3: the old life’s publish does not reach the new one', async () => {
      const old = await close();
      await store(
        bed.ledger(),
        batch([event('new', { at: NOW + DAY })], [plain], { now: NOW + DAY }),
      );
      const late = publishedOf(old, { seq: 99, order: 9, killed, closed: true });
      expect(await bed.ledger().publish(late, NOW + DAY)).toBe('stale');
      expect((await viewOf(bed.ledger(), id)).state).toBe('open');
    });

    test('L-4: work that was begun for the old life does not reach the new one', async () => {
      const { periods } = await store(bed.ledger(), batch(events(8), [plain]));
      const old = periods[0]?.claim;
      if (old === undefined) throw new Error('not claimed');
      const now = NOW + DAY;
      await store(bed.ledger(), batch([event('new', { at: now })], [plain], { now }));
      await bed.ledger().periodFailed(old, { now, backoffMs: 0, reason: 'old', park: true });
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        state: 'open',
        key: { generation: 2 },
      });
    });

    test('B4: an event older than the closed life’s last corrects that life', async () => {
      await close();
      await store(
        bed.ledger(),
        batch([event('late', { at: NOW - 1 })], [plain], { now: NOW + DAY }),
      );
      const view = await viewOf(bed.ledger(), id);
      expect(view).toMatchObject({ state: 'closed', key: { generation: 1 }, own: { calls: 9 } });
      expect(await claimOne(bed.ledger(), NOW + DAY)).toMatchObject({ state: 'closed' });
    });

    test('a run idle for its time ends also while no relay came by', async () => {
      await store(bed.ledger(), batch(events(3), [plain]));
      const given = [event('new', { at: NOW + DAY })];
      const result = await store(bed.ledger(), batch(given, [plain], { now: NOW + DAY }));
      expect(result.periods[0]).toMatchObject({ key: { generation: 2 } });
      expect((await viewOf(bed.ledger(), id)).own.calls).toBe(1);
    });

    test('events within the idle time keep the run open, and a batch sent twice changes nothing', async () => {
      await store(bed.ledger(), batch(events(1), [plain]));
      const next = batch([event('b', { at: NOW + DAY - 1 })], [plain], { now: NOW + DAY - 1 });
      await store(bed.ledger(), next);
      await store(bed.ledger(), { ...next, now: NOW + 3 * DAY });
      const view = await viewOf(bed.ledger(), id);
      expect(view).toMatchObject({ key: { generation: 1 }, own: { calls: 2 } });
    });

    test('a start or a heartbeat opens a closed run, an end does not', async () => {
      await close();
      expect((await say('ended', NOW + DAY, plain)).period.key.generation).toBe(1);
      expect((await say('started', NOW + DAY + 1, plain)).period.key.generation).toBe(2);
      expect((await viewOf(bed.ledger(), id)).state).toBe('open');
    });

    test('closing a run that was heard of meanwhile leaves it open', async () => {
      await store(bed.ledger(), batch(events(1), [plain]));
      const claim = await claimOne(bed.ledger(), NOW + DAY);
      await bed.sql(`update period set closes_at = ${String(NOW + 2 * DAY)}`);
      await bed.ledger().closePeriod(claim, NOW + DAY);
      expect((await viewOf(bed.ledger(), id)).state).toBe('open');
    });
  });
}
