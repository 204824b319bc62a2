/**
 * Guards on shared budgets against everything that can go wrong, in any order. The book holds each
 * of its own changes against L2; what the provider billed is held against the limits here, and
 * after each step against what the book counts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOLDER_POLICY, type HolderPolicy } from '../../domain/lease/policy.js';
import { createDice } from './dice.js';
import { createLeaseBook, type BookBudget } from './lease-book.js';
import { createLeaseGuard, newDisk, type GuardWorld, type Leave } from './lease-guard.js';
import { createVirtualClock } from './virtual-clock.js';

const HASTY: HolderPolicy = { ...HOLDER_POLICY, waitMs: 1_500, idleMs: 400 };
const HOUR = 120_000;
const MOST = 60;

type Step =
  | {
      readonly type: 'call';
      readonly guard: number;
      readonly worst: number;
      readonly ms: number;
      readonly times: number;
    }
  | { readonly type: 'abort'; readonly guard: number }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'kill'; readonly guard: number; readonly keepsJournal: boolean }
  | { readonly type: 'stepWall'; readonly guard: number; readonly ms: number }
  | { readonly type: 'sleep'; readonly guard: number; readonly ms: number }
  | { readonly type: 'network'; readonly isDown: boolean }
  | { readonly type: 'limit'; readonly limit: number }
  | { readonly type: 'stop' | 'resume'; readonly guard: number }
  | { readonly type: 'unleased'; readonly cost: number };

const guard = fc.nat(2);
/** Small ones, of which a lease holds many at a time, and ones that need all of it. */
const cost = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: MOST }));
const call: fc.Arbitrary<Step> = fc.record({
  type: fc.constant('call' as const),
  guard,
  worst: cost,
  ms: fc.integer({ min: 1, max: 8_000 }),
  times: fc.integer({ min: 1, max: 8 }),
});
const pass: fc.Arbitrary<Step> = fc.record({
  type: fc.constant('pass' as const),
  ms: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 200, max: 45_000 })),
});
const trouble: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('abort' as const), guard }),
  fc.record({ type: fc.constant('kill' as const), guard, keepsJournal: fc.boolean() }),
  fc.record({
    type: fc.constant('stepWall' as const),
    guard,
    ms: fc.integer({ min: -7_200_000, max: 7_200_000 }),
  }),
  fc.record({
    type: fc.constant('sleep' as const),
    guard,
    ms: fc.integer({ min: 1, max: 60_000 }),
  }),
  fc.record({ type: fc.constant('network' as const), isDown: fc.boolean() }),
  fc.record({ type: fc.constantFrom('stop' as const, 'resume' as const), guard }),
);
const spoiling: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('limit' as const), limit: fc.integer({ min: 50, max: 3_000 }) }),
  fc.record({ type: fc.constant('unleased' as const), cost }),
);
const always = [
  { arbitrary: call, weight: 10 },
  { arbitrary: pass, weight: 4 },
  { arbitrary: trouble, weight: 3 },
];

