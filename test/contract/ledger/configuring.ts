/** B5, B8, C1, C3: configuration against rows and against ingest; Stops. */
import { describe, expect, test } from 'vitest';
import type { Budget } from '../../../domain/configuration.js';
import { periodRowId } from '../../../domain/ids.js';
import type { ConfigureRequest } from '../../../ledger/ledger.js';
import {
  BOT,
  DAY,
  DAY_START,
  HOUR,
  NOW,
  ORG,
  USD,
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

export function configuringContract(bed: Bed): void {
  const daily = seed('daily');
  const id = periodRowId(daily.key);
  const budget = (usd: number): Budget => ({ cadence: 'daily', limits: [costLimit(usd)] });
  const request = (over: Partial<ConfigureRequest> = {}): ConfigureRequest => ({
    ...{ org: ORG, scope: BOT, name: 'bot', zone: 'UTC', by: 'sdk', now: NOW },
    budgets: [budget(10)],
    windows: [{ key: daily.key, window: daily.window }],
    ...over,
  });

  describe('C1: configuration', () => {
    test('a scope nobody configured is at revision 0', async () => {
      const [org, bot] = await bed.ledger().configurations(ORG, ['org', BOT]);
      expect(org).toEqual({
        org: ORG,
        scope: 'org',
        zone: 'UTC',
        budgets: [],
        rev: 0,
        changedAt: 0,
      });
      expect(bot).toMatchObject({ scope: BOT, rev: 0 });
    });

    test('a change raises the revision and leaves an audit entry; the same content is a no-op', async () => {
      const first = await bed.ledger().configure(request({ shown: [{ loops: true }] }));
      expect(first).toEqual({
        changed: true,
        configuration: {
          ...{ org: ORG, scope: BOT, zone: 'UTC', budgets: [budget(10)], rev: 1, changedAt: NOW },
          shown: [{ loops: true }],
        },
      });
      const again = await bed
        .ledger()
        .configure(request({ shown: [{ loops: true }], by: 'x', now: NOW + 1 }));
      expect(again).toEqual({ ...first, changed: false });
      expect(await bed.ledger().configurations(ORG, [BOT])).toEqual([first.configuration]);
      const entries = await bed.sql('select subject, by, what from audit order by id');
      expect(entries).toEqual([{ subject: BOT, by: 'sdk', what: 'configured' }]);
    });

    test('open rows get the new limits at once and are due; the report carries them', async () => {
      await bed.ledger().configure(request());
      await store(
        bed.ledger(),
        batch(events(5), [seed('daily', { limits: limitsOf(1, costLimit(10)) })]),
      );
      const claim = await claimOne(bed.ledger());
      await bed.ledger().periodReported(claim, NOW, 60_000);
      await bed.ledger().publish(publishedOf(claim, { notify: { cost: 8 * USD } }), NOW);
      await bed.ledger().configure(request({ budgets: [budget(4)], now: NOW + 1 }));
      const next = await claimOne(bed.ledger(), NOW + 1);
      expect(next).toMatchObject({ limits: { rev: 2, limits: [costLimit(4)] }, appliedRev: 1 });
      expect(next.seq).toBeGreaterThan(claim.seq);
    });

    test('T5: after a raise the next amount is that of the new limit', async () => {
      await bed.ledger().configure(request());
      await store(bed.ledger(), batch(events(5), [daily]));
      await bed.ledger().configure(request({ budgets: [budget(20)] }));
      await store(bed.ledger(), batch(events(10, {}, 'b'), [daily]));
      expect(await claimOne(bed.ledger())).toMatchObject({ crossing: false });
      const { periods } = await store(
        bed.ledger(),
        batch(events(1, {}, 'c'), [daily], { now: NOW + DAY / 4 }),
      );
      expect(periods[0]?.claim).toMatchObject({ crossing: true, own: { calls: 16 } });
    });

    test('B9: a raised `block` limit lifts the refusal in the row at once', async () => {
      const block = (usd: number): Budget => ({
        cadence: 'daily',
        limits: [costLimit(usd, { enforcement: 'block' })],
      });
      await bed.ledger().configure(request({ budgets: [block(3)] }));
      expect((await store(bed.ledger(), batch(events(3), [daily]))).periods[0]?.blocked).toBe(true);
      await bed.ledger().configure(request({ budgets: [block(4)] }));
      expect((await viewOf(bed.ledger(), id)).blocked).toBe(false);
    });

    test('a budget that is gone leaves its row without limits', async () => {
      await bed.ledger().configure(request());
      await store(bed.ledger(), batch(events(5), [daily]));
      await bed.ledger().configure(request({ budgets: [], windows: [] }));
      expect((await viewOf(bed.ledger(), id)).limits).toEqual({ rev: 2, limits: [] });
      const result = await store(bed.ledger(), batch(events(50, {}, 'b'), [daily]));
      expect(result.periods[0]).toMatchObject({ blocked: false });
      expect(result.periods[0]?.claim).toBeUndefined();
    });

    test('C3: a run keeps the limits of its first event, and other scopes theirs', async () => {
      const run = seed('run', { limits: limitsOf(0, costLimit(1)) });
      const org = seed('daily', { scope: 'org', limits: limitsOf(0, costLimit(2)) });
      await store(bed.ledger(), batch(events(1), [run, org]));
      await bed.ledger().configure(request());
      expect((await viewOf(bed.ledger(), periodRowId(run.key))).limits.limits).toEqual([
        costLimit(1),
      ]);
      expect((await viewOf(bed.ledger(), periodRowId(org.key))).limits.limits).toEqual([
        costLimit(2),
      ]);
    });
  });

  describe('B8: a budget starts from what the ledger holds', () => {
    const before = [
      event('in', { at: DAY_START }),
      event('out', { at: DAY_START - 1 }),
      event('later', { at: DAY_START + DAY }),
      event('other', { agent: 'other', at: NOW }),
      event('now', { run: 'r', at: NOW }),
    ];

    test('an agent’s row sums its own events of the window', async () => {
      await store(bed.ledger(), batch(before, []));
      await bed.ledger().configure(request());
      const { own } = await viewOf(bed.ledger(), id);
      expect(own).toEqual({
        cost: 2 * USD,
        tokens: 240,
        calls: 2,
        firstAt: DAY_START,
        lastAt: NOW,
      });
    });

    test('the organisation’s sums those of all its agents, a total all there is', async () => {
      await store(bed.ledger(), batch(before, []));
      const org = seed('daily', { scope: 'org' });
      const total = seed('total');
      await bed.ledger().ensurePeriods([org, total], NOW);
      expect((await viewOf(bed.ledger(), periodRowId(org.key))).own.calls).toBe(3);
      expect((await viewOf(bed.ledger(), periodRowId(total.key))).own.calls).toBe(4);
    });

    test('a run that had an event keeps its row, and a new one begins with nothing', async () => {
      const run = seed('run', { period: 'r' });
      await store(bed.ledger(), batch([event('now', { run: 'r', at: NOW })], [run]));
      const next = seed('run', { period: 'next' });
      await bed.ledger().ensurePeriods([run, next], NOW);
      expect((await viewOf(bed.ledger(), periodRowId(run.key))).own.calls).toBe(1);
      expect((await viewOf(bed.ledger(), periodRowId(next.key))).own.calls).toBe(0);
    });

    test('what is passed by then is the first crossing to be told', async () => {
      await store(bed.ledger(), batch(events(9), []));
      await bed.ledger().configure(request());
      expect(await claimOne(bed.ledger())).toMatchObject({ crossing: true, own: { calls: 9 } });
    });

    test('a row that is there is left as it is', async () => {
      await store(bed.ledger(), batch(events(3), [daily]));
      await bed.ledger().ensurePeriods([seed('daily', { limits: limitsOf(7, costLimit(1)) })], NOW);
      expect(await viewOf(bed.ledger(), id)).toMatchObject({
        own: { calls: 3 },
        limits: { rev: 0 },
      });
    });

    test('B5: configured while four connections ingest, no event is lost or counted twice', async () => {
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      await bed.ledger().configurations(ORG, [BOT]);
      let [rev, configured] = [0, false];
      const send = async (n: number) => {
        for (let i = 0; i < 15; i += 1) {
          const given = events(3, {}, `${String(n)}/${String(i)}/`);
          for (;;) {
            const seeds = configured ? [daily] : [];
            const revisions = [{ scope: BOT, rev }];
            const result = await ledgers[n]?.ingest(batch(given, seeds, { revisions }));
            if (result?.type === 'stored') break;
            const [found] = await bed.ledger().configurations(ORG, [BOT]);
            rev = found?.rev ?? 0;
            configured = (found?.budgets.length ?? 0) > 0;
          }
        }
      };
      const sending = [0, 1, 2, 3].map(send);
      await bed.ledger().configure(request());
      await Promise.all(sending);
      expect((await viewOf(bed.ledger(), id)).own.calls).toBe(180);
    });
  });

  describe('K2: Stops', () => {
    const word = { agent: 'bot', at: NOW, by: 'ann', reason: 'loops' };

    test('the first Stop stands until somebody resumes, and both are in the audit', async () => {
      expect(await bed.ledger().stop(ORG, word)).toEqual({ changed: true });
      expect(await bed.ledger().stop(ORG, { ...word, by: 'bob' })).toEqual({ changed: false });
      expect(await bed.ledger().stopped(ORG)).toEqual([word]);
      expect(await bed.ledger().stopped('other')).toEqual([]);
      expect(await bed.ledger().resume(ORG, 'bot', 'bob', NOW + 1, 'mended')).toEqual({
        changed: true,
      });
      expect(await bed.ledger().resume(ORG, 'bot', 'bob', NOW + 2)).toEqual({ changed: false });
      expect(await bed.ledger().stopped(ORG)).toEqual([]);
      const entries = await bed.sql('select what, by, subject, after from audit order by id');
      expect(entries).toEqual([
        { what: 'stopped', by: 'ann', subject: BOT, after: { reason: 'loops' } },
        { what: 'resumed', by: 'bob', subject: BOT, after: { reason: 'mended' } },
      ]);
    });
  });

  describe('views', () => {
    test('T8: the recent spend is that of the last 15 minutes, in the period', async () => {
      const given = [
        event('old', { at: NOW - HOUR }),
        event('edge', { at: NOW - 15 * 60_000 }),
        event('new', { at: NOW - 60_000, costUsed: 5 }),
        event('other', { at: NOW, agent: 'other', costUsed: 7 }),
      ];
      await bed.ledger().configurations(ORG, [BOT, 'agent:other', 'org']);
      const org = seed('daily', { scope: 'org' });
      await store(bed.ledger(), batch(given, [daily, org]));
      expect(await viewOf(bed.ledger(), id)).toMatchObject({ recentCost: 5, recentTokens: 120 });
      expect((await viewOf(bed.ledger(), periodRowId(org.key))).recentCost).toBe(12);
    });

    test('budgets are listed by agent, open ones alone where asked', async () => {
      await store(bed.ledger(), batch(events(1), [daily, seed('daily', { scope: 'org' })]));
      await store(
        bed.ledger(),
        batch(events(1), [seed('daily', { period: 'past', endsAt: NOW - 1 })]),
      );
      await store(
        bed.ledger(),
        batch(events(2), [seed('daily', { period: 'past', endsAt: NOW - 1 })]),
      );
      const list = (over: object) =>
        bed.ledger().budgets({ org: ORG, now: NOW, limit: 9, ...over });
      expect(await list({})).toHaveLength(3);
      expect(await list({ agent: 'bot' })).toHaveLength(2);
      expect(await list({ openOnly: true })).toHaveLength(2);
      expect(await list({ limit: 1 })).toHaveLength(1);
      expect(await list({ org: 'other' })).toEqual([]);
    });

    test('runs never crowd out the budgets: they come last, and without limits they are none', async () => {
      const free = seed('run', { period: 'free' });
      const held = seed('run', { period: 'held', limits: limitsOf(1, costLimit(1)) });
      await store(bed.ledger(), batch(events(1), [daily, free, held]));
      const list = await bed.ledger().budgets({ org: ORG, now: NOW, limit: 9, openOnly: true });
      expect(list.map(({ key }) => key.period)).toEqual([daily.key.period, 'held']);
    });
  });

  test('nothing is due for a scope without budgets', async () => {
    await bed.ledger().configure(request({ budgets: [], windows: [] }));
    await store(bed.ledger(), batch(events(3), []));
    expect(await claimAll(bed.ledger(), NOW + DAY)).toEqual([]);
  });
}
