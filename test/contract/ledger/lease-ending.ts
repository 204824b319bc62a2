/** L4, L5: how leases end, what is repeated, and what people and guards see of it. */
import { describe, expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import { BOT, DAY, DAY_START, NOW, ORG, USD, batch, event, limitsOf, seed, store } from './bed.js';
import type { Bed } from './bed.js';
import { blockOf, bookOf, dailyOf, grantedIn, guardOf, usd } from './leases-kit.js';

export function leaseEndingContract(bed: Bed): void {
  const ledger = () => bed.ledger();
  const daily = dailyOf(10);
  const guard = (holder = 'g1', seeds = [daily]) => guardOf(ledger, holder, seeds);
  const release = (id: string) =>
    ledger().releaseLease(ORG, id, { by: 'ada', reason: 'it is gone', now: NOW });

  describe('L4: what was granted stays counted until it is known', () => {
    test('a clean close whose events are all stored frees the rest at once', async () => {
      const only = guard();
      await only.ask(5);
      await only.spend('a', 1);
      await only.spend('b', 1);
      expect(await only.close({ lastSeq: 2 })).toBe('closed');
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 2, leased: 0, holders: 0 });
      expect(grantedIn(await only.ask(8))).toBe(8);
    });

    test('one whose events are missing waits for all of them, in whatever order', async () => {
      const only = guard();
      await only.ask(5);
      const missing = [only.event('a', 1), only.event('b', 1), only.event('c', 1)] as const;
      const [a, b, c] = missing;
      await store(ledger(), batch([c], [daily]));
      expect(await only.close({ lastSeq: 3 })).toBe('closing');
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 1, leased: 4 });
      // The same event again is not the one that is missing.
      await store(ledger(), batch([c, a], [daily]));
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 2, leased: 3 });
      await store(ledger(), batch([b], [daily]));
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 3, leased: 0 });
      expect(await ledger().leases({ org: ORG, now: NOW, limit: 9 })).toMatchObject([
        { state: 'closed', closedAt: NOW },
      ]);
    });

    test('one that never spent is closed with none', async () => {
      const only = guard();
      await only.ask(5);
      expect(await only.close({ lastSeq: 0 })).toBe('closed');
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 0 });
    });

    test('expiry frees nothing: what a vanished guard holds stays, and is told', async () => {
      await guard().ask(8);
      const later = NOW + 3_600_000;
      expect(await bookOf(ledger(), daily, NOW + 90_000)).toMatchObject({ vanished: 0 });
      expect(await bookOf(ledger(), daily, later)).toEqual({
        ...{ spent: 0, leased: 8, vanished: 8, holders: 0, guarded: 'leased' },
      });
      expect(await guard('g2').ask(3, {}, later)).toMatchObject({ why: 'exhausted' });
    });

    test('its restart gives back what lies above the mark; late events settle the rest', async () => {
      const only = guard();
      await only.ask(8);
      await only.spend('a', 1);
      const late = [only.event('b', 1), only.event('c', 3)];
      expect(await only.close({ mark: usd(4) })).toBe('abandoned');
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 1, leased: 3 });
      await store(ledger(), batch(late.slice(0, 1), [daily]));
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 2, leased: 2 });
      await store(ledger(), batch(late, [daily]));
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 5, leased: 0 });
    });

    test('a mark at what is stored leaves nothing open, and none above what was granted', async () => {
      const only = guard();
      await only.ask(8);
      await only.spend('a', 2);
      const above = { cost: 99 * USD, tokens: 120, calls: 1 };
      expect(await only.close({ mark: above })).toBe('abandoned');
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 2, leased: 6 });
      const second = guard('g2');
      await second.ask(1);
      await second.spend('b', 1);
      expect(await second.close({ mark: { cost: USD, tokens: 120, calls: 1 } })).toBe('closed');
    });

    test('an operator releases it, with an audit entry, once', async () => {
      const only = guard();
      await only.ask(8);
      expect(await release('g1/1')).toBe(true);
      expect(await release('g1/1')).toBe(false);
      expect(await release('none')).toBe(false);
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 0 });
      const audit = await ledger().audit({ org: ORG, subject: BOT, limit: 9 });
      expect(audit).toMatchObject([
        {
          ...{ what: 'lease_released', by: 'ada', at: NOW, after: { reason: 'it is gone' } },
          before: { lease: 'g1/1', remainder: usd(8) },
        },
      ]);
      await only.spend('late', 1);
      expect(await bookOf(ledger(), daily)).toMatchObject({ spent: 1, leased: 0 });
      expect(await only.ask(2)).toMatchObject({ type: 'refused', why: 'ended' });
    });
  });

  describe('L5: requests and times', () => {
    test('the same request gets the same words, an older one none', async () => {
      const only = guard();
      const first = await only.ask(2);
      const again = only.placed({ n: 1, need: usd(2), want: usd(2) });
      expect(JSON.stringify(await ledger().askLease(again, NOW + 9_000))).toBe(
        JSON.stringify({ type: 'answered', answer: first }),
      );
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 2 });
      await only.ask(3);
      expect(await ledger().askLease(again, NOW)).toEqual({ type: 'stale' });
      const close = { holder: 'g1', n: 3, agent: 'bot', lease: 'g1/1', end: { lastSeq: 0 } };
      const closed = { type: 'closed', closed: { lease: 'g1/1', state: 'closed' } };
      for (const at of [NOW, NOW + 5]) {
        expect(await ledger().closeLease(ORG, close, at)).toEqual(closed);
      }
      expect(await ledger().closeLease(ORG, { ...close, n: 2 }, NOW)).toEqual({ type: 'stale' });
      expect(await ledger().askLease({ ...again, ask: { ...again.ask, n: 3 } }, NOW)).toEqual({
        type: 'stale',
      });
    });

    test('the same request several times at once is one', async () => {
      const other = await bed.open();
      const placed = guard().placed({ n: 1, need: usd(2), want: usd(2) });
      const results = await Promise.all(
        [ledger(), other, ledger(), other].map((each) => each.askLease(placed, NOW)),
      );
      expect(new Set(results.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 2, holders: 1 });
    });

    test('a lease ends with its shortest period, and stays counted in the longer ones', async () => {
      const monthly = seed('monthly', { limits: limitsOf(0, blockOf(20)) });
      const both = guard('g1', [daily, monthly]);
      expect(await both.ask(5)).toMatchObject({ lease: { endsInMs: DAY_START + DAY - NOW } });
      const tomorrow = DAY_START + DAY;
      expect(await both.ask(6, {}, tomorrow)).toMatchObject({ type: 'refused', why: 'ended' });
      const next = seed('daily', {
        ...{ period: 'next', startsAt: tomorrow, endsAt: tomorrow + DAY },
        limits: limitsOf(0, blockOf(10)),
      });
      const second = guard('g2', [next, monthly]);
      expect(grantedIn(await second.ask(10, {}, tomorrow))).toBe(10);
      expect(await bookOf(ledger(), next, tomorrow)).toMatchObject({ leased: 10 });
      expect(await bookOf(ledger(), monthly, tomorrow)).toMatchObject({ leased: 15 });
      expect(await second.ask(16, {}, tomorrow)).toMatchObject({ type: 'refused' });
    });

    test('the next period is granted in its last minute, not valid before, and renewed as it is', async () => {
      const tomorrow = DAY_START + DAY;
      const next = seed('daily', {
        ...{ period: 'next', startsAt: tomorrow, endsAt: tomorrow + DAY },
        limits: limitsOf(0, blockOf(10)),
      });
      const early = guard('g1', [next]);
      expect(await early.ask(9, { startsNext: true }, tomorrow - 61_000)).toMatchObject({
        why: 'ended',
      });
      const at = tomorrow - 50_000;
      expect(await early.ask(9, { startsNext: true }, at)).toMatchObject({
        lease: { validInMs: 50_000, endsInMs: 50_000 + DAY },
      });
      // It holds nothing of today, also where it is asked for among today's budgets.
      const today = early.placed({ n: 3, lease: early.lease() ?? '', need: usd(9), want: usd(9) });
      const asked = { ...today, seeds: [daily] };
      expect(await ledger().askLease(asked, at)).toMatchObject({ answer: { type: 'granted' } });
      expect(await bookOf(ledger(), daily, at)).toMatchObject({ leased: 0 });
      expect(await bookOf(ledger(), next, at)).toMatchObject({ leased: 9 });
      const more = { ...asked, ask: { ...asked.ask, n: 4, need: usd(10), want: usd(10) } };
      expect(await ledger().askLease(more, at)).toMatchObject({
        answer: { why: 'exhausted', lease: { granted: usd(9) } },
      });
    });

    test('another holder, another agent or another run does not get at a lease', async () => {
      await guard().ask(5);
      const ask = (over: object) => guard('g2').ask(1, { lease: 'g1/1', ...over });
      expect(await ask({})).toMatchObject({ why: 'ended' });
      expect(await guard('g1').ask(1, { n: 7, lease: 'g1/1', run: 'r' })).toMatchObject({
        why: 'ended',
      });
      await expect(guard('g1').ask(1, { n: 8, agent: 'other' })).rejects.toThrow('stale');
      expect(await guardOf(ledger, 'g3', [daily]).close({ lastSeq: 0 })).toBe('unknown');
      const foreign = { holder: 'g3', n: 2, agent: 'bot', lease: 'g1/1', end: { lastSeq: 0 } };
      expect(await ledger().closeLease(ORG, foreign, NOW)).toMatchObject({
        closed: { state: 'unknown' },
      });
      expect(await bookOf(ledger(), daily)).toMatchObject({ leased: 5 });
    });

    test('B2: a run that was over begins anew when a lease of it is asked for', async () => {
      const run = seed('run', { limits: limitsOf(0, blockOf(2)) });
      const first = guard('g1', [run]);
      await first.ask(1, { run: 'run-1' });
      await first.spend('a', 1, { run: 'run-1' });
      const later = NOW + 2 * DAY;
      expect(await first.ask(2, { run: 'run-1' }, later)).toMatchObject({ why: 'ended' });
      const fresh = await guard('g2', [run]).ask(2, { run: 'run-1' }, later);
      expect(fresh).toMatchObject({ type: 'granted', lease: { budgets: [{ spent: 0 }] } });
    });
  });

  describe('what is seen of leases', () => {
    test('leases are listed page by page, the latest first, by agent, period and what they hold', async () => {
      for (let i = 1; i <= 5; i += 1) {
        await guard(`g${String(i)}`).ask(i === 2 ? 0 : 1, {}, NOW + (i % 2));
      }
      const list = async (over: object) =>
        (await ledger().leases({ org: ORG, now: NOW, limit: 9, ...over })).map(({ id }) => id);
      const all = ['g5/1', 'g3/1', 'g1/1', 'g4/1', 'g2/1'];
      expect(await list({})).toEqual(all);
      expect(await list({ limit: 2 })).toEqual(all.slice(0, 2));
      expect(await list({ after: { openedAt: NOW + 1, id: 'g3/1' } })).toEqual(all.slice(2));
      expect(await list({ holding: true })).toEqual(all.slice(0, 4));
      expect(await list({ periodId: periodRowId(daily.key) })).toEqual(all);
      expect(await list({ periodId: periodRowId(seed('daily', { org: 'x' }).key) })).toEqual([]);
      expect(await list({ agent: 'other' })).toEqual([]);
      expect(await ledger().leases({ org: ORG, now: NOW + DAY, limit: 1 })).toMatchObject([
        { state: 'open', vanished: true, periods: [periodRowId(daily.key)], remainder: usd(1) },
      ]);
    });

    test('one statement tells every guard of Stops, kills, changed limits and recalls', async () => {
      const org = dailyOf(20, 'org');
      const windows = [{ key: daily.key, window: daily.window }];
      await guard('g1', [daily, org]).ask(6);
      const watches = [
        { org: ORG, agent: 'bot' },
        { org: ORG, agent: 'other' },
      ];
      const standings = () => ledger().guardStandings(watches, NOW + 1);
      const [quiet] = await standings();
      expect(quiet).toMatchObject({ killed: [], recalls: [] });
      expect(quiet?.stopped).toBeUndefined();
      await guard('g2', [daily, org]).ask(5);
      expect(await standings()).toMatchObject([
        { recalls: [{ periodId: periodRowId(daily.key), why: 'wanted' }] },
        { agent: 'other', recalls: [] },
      ]);
      const { key } = daily;
      await ledger().configure({
        ...{ org: ORG, scope: key.scope, name: 'bot', zone: 'UTC', by: 'ada', now: NOW, windows },
        budgets: [{ cadence: 'daily', limits: [blockOf(5)] }],
      });
      await ledger().stop(ORG, { agent: 'other', at: NOW, by: 'ada', reason: 'why not' });
      const killed = { at: NOW, dimension: 'cost', bps: 10_000, limit: 1, agents: ['other'] };
      await bed.sql(`update period set killed = '${JSON.stringify(killed)}' where scope = 'org'`);
      const [bot, other] = await standings();
      expect(bot).toMatchObject({
        ...{ killed: [], recalls: [{ periodId: periodRowId(key), why: 'overrun' }] },
      });
      expect(bot?.limitsMark).not.toBe(quiet?.limitsMark);
      expect(other).toMatchObject({
        stopped: { by: 'ada', reason: 'why not' },
        killed: [{ periodId: periodRowId(org.key), killed }],
      });
      expect(await ledger().guardStandings([], NOW)).toEqual([]);
    });

    test('leases that are over go with their kind; what holds something of an open period stays', async () => {
      const total = seed('total', { limits: limitsOf(0, blockOf(50)), startsAt: 0 });
      const [gone, kept, over] = [guard('g1'), guard('g2', [total]), guard('g3')];
      for (const each of [gone, kept, over]) await each.ask(1);
      await gone.close({ lastSeq: 0 });
      await store(ledger(), batch([event('a')], []));
      const prune = () => ledger().prune('leases', { before: NOW + 90 * DAY, limit: 100 });
      await prune();
      const left = async () =>
        (await ledger().leases({ org: ORG, now: NOW, limit: 9 })).map(({ id }) => id).sort();
      expect(await left()).toEqual(['g2/1', 'g3/1']);
      await bed.sql(`update period set state = 'closed' where cadence = 'daily'`);
      await prune();
      expect(await left()).toEqual(['g2/1', 'g3/1']);
      await bed.sql(`update period set state = 'closed'`);
      await prune();
      expect(await left()).toEqual([]);
      expect(await bed.sql('select from lease_holder')).toEqual([]);
    });
  });
}