/** Plays it, and answers what the provider billed in each row, with the row's limit. */
function play(seed: number, steps: readonly Step[]) {
  const dice = createDice(seed);
  const clock = createVirtualClock(1_700_000_000_000 - (1_700_000_000_000 % HOUR));
  const pool: BookBudget = { name: 'pool', limits: { cost: 1_200 } };
  const book = createLeaseBook(
    [
      pool,
      { name: 'hour', limits: { cost: 700, calls: 60 }, periodMs: HOUR },
      { name: 'own', limits: { tokens: 2_000 }, agents: ['a0', 'a1'] },
    ],
    () => clock.now(),
  );
  const network = { least: 1, most: 400, lost: 0.15, doubled: 0.15, isDown: false };
  const world: GuardWorld = { clock, dice, book, network, fsyncMs: 4, flushMs: 700, requests: 0 };
  const disks = [newDisk(), newDisk(), newDisk()];
  const start = (index: number, holder = `h${index}`) =>
    createLeaseGuard(world, { holder, agent: `a${index}`, policy: HASTY, disk: disks[index]! });
  const guards = [start(0), start(1), start(2)];
  const running = [0, 1, 2].map(() => new Map<Leave, number>());
  const billed = new Map<string, { cost: number; tokens: number; calls: number }>();
  const isStopSeen = [false, false, false];

  function makeCall(index: number, worst: number, ms: number): void {
    guards[index]!.call({ cost: worst, tokens: worst * 2, calls: 1 }, (leave) => {
      if (typeof leave === 'string') return;
      expect(isStopSeen[index], 'K2: a call started after the Stop was told').toBe(false);
      // Billed from the moment it starts: the worst for who has to count it.
      const actual = dice.chance(0.5) ? worst : dice.between(0, worst);
      running[index]!.set(leave, actual);
      bill(leave, actual, 1);
      clock.after(ms, () => {
        if (!running[index]!.delete(leave)) return;
        leave.end({ cost: actual, tokens: actual * 2, calls: 1 });
      });
    });
  }

  function bill(leave: Leave, actual: number, calls: 1 | -1): void {
    for (const row of leave.lease === undefined ? [] : book.rowsOf(leave.lease)) {
      const sum = billed.get(row) ?? { cost: 0, tokens: 0, calls: 0 };
      const next = sum.cost + actual * calls;
      billed.set(row, { cost: next, tokens: next * 2, calls: sum.calls + calls });
    }
  }

  function kill(index: number, keepsJournal: boolean): void {
    guards[index]!.die();
    running[index]!.clear();
    isStopSeen[index] = false;
    if (!keepsJournal) disks[index] = newDisk();
    const holder = keepsJournal ? guards[index]!.state().holder : `h${index}-${clock.now()}`;
    guards[index] = start(index, holder);
  }

  function tellGuards(): void {
    guards.forEach((one, index) => {
      const { holder } = one.state();
      const isStopped = book.isStopped(`a${index}`);
      if (isStopped) {
        one.dispatch({ type: 'stood', halt: { why: 'stopped', reason: 'by a test' } });
      } else if (isStopSeen[index] === true) one.dispatch({ type: 'stood' });
      isStopSeen[index] = isStopped;
      if (book.isOverrunOf(holder)) one.dispatch({ type: 'recalled', why: 'overrun' });
      else if (book.isWantedOf(holder)) one.dispatch({ type: 'recalled', why: 'wanted' });
    });
    clock.after(250, tellGuards);
  }

  function take(step: Step): void {
    switch (step.type) {
      case 'call':
        for (let time = 0; time < step.times; time += 1) {
          makeCall(step.guard, step.worst, step.ms);
        }
        return;
      case 'abort':
        for (const [leave, actual] of running[step.guard]!) {
          running[step.guard]!.delete(leave);
          bill(leave, actual, -1);
          leave.end(undefined);
          return;
        }
        return;
      case 'pass':
        clock.runUntil(clock.now() + step.ms);
        return;
      case 'kill':
        kill(step.guard, step.keepsJournal);
        return;
      case 'stepWall':
        guards[step.guard]!.stepWall(step.ms);
        return;
      case 'sleep':
        guards[step.guard]!.sleep(step.ms);
        return;
      case 'network':
        network.isDown = step.isDown;
        return;
      case 'stop':
        book.stop(`a${step.guard}`);
        return;
      case 'resume':
        book.resume(`a${step.guard}`);
        return;
      case 'limit':
        pool.limits = { cost: step.limit };
        for (const one of guards) one.dispatch({ type: 'limitsChanged' });
        return;
      case 'unleased':
        book.ingest({
          key: `direct-${clock.now()}-${dice.between(0, 1e9)}`,
          agent: 'a0',
          amounts: { cost: step.cost, tokens: step.cost * 2, calls: 1 },
        });
    }
  }

  /** The book counts, as spent or as leased, at least what the provider has billed. */
  function expectCounted(): void {
    for (const row of book.totals()) {
      const sum = billed.get(row.id);
      if (sum === undefined) continue;
      expect(sum.cost, row.id).toBeLessThanOrEqual(row.spent.cost + row.leased.cost);
      expect(sum.calls, row.id).toBeLessThanOrEqual(row.spent.calls + row.leased.calls);
    }
  }

  tellGuards();
  for (const step of steps) {
    take(step);
    expectCounted();
  }
  network.isDown = false;
  clock.runUntil(clock.now() + 60_000);
  return { book, billed, guards, clock };
}

test('L3. what leased guards are billed never passes a limit, whatever is lost, late or dies', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.oneof(...always), { maxLength: 80, size: 'max' }),
      (seed, steps) => {
        const { book, billed } = play(seed, steps);
        for (const row of book.totals()) {
          const sum = billed.get(row.id);
          if (sum === undefined) continue;
          expect(sum.cost).toBeLessThanOrEqual(row.budget.limits.cost ?? Number.MAX_SAFE_INTEGER);
          expect(sum.calls).toBeLessThanOrEqual(row.budget.limits.calls ?? Number.MAX_SAFE_INTEGER);
          expect(sum.tokens).toBeLessThanOrEqual(
            row.budget.limits.tokens ?? Number.MAX_SAFE_INTEGER,
          );
        }
      },
    ),
    { numRuns: Number(process.env['LEASE_RUNS'] ?? 80) },
  );
});

test('L2. with limits that move and spenders without a lease, grants add nothing to an overrun', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.oneof(...always, { arbitrary: spoiling, weight: 2 }), {
        maxLength: 80,
        size: 'max',
      }),
      (seed, steps) => {
        play(seed, steps);
      },
    ),
    { numRuns: Number(process.env['LEASE_RUNS'] ?? 60) },
  );
});

test('L4. guards that end give everything back, once all is stored', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.oneof({ arbitrary: call, weight: 5 }, { arbitrary: pass, weight: 1 }), {
        maxLength: 40,
        size: 'max',
      }),
      (seed, steps) => {
        const { book, guards, clock } = play(seed, steps);
        for (const one of guards) one.dispatch({ type: 'ended' });
        clock.runUntil(clock.now() + 60_000);
        expect(guards.map((one) => one.isDone())).toEqual([true, true, true]);
        const states = book.holding().map((lease) => lease.state);
        expect(states.filter((state) => state !== 'closed')).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});
