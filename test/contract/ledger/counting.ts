/** L-1, L-2, B1, B4, B5: what an ingest counts. */
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { periodRowId } from '../../../domain/ids.js';
import type { UsageEvent } from '../../../ledger/ledger.js';
import {
  BOT,
  NOW,
  ORG,
  USD,
  batch,
  costLimit,
  event,
  events,
  limitsOf,
  seed,
  store,
  viewOf,
} from './bed.js';
import type { Bed } from './bed.js';

export function countingContract(bed: Bed): void {
  const daily = seed('daily');
  const id = periodRowId(daily.key);

  describe('L-1: an event counts once', () => {
    test('a batch adds its events to the book and to every period it is placed in', async () => {
      const seeds = [daily, seed('monthly'), seed('run'), seed('daily', { scope: 'org' })];
      const result = await store(bed.ledger(), batch(events(3), seeds));
      expect(result).toMatchObject({ stored: 3, duplicates: 0, stopped: [] });
      expect(result.periods.map((period) => period.key)).toEqual(
        expect.arrayContaining(seeds.map((each) => each.key)),
      );
      for (const each of seeds) {
        const { own } = await viewOf(bed.ledger(), periodRowId(each.key));
        expect(own).toEqual({ cost: 3 * USD, tokens: 360, calls: 3, firstAt: NOW, lastAt: NOW });
      }
      expect(await bed.ledger().usage(ORG)).toEqual({ events: 3, cost: 3 * USD, tokens: 360 });
      expect(await bed.ledger().usage(ORG, 'other')).toEqual({ events: 0, cost: 0, tokens: 0 });
    });

    test('the same batch twice counts once, and still answers its periods', async () => {
      const given = batch(events(5), [daily]);
      await store(bed.ledger(), given);
      const again = await store(bed.ledger(), given);
      expect(again).toMatchObject({ stored: 0, duplicates: 5, periods: [{ id, blocked: false }] });
      expect((await viewOf(bed.ledger(), id)).own.calls).toBe(5);
    });

    test('halves that arrive in reverse order, a tenth of them doubled, sum to the same', async () => {
      const all = Array.from({ length: 100 }, (_, i) =>
        event(`k${String(i)}`, { costUsed: i + 1 }),
      );
      const doubled = all.filter((_, i) => i % 10 === 0);
      await store(bed.ledger(), batch([...all.slice(50), ...doubled], [daily]));
      const result = await store(bed.ledger(), batch([...all.slice(0, 50), ...doubled], [daily]));
      expect(result).toMatchObject({ stored: 45, duplicates: 15 });
      expect((await viewOf(bed.ledger(), id)).own).toMatchObject({ cost: 5_050, calls: 100 });
    });

    test('the same key twice in one batch counts the first of the two', async () => {
      const given = [event('k', { costUsed: 1 }), event('k', { costUsed: 2 })];
      const result = await store(bed.ledger(), batch(given, [daily]));
      expect(result).toMatchObject({ stored: 1, duplicates: 1 });
      expect((await viewOf(bed.ledger(), id)).own).toMatchObject({ cost: 1, calls: 1 });
    });

    test('the same key in another organisation is another event', async () => {
      await store(bed.ledger(), batch(events(1), [daily]));
      const other = batch(events(1), [seed('daily', { org: 'other' })], { org: 'other' });
      expect((await store(bed.ledger(), other)).stored).toBe(1);
    });

    test('overlapping batches from four connections at once count every event once', async () => {
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      const all = events(120);
      const seeds = [daily, seed('monthly')];
      const jobs = ledgers.flatMap((ledger, n) =>
        [0, 1, 2, 3].map((part) => {
          const mine = all.slice(part * 20, part * 20 + 60);
          const order = n % 2 === 0 ? mine : mine.toReversed();
          return store(ledger, batch(order, n % 2 === 0 ? seeds : seeds.toReversed()));
        }),
      );
      const stored = (await Promise.all(jobs)).reduce((sum, result) => sum + result.stored, 0);
      expect(stored).toBe(120);
      for (const each of seeds) {
        expect((await viewOf(bed.ledger(), periodRowId(each.key))).own.calls).toBe(120);
      }
    });

    test('events of one batch count only where they are placed', async () => {
      const other = seed('daily', { scope: 'agent:other' });
      const given: UsageEvent[] = [event('a'), event('b', { agent: 'other' }), event('c')];
      await store(bed.ledger(), {
        ...batch(given, []),
        placements: [
          { seed: daily, events: [0, 2] },
          { seed: other, events: [1] },
          { seed: seed('daily', { scope: 'org' }), events: [0, 1, 2] },
        ],
      });
      const calls = async (of: typeof daily) =>
        (await viewOf(bed.ledger(), periodRowId(of.key))).own.calls;
      expect([await calls(daily), await calls(other)]).toEqual([2, 1]);
      expect(await calls(seed('daily', { scope: 'org' }))).toBe(3);
    });

    test('B5: what an agent used is the sum of its events, to the nano, whatever came how', async () => {
      const ledgers = await Promise.all([bed.open(), bed.open(), bed.open(), bed.open()]);
      const agents = ['a', 'b', 'c'];
      const all = Array.from({ length: 90 }, (_, i) =>
        event(`k${String(i)}`, { agent: agents[i % 3] ?? 'a', costUsed: 3 ** (i % 20) }),
      );
      // Every event in two batches, in two orders; only some are placed anywhere.
      await Promise.all(
        ledgers.flatMap((ledger, n) =>
          [0, 30, 60].map((from) => {
            const mine = [...all.slice(from, from + 30), ...all.slice(0, 15)];
            const given = n % 2 === 0 ? mine : mine.toReversed();
            return store(ledger, batch(given, n < 2 ? [] : [seed('daily', { scope: 'org' })]));
          }),
        ),
      );
      const sumOf = (given: readonly UsageEvent[]) => ({
        events: given.length,
        cost: given.reduce((sum, { costUsed }) => sum + costUsed, 0),
        tokens: given.length * 120,
      });
      expect(await bed.ledger().usage(ORG)).toEqual(sumOf(all));
      for (const agent of agents) {
        const own = all.filter((each) => each.agent === agent);
        expect(await bed.ledger().usage(ORG, agent)).toEqual(sumOf(own));
      }
    });

    test('names that SQL keeps as the same are one agent', async () => {
      const given = ['x\0', 'x\ud800'].map((agent, i) => event(`k${String(i)}`, { agent }));
      await store(bed.ledger(), batch(given, []));
      expect((await bed.ledger().usage(ORG, 'x\ufffd')).events).toBe(2);
    });

    test('a client that dies inside a transaction leaves nothing and blocks nobody', async () => {
      const client = new pg.Client({ connectionString: bed.databaseUrl() });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('begin');
      await client.query(`insert into scope_configuration (org, scope) values ('${ORG}', 'org')`);
      const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } })
        .connection;
      stream.destroy();
      await store(bed.ledger(), batch(events(1), [daily]));
      expect(await bed.sql('select * from scope_configuration')).toEqual([]);
    });
  });

  describe('what a row keeps', () => {
    test('L-2: seq grows with every change of the totals and stays for duplicates', async () => {
      const seq = async () => (await bed.sql('select seq from period'))[0]?.['seq'];
      await store(bed.ledger(), batch(events(1), [daily]));
      const first = Number(await seq());
      await store(bed.ledger(), batch(events(1), [daily]));
      expect(Number(await seq())).toBe(first);
      await store(bed.ledger(), batch(events(2), [daily]));
      expect(Number(await seq())).toBe(first + 1);
    });

    test('first and last are those of the events, in whatever order they came', async () => {
      await store(bed.ledger(), batch([event('b', { at: NOW + 5 })], [daily]));
      await store(bed.ledger(), batch([event('a', { at: NOW - 5 })], [daily]));
      expect((await viewOf(bed.ledger(), id)).own).toMatchObject({
        firstAt: NOW - 5,
        lastAt: NOW + 5,
      });
    });

    test('B1: sums stay at 2^53 - 1 and say so', async () => {
      const most = Number.MAX_SAFE_INTEGER;
      await store(bed.ledger(), batch(events(3, { costUsed: most, inputTokens: most }), [daily]));
      expect((await viewOf(bed.ledger(), id)).saturated).toBe(true);
      await store(bed.ledger(), batch(events(3, { costUsed: most }, 'f'), [daily]));
      expect((await viewOf(bed.ledger(), id)).own).toMatchObject({
        cost: most,
        tokens: most,
        calls: 6,
      });
      expect(await bed.sql('select saturated from period')).toEqual([{ saturated: true }]);
      const totals = { events: 6, cost: most, tokens: most, saturated: true };
      expect(await bed.ledger().usage(ORG)).toEqual(totals);
      expect(await bed.sql('select cost, tokens from usage_total')).toEqual([
        { cost: String(most), tokens: String(most) },
      ]);
    });

    test('odd names and texts come back as they were, or readable where SQL has no place', async () => {
      const agent = `O'Brien "\\" {a,b} $1 \u{1f600}`;
      const odd = event(`k'"\\,{}$2`, { agent, model: 'nul\0 half\ud800', run: '' });
      await store(bed.ledger(), batch([odd], [seed('daily', { scope: `agent:${agent}` })]));
      const [row] = await bed.sql('select idempotency_key, agent, model, run from usage_event');
      expect(row).toEqual({
        idempotency_key: `k'"\\,{}$2`,
        agent,
        model: 'nul\ufffd half\ufffd',
        run: '',
      });
      expect((await store(bed.ledger(), batch([odd], []))).duplicates).toBe(1);
      await bed.ledger().configurations(ORG, [`agent:${agent}`]);
      const [view] = await bed.ledger().budgets({ org: ORG, agent, now: NOW, limit: 5 });
      expect(view?.own.calls).toBe(1);
      expect(view?.recentCost).toBe(USD);
    });
  });

  describe('what ingest answers', () => {
    test('a revision that is not the ledger’s own stores nothing', async () => {
      await bed.ledger().configurations(ORG, [BOT]);
      const stale = batch(events(2), [daily], { revisions: [{ scope: BOT, rev: 1 }] });
      expect(await bed.ledger().ingest(stale)).toEqual({ type: 'stale_configuration' });
      const missing = batch(events(2), [daily], { revisions: [{ scope: 'org', rev: 0 }] });
      expect(await bed.ledger().ingest(missing)).toEqual({ type: 'stale_configuration' });
      expect((await bed.ledger().usage(ORG)).events).toBe(0);
      const right = batch(events(2), [daily], { revisions: [{ scope: BOT, rev: 0 }] });
      expect((await store(bed.ledger(), right)).stored).toBe(2);
    });

    test('K2: who is stopped, and K3: their usage is stored all the same', async () => {
      const word = { agent: 'bot', at: NOW, by: 'ann', reason: 'runaway' };
      await bed.ledger().stop(ORG, word);
      await bed.ledger().stop(ORG, { ...word, agent: 'other' });
      const result = await store(bed.ledger(), batch(events(2), [daily]));
      expect(result).toMatchObject({ stored: 2, stopped: [word] });
    });

    test('B9: blocked at the limit of a `block` budget and not before, duplicates included', async () => {
      const limits = limitsOf(0, costLimit(3, { enforcement: 'block' }));
      const blocking = seed('daily', { limits });
      const below = await store(bed.ledger(), batch(events(2), [blocking]));
      expect(below.periods[0]?.blocked).toBe(false);
      const at = await store(bed.ledger(), batch(events(3), [blocking]));
      expect(at.periods[0]?.blocked).toBe(true);
      const again = await store(bed.ledger(), batch(events(3), [blocking]));
      expect(again).toMatchObject({ stored: 0, periods: [{ blocked: true }] });
    });

    test('an `alert` budget never blocks', async () => {
      const limits = limitsOf(0, costLimit(1));
      const result = await store(bed.ledger(), batch(events(9), [seed('daily', { limits })]));
      expect(result.periods[0]?.blocked).toBe(false);
    });
  });

  test('who has reported or synced is known by name, whoever is asked for first', async () => {
    await store(bed.ledger(), batch([event('a', { agent: 'zoe' }), event('b')], []));
    const budgets = [{ cadence: 'daily' as const, limits: [costLimit(1)] }];
    const synced = { org: ORG, scope: 'agent:synced' as const, name: 'synced', zone: 'UTC' };
    const author = { by: 'sdk', now: NOW, windows: [] };
    await bed.ledger().configure({ ...synced, budgets, ...author });
    const limits = [
      { ...costLimit(1), kind: 'limit' as const, cadence: 'daily' as const, by: 'ann', at: NOW },
    ];
    const change = { type: 'setLimits' as const, limits };
    const mistyped = { ...synced, scope: 'agent:bto' as const, name: 'bto' };
    await bed.ledger().changeLayer({ ...mistyped, change, ...author, by: 'ann' });
    expect(await bed.ledger().agentNames(ORG, 'zoe', 9)).toEqual(['zoe', 'bot', 'synced']);
    expect(await bed.ledger().agentNames(ORG, 'bto', 1)).toEqual(['bot']);
    expect(await bed.ledger().agentNames('other', 'zoe', 9)).toEqual([]);
  });

  test('bad events are kept readable, the newest first, and never counted', async () => {
    const bad = { org: ORG, at: NOW, path: '/events/0/cost', problem: 'must be 0 or more' };
    await bed.ledger().quarantine([
      { ...bad, raw: '{"cost":-1}' },
      { ...bad, raw: 'nul\0 half\ud800' },
    ]);
    expect(await bed.ledger().quarantined(ORG, 5)).toMatchObject([
      { ...bad, raw: 'nul\ufffd half\ufffd' },
      { ...bad, raw: '{"cost":-1}' },
    ]);
    expect(await bed.ledger().quarantined('other', 5)).toEqual([]);
    expect((await bed.ledger().usage(ORG)).events).toBe(0);
  });
}
