/** L2 under load: many guards at once, many at one budget, and any order of asks, events and closes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LeaseAsk } from '../../../domain/lease/lease.js';
import type { Database } from '../../../ledger/database.js';
import { createLeaseDesk } from '../../../ledger/lease-desk.js';
import { periodRowId } from '../../../domain/ids.js';
import { DEFAULT_LEASE_POLICY } from '../../../ledger/lease.js';
import type { IngestBatch, Ledger, PeriodSeed, UsageEvent } from '../../../ledger/ledger.js';
import { DAY, NOW, ORG, USD, batch, limitsOf, seed, store } from './bed.js';
import type { Bed } from './bed.js';
import { databaseOf } from './database.js';
import { blockOf, bookOf, dailyOf, guardOf, usd } from './leases-kit.js';

/** One placement for each period, as a gateway makes them. */
function merged(given: IngestBatch): IngestBatch {
  const byId = new Map<string, { seed: PeriodSeed; events: number[] }>();
  for (const { seed: each, events } of given.placements) {
    const id = periodRowId(each.key);
    const known = byId.get(id) ?? { seed: each, events: [] };
    known.events.push(...events);
    byId.set(id, known);
  }
  return { ...given, placements: [...byId.values()] };
}

export function leaseRacingContract(bed: Bed): void {
  const ledger = () => bed.ledger();

  describe('L2: nobody overspends, whatever comes when', () => {
    test('40 guards and 10 senders at once: every sum in every state, and no ring of locks', async () => {
      const ledgers = [ledger(), await bed.open({ poolSize: 3 }), await bed.open({ poolSize: 3 })];
      const any = (i: number): Ledger => ledgers[i % ledgers.length] ?? ledger();
      const org = dailyOf(90, 'org');
      const agents = ['a', 'b', 'c', 'd'];
      const budgets = agents.map((agent) => dailyOf(30, `agent:${agent}`));
      const seedsOf = (i: number): PeriodSeed[] => [budgets[i % 4] ?? org, org];
      const guards = Array.from({ length: 40 }, (_, i) =>
        guardOf(() => any(i), `g${String(i)}`, seedsOf(i), agents[i % 4]),
      );
      const waiting: { event: UsageEvent; seeds: readonly PeriodSeed[] }[] = [];
      const sent: UsageEvent[] = [];
      const progress = { asking: guards.length, samples: 0 };
      const asking = guards.map(async (guard, i) => {
        for (let round = 1; round <= 4; round += 1) {
          // More than it uses, so that room is scarce from the beginning.
          const answer = await guard.ask(round + 2);
          if (answer.type !== 'granted') continue;
          const event = guard.event(`${String(i)}-${String(round)}`, 1);
          sent.push(event);
          waiting.push({ event, seeds: seedsOf(i) });
        }
        progress.asking -= 1;
      });
      const sending = Array.from({ length: 10 }, async (_, i) => {
        while (progress.asking > 0 || waiting.length > 0) {
          const mine = waiting.splice(0, 1 + (i % 5));
          const placements = mine.flatMap(({ seeds }, no) =>
            seeds.map((each) => ({ seed: each, events: [no] })),
          );
          const given = { ...batch([], []), events: mine.map(({ event }) => event), placements };
          if (mine.length > 0) await store(any(i), merged(given));
          // Some of them twice.
          if (mine.length > 0 && i % 3 === 0) await store(any(i + 1), merged(given));
          await new Promise(setImmediate);
        }
      });
      const sampling = (async () => {
        while (progress.asking > 0) {
          for (const each of [org, ...budgets]) {
            const [row] = await any(1).budgets({
              ...{ org: ORG, id: periodRowId(each.key), now: NOW, limit: 1 },
            });
            if (row === undefined) continue;
            progress.samples += 1;
            const limit = row.limits.limits[0]?.amount ?? 0;
            expect(row.own.cost + row.leased.cost).toBeLessThanOrEqual(limit);
          }
        }
      })();
      await Promise.all([...asking, ...sending, sampling]);
      expect(progress.samples).toBeGreaterThan(3);
      expect(sent.length).toBeGreaterThan(20);
      for (const [i, guard] of guards.entries()) {
        const mine = sent.filter(({ idempotencyKey }) =>
          idempotencyKey.startsWith(`${String(i)}-`),
        );
        if (guard.lease() !== undefined) await guard.close({ lastSeq: mine.length });
      }
      expect(await bookOf(ledger(), org)).toMatchObject({
        ...{ spent: sent.length, leased: 0, guarded: 'leased' },
      });
      const [stats] = await bed.sql(
        'select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()',
      );
      expect(stats?.['deadlocks'] ?? 0).toBe(0);
    });

    test('500 guards of one budget are answered in a handful of transactions', async () => {
      const db = await databaseOf(bed);
      const counts = { transactions: 0 };
      const counting: Database = {
        ...db,
        transaction: (work) => {
          counts.transactions += 1;
          return db.transaction(work);
        },
      };
      const ask = createLeaseDesk(counting, { policy: DEFAULT_LEASE_POLICY, runIdleMs: DAY });
      const org = dailyOf(1_000, 'org');
      const askAll = (n: number, over: (i: number) => Partial<LeaseAsk>) =>
        Promise.all(
          Array.from({ length: 500 }, (_, i) => {
            const guard = guardOf(ledger, `g${String(i)}`, [org]);
            return ask(guard.placed({ n, ...over(i) }), NOW);
          }),
        );
      const granted = (answers: Awaited<ReturnType<typeof askAll>>) =>
        answers.filter((each) => each.type === 'answered' && each.answer.type === 'granted').length;
      expect(granted(await askAll(1, () => ({ need: usd(1), want: usd(1) })))).toBe(500);
      expect(counts.transactions).toBeLessThanOrEqual(10);
      counts.transactions = 0;
      const more = await askAll(2, (i) => ({
        ...{ lease: `g${String(i)}/1`, need: usd(3), want: usd(3) },
      }));
      expect(granted(more)).toBe(250);
      expect(counts.transactions).toBeLessThanOrEqual(5);
      expect(await bookOf(ledger(), org)).toMatchObject({ leased: 1_000, holders: 500 });
    });

    test('one ask that the database refuses does not cost the others theirs', async () => {
      const good = guardOf(ledger, 'good', [dailyOf(10)]);
      const bad = guardOf(ledger, 'bad', [dailyOf(10)]);
      const asks = [
        good.ask(1),
        bad.ask(1, { n: 0.5 }),
        guardOf(ledger, 'fine', [dailyOf(10)]).ask(1),
      ];
      const [first, second, third] = await Promise.allSettled(asks);
      expect([first?.status, second?.status, third?.status]).toEqual([
        ...['fulfilled', 'rejected', 'fulfilled'],
      ]);
    });

    test('property: asks, events and closes in any order, with repeats, never pass the limit', async () => {
      const step = fc.record({
        who: fc.nat(2),
        what: fc.constantFrom('ask', 'ask', 'spend', 'spend', 'give', 'close', 'mark', 'again'),
        amount: fc.nat(6),
      });
      let life = 0;
      const check = async (steps: readonly { who: number; what: string; amount: number }[]) => {
        life += 1;
        const period = `daily-${String(life)}`;
        const daily = seed('daily', { period, limits: limitsOf(0, blockOf(10)) });
        const guards = [0, 1, 2].map((i) => {
          const holder = `h${String(life)}-${String(i)}`;
          return { guard: guardOf(ledger, holder, [daily]), used: 0, events: 0 };
        });
        const past: (() => Promise<unknown>)[] = [];
        let key = 0;
        for (const { who, what, amount } of steps) {
          const one = guards[who];
          if (one === undefined) continue;
          const { guard } = one;
          const room = guard.granted().cost / USD - one.used;
          if (what === 'ask') await guard.ask(one.used + amount);
          else if (what === 'give') await guard.ask(one.used);
          else if (what === 'again') await past[amount]?.();
          else if (what === 'spend' && room > 0) {
            const cost = Math.min(room, amount);
            key += 1;
            const given = batch([guard.event(`${period}-${String(key)}`, cost)], [daily]);
            past.push(() => store(ledger(), given));
            one.used += cost;
            one.events += 1;
            // Some are sent late: by a repeat, or never.
            if (amount % 3 !== 0) await store(ledger(), given);
          } else if ((what === 'close' || what === 'mark') && guard.lease() !== undefined) {
            // A lease is over: what it was granted is nobody's to spend.
            await guard.close(what === 'mark' ? { mark: usd(one.used) } : { lastSeq: one.events });
            key += 1;
            const fresh = guardOf(ledger, `${period}-${String(key)}`, [daily]);
            guards[who] = { guard: fresh, used: 0, events: 0 };
          }
          const book = await bookOf(ledger(), daily).catch(() => ({ spent: 0, leased: 0 }));
          expect(book.spent + book.leased).toBeLessThanOrEqual(10);
        }
        for (const each of past) await each();
        const { spent, leased } = await bookOf(ledger(), daily).catch(() => ({
          ...{ spent: 0, leased: 0 },
        }));
        expect(spent + leased).toBeLessThanOrEqual(10);
      };
      await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), check), {
        numRuns: 12,
      });
    });
  });
}
