/** L1 to L5: what the book grants, settles, keeps counted and gives back. */
import { describe, expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import {
  BOT,
  DAY,
  DAY_START,
  NOW,
  ORG,
  USD,
  batch,
  costLimit,
  event,
  limitsOf,
  publishedOf,
  seed,
  store,
} from './bed.js';
import type { Bed } from './bed.js';
import { blockOf, bookOf, dailyOf, grantedIn, guardOf, usd } from './leases-kit.js';

export function leasingContract(bed: Bed): void {
  const ledger = () => bed.ledger();
  const daily = dailyOf(10);
  const org = dailyOf(12, 'org');
  const guard = (holder = 'g1', seeds = [daily], agent?: string) =>
    guardOf(ledger, holder, seeds, agent);

  describe('L2: what is granted fits in every budget', () => {
    test('a first ask makes the rows and the lease, and says what the budgets hold', async () => {
      const answer = await guard('g1', [daily, org]).ask(2);
      expect(answer).toEqual({
        type: 'granted',
        lease: {
          id: 'g1/1',
          granted: usd(2),
          ...{ expiresInMs: 30_000, validInMs: 0, endsInMs: DAY_START + DAY - NOW },
          budgets: [
            {
              ...{ periodId: periodRowId(daily.key), scope: 'agent', cadence: 'daily' },
              ...{ dimension: 'cost', limit: 10 * USD, spent: 0, leased: 2 * USD },
              resetsAt: DAY_START + DAY,
            },
            {
              ...{ periodId: periodRowId(org.key), scope: 'org', cadence: 'daily' },
              ...{ dimension: 'cost', limit: 12 * USD, spent: 0, leased: 2 * USD },
              resetsAt: DAY_START + DAY,
            },
          ],
        },
        wanted: false,
        now: NOW,
      });
    });

    test('what was spent before counts, and so does what others hold in a shared budget', async () => {
      const other = dailyOf(10, 'agent:other');
      await store(ledger(), batch([event('a', { costUsed: 4 * USD })], [daily, org]));
      expect(grantedIn(await guard('g1', [daily, org]).ask(5))).toBe(5);
      const second = guard('g2', [other, org], 'other');
      expect(await second.ask(4)).toMatchObject({
        ...{ type: 'refused', why: 'exhausted', othersHold: true },
        budget: { periodId: periodRowId(org.key), spent: 4 * USD, leased: 5 * USD },
      });
      expect(second.lease()).toBeUndefined();
      expect(grantedIn(await second.ask(3))).toBe(3);
      expect(await bookOf(ledger(), org)).toMatchObject({ spent: 4, leased: 8, holders: 2 });
    });

    test('a refusal for room that others hold is told to them for a while', async () => {
      const [first, second] = [guard('g1'), guard('g2')];
      await first.ask(8);
      expect(await second.ask(3)).toMatchObject({ why: 'exhausted', othersHold: true });
      expect(await first.ask(8, {}, NOW + 4_000)).toMatchObject({ wanted: true });
      expect(await first.ask(8, {}, NOW + 6_000)).toMatchObject({ wanted: false });
      expect(grantedIn(await first.ask(1, {}, NOW + 6_000))).toBe(1);
      expect(grantedIn(await second.ask(3, {}, NOW + 6_000))).toBe(3);
    });

    test('a lease grows, and what it grew to counts once', async () => {
      const only = guard();
      await only.ask(2);
      expect(grantedIn(await only.ask(5))).toBe(5);
      expect(only.lease()).toBe('g1/1');
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 5, holders: 1 });
      expect(await only.ask(11)).toMatchObject({
        ...{ type: 'refused', why: 'exhausted', othersHold: false },
        lease: { granted: usd(5), expiresInMs: 30_000 },
      });
    });

    test('an agent without a block budget needs no lease', async () => {
      const alerting = seed('daily', { limits: limitsOf(0, costLimit(1)) });
      const answer = await guard('g1', [alerting]).ask(5);
      expect(answer).toEqual({ type: 'unlimited', renewInMs: 10_000, now: NOW });
      expect(await bed.sql('select from period')).toEqual([]);
    });

    test('C2: a block that came with the synced kill of another agent holds nobody else', async () => {
      const kill = { bps: 10_000, routes: [{ channel: 'kill' as const, agents: ['other'] }] };
      const shared = seed('daily', {
        scope: 'org',
        limits: limitsOf(0, blockOf(1, { thresholds: [kill] })),
      });
      expect((await guard('g1', [shared]).ask(5)).type).toBe('unlimited');
      expect((await guard('g2', [shared], 'other').ask(5)).type).toBe('refused');
    });

    test('tokens and calls are limited on their own', async () => {
      const calls = {
        dimension: 'calls',
        amount: 10,
        enforcement: 'block',
        thresholds: [],
      } as const;
      const counted = seed('daily', { limits: limitsOf(0, calls) });
      const all = { cost: 900 * USD, tokens: 5_000, calls: 10 };
      const answer = await guard('g1', [counted]).ask(0, { need: all, want: all });
      expect(answer).toMatchObject({ type: 'granted', lease: { granted: all } });
      const one = { ...all, calls: 11 };
      expect(await guard('g2', [counted]).ask(0, { need: one, want: one })).toMatchObject({
        budget: { dimension: 'calls', limit: 10, leased: 10 },
      });
    });

    test('K2: a stopped agent is told so, gives back, and is not renewed', async () => {
      const only = guard();
      await only.ask(5);
      await ledger().stop(ORG, { agent: 'bot', at: NOW, by: 'ada', reason: 'loops' });
      expect(await only.ask(2, {}, NOW + 10_000)).toMatchObject({
        ...{ type: 'refused', why: 'stopped', reason: 'ada: loops' },
        lease: { granted: usd(2), expiresInMs: 20_000 },
      });
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 2 });
    });

    test('K1: a killed period grants nothing, and one of others is none of ours', async () => {
      const only = guard('g1', [daily, org]);
      await only.ask(1);
      const rows = await ledger().claimPeriods({ now: NOW + DAY, limit: 9, leaseMs: 1 });
      const killed = { at: NOW, dimension: 'cost', bps: 9_000, limit: 12 * USD } as const;
      const claim = rows.find(({ key }) => key.scope === 'org');
      if (claim === undefined) throw new Error('The organisation has no row.');
      const kill = (order: number, agents?: string[]) =>
        ledger().publish(
          publishedOf(claim, { order, killed: { ...killed, ...(agents ? { agents } : {}) } }),
          NOW,
        );
      await kill(1, ['other']);
      expect((await only.ask(2)).type).toBe('granted');
      await kill(2);
      expect(await only.ask(2)).toMatchObject({
        ...{ why: 'killed', lease: { granted: usd(2) } },
        budget: { periodId: periodRowId(org.key), dimension: 'cost', limit: 12 * USD },
      });
    });

    test('seeds of another revision of the configuration are sent back, and nothing is written', async () => {
      await ledger().configurations(ORG, [BOT]);
      const placed = guard().placed({ n: 1, need: usd(1), want: usd(1) });
      const asked = { ...placed, revisions: [{ scope: BOT, rev: 3 }] };
      expect(await ledger().askLease(asked, NOW)).toEqual({ type: 'stale_configuration' });
      const current = { ...placed, revisions: [{ scope: BOT, rev: 0 }] };
      expect(await ledger().askLease(current, NOW)).toMatchObject({ answer: { type: 'granted' } });
    });

    test('LE-5: a lease counts in a budget that was set after it was granted', async () => {
      const monthly = seed('monthly', { limits: limitsOf(0, blockOf(100)) });
      await guard('g1', [monthly]).ask(8);
      const second = guard('g2', [monthly, daily]);
      expect(await second.ask(3)).toMatchObject({ why: 'exhausted', othersHold: true });
      expect(grantedIn(await second.ask(2))).toBe(2);
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 10 });
    });
  });

  describe('LE-3: the usage event is the only settlement', () => {
    test('an event moves its amount from what is held to what is spent, once', async () => {
      const only = guard('g1', [daily, org]);
      await only.ask(5);
      const given = only.event('a', 2);
      for (let i = 0; i < 3; i += 1) await store(ledger(), batch([given], [daily, org]));
      for (const each of [daily, org]) {
        expect(await bookOf(ledger(), each)).toMatchObject({ spent: 2, leased: 3 });
      }
      const [lease] = await ledger().leases({ org: ORG, now: NOW, limit: 9 });
      expect(lease).toMatchObject({ settled: { cost: 2 * USD, tokens: 120, calls: 1 } });
    });

    test('an event above what was granted is counted as it is', async () => {
      const only = guard();
      await only.ask(1);
      await only.spend('a', 3);
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 3, leased: 0 });
      expect(grantedIn(await only.ask(5))).toBe(5);
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 3, leased: 2 });
    });

    test('unknown leases, and those of other agents, are counted and flagged', async () => {
      const other = guard('g2', [dailyOf(10, 'agent:other')], 'other');
      await other.ask(4);
      const mine = guard();
      await mine.ask(4);
      const given = [
        event('a', { lease: 'g2/1', leaseSeq: 1 }),
        event('b', { lease: 'none', flags: ['unpriced'] }),
        event('c'),
        mine.event('d', 1),
      ];
      await store(ledger(), batch(given, [daily]));
      const flags = await bed.sql(
        'select idempotency_key as key, flags from usage_event order by 1',
      );
      expect(flags).toEqual([
        { key: 'a', flags: 'unleased' },
        { key: 'b', flags: 'unpriced unleased' },
        { key: 'c', flags: null },
        { key: 'd', flags: null },
      ]);
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 4, leased: 3 });
      expect(await ledger().leases({ org: ORG, agent: 'other', now: NOW, limit: 9 })).toMatchObject(
        [{ settled: usd(0) }],
      );
    });

    test('L3: the status says whether all that is spent was leased', async () => {
      await store(ledger(), batch([event('before')], [daily], { now: NOW - 1 }));
      expect(await bookOf(ledger(), daily)).toMatchObject({ guarded: 'none' });
      const only = guard();
      await only.ask(4);
      await only.spend('a', 1);
      expect(await bookOf(ledger(), daily)).toMatchObject({ guarded: 'leased' });
      await store(ledger(), batch([only.event('b', 1), event('c')], [daily]));
      expect(await bookOf(ledger(), daily)).toMatchObject({ guarded: 'mixed' });
    });

    test('L3: so do the totals of direct senders', async () => {
      await guard().ask(1);
      const [claim] = await ledger().claimPeriods({ now: NOW + DAY, limit: 1, leaseMs: 1 });
      if (claim === undefined) throw new Error('There is no row.');
      const direct = { cost: 6 * USD, tokens: 0, calls: 1 };
      await ledger().publish(publishedOf(claim, { direct }), NOW);
      expect(await bookOf(ledger(), daily)).toMatchObject({ guarded: 'mixed' });
      expect(await guard('g2').ask(4)).toMatchObject({
        type: 'refused',
        budget: { spent: 6 * USD },
      });
    });
  });
}
