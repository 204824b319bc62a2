/**
 * Many callers at the edge of one budget: every one makes call after call until it is refused.
 * Answers what was really billed, what was left, and what it cost in requests.
 */
import type { Amounts } from '../../domain/lease/amounts.js';
import { HOLDER_POLICY, type HolderPolicy } from '../../domain/lease/policy.js';
import { createDice } from './dice.js';
import { createLeaseBook } from './lease-book.js';
import { createLeaseGuard, newDisk, type GuardWorld, type LeaseGuard } from './lease-guard.js';
import { createVirtualClock } from './virtual-clock.js';

/** Nano-USD of the worst case of a call. */
const WORST = 100_000_000;

export interface EdgePlan {
  readonly seed: number;
  readonly holders: number;
  readonly callersEach: number;
  /** The budget, in worst cases. */
  readonly worstCases: number;
  /** A caller stops after so many; absent: when it is refused. */
  readonly callsEach?: number;
  /** How many times a holder dies, each at a random moment. */
  readonly kills?: number;
  readonly policy?: Partial<HolderPolicy>;
}

export interface EdgeResult {
  readonly calls: number;
  readonly refused: number;
  /** Worst cases, as the provider billed them. */
  readonly over: number;
  /** Basis points of the budget. */
  readonly unspentBps: number;
  /**
   * Of it: what calls under way when their process died were billed below their worst case. Nobody
   * who lives knows it, so it stays counted (L4).
   */
  readonly unknownBps: number;
  readonly per1000: number;
  readonly longestQueue: number;
  readonly seconds: number;
}

export function playEdge(plan: EdgePlan): EdgeResult {
  const dice = createDice(plan.seed);
  const clock = createVirtualClock(1_700_000_000_000);
  const began = clock.now();
  const limit = plan.worstCases * WORST;
  const book = createLeaseBook([{ name: 'pool', limits: { cost: limit } }], () => clock.now());
  const network = { least: 1, most: 30, lost: 0.01, doubled: 0.01, isDown: false };
  const world: GuardWorld = { clock, dice, book, network, fsyncMs: 3, flushMs: 500, requests: 0 };
  const policy = { ...HOLDER_POLICY, ...plan.policy };
  let billed = 0;
  let unknown = 0;
  let calls = 0;
  let refused = 0;
  let running = 0;
  let longestQueue = 0;

  /** Ends when it is refused for good, or with its process. */
  function runCaller(guard: LeaseGuard, left: number): void {
    if (left === 0 || !guard.isAlive()) {
      running -= 1;
      return;
    }
    const worst: Amounts = { cost: WORST, tokens: 4_000, calls: 1 };
    guard.call(worst, (leave) => {
      if (typeof leave === 'string') {
        refused += 1;
        running -= 1;
        return;
      }
      calls += 1;
      const cost = Math.round((WORST * dice.between(20, 100)) / 100);
      clock.after(dice.between(500, 3_500), () => {
        billed += cost;
        if (!guard.isAlive()) unknown += WORST - cost;
        leave.end({ cost, tokens: 2_000, calls: 1 });
        runCaller(guard, left - 1);
      });
    });
    longestQueue = Math.max(longestQueue, guard.state().waiting.length);
  }

  function startCallers(guard: LeaseGuard): void {
    for (let caller = 0; caller < plan.callersEach; caller += 1) {
      running += 1;
      clock.after(dice.between(0, 2_000), () => {
        runCaller(guard, plan.callsEach ?? Number.POSITIVE_INFINITY);
      });
    }
  }

  const disks = Array.from({ length: plan.holders }, newDisk);
  const guards = disks.map((disk, index) =>
    createLeaseGuard(world, { holder: `h${index}`, agent: `a${index}`, policy, disk }),
  );
  guards.forEach(startCallers);
  for (let kill = 0; kill < (plan.kills ?? 0); kill += 1) {
    clock.after(dice.between(1_000, 170_000), () => {
      const index = dice.between(0, plan.holders - 1);
      if (!guards[index]!.isAlive()) return;
      guards[index]!.die();
      running += 1;
      clock.after(dice.between(500, 5_000), () => {
        running -= 1;
        const guard = createLeaseGuard(world, {
          holder: `h${index}`,
          agent: `a${index}`,
          policy,
          disk: disks[index]!,
        });
        guards[index] = guard;
        startCallers(guard);
      });
    });
  }

  // The live channel: polled, and told to those who hold something.
  const poll = (): void => {
    guards.forEach((guard, index) => {
      if (book.isWantedOf(`h${index}`)) guard.dispatch({ type: 'recalled', why: 'wanted' });
    });
    clock.after(250, poll);
  };
  clock.after(250, poll);

  for (let at = began; running > 0; at += 1_000) {
    clock.runUntil(at);
    if (at - began > 3_600_000) throw new Error('the callers never end');
  }
  return {
    calls,
    refused,
    over: Math.max(billed - limit, 0) / WORST,
    unspentBps: ((limit - billed) * 10_000) / limit,
    unknownBps: (unknown * 10_000) / limit,
    per1000: (world.requests * 1_000) / calls,
    longestQueue,
    seconds: (clock.now() - began) / 1_000,
  };
}
