/** The guard's machine, step by step: what it answers to each word (L1, L4 to L6, K1, K2, K4). */
import { describe, expect, test } from 'vitest';
import type { Amounts } from '../../../domain/lease/amounts.js';
import type { HolderEffect, HolderEvent } from '../../../domain/lease/events.js';
import {
  recoverHolder,
  reduceHolder,
  settleCall,
  tryReserve,
  type HolderState,
} from '../../../domain/lease/holder.js';
import type { LeaseAnswer } from '../../../domain/lease/lease.js';
import { HOLDER_POLICY, type HolderPolicy } from '../../../domain/lease/policy.js';

const ONE: Amounts = { cost: 100, tokens: 10, calls: 1 };
const LIMIT = 100_000;

function budget(spent = 0) {
  return {
    periodId: 'p1',
    scope: 'agent',
    cadence: 'daily',
    dimension: 'cost',
    limit: LIMIT,
    spent,
    leased: 0,
  } as const;
}

function granted(id: string, cost: number, change: object = {}, wanted = false): LeaseAnswer {
  const lease = {
    id,
    granted: { cost, tokens: 80, calls: 8 },
    expiresInMs: 30_000,
    validInMs: 0,
    budgets: [budget()],
    ...change,
  };
  return { type: 'granted', lease, wanted, now: 0 };
}

const exhausted = (othersHold: boolean): LeaseAnswer => ({
  type: 'refused',
  why: 'exhausted',
  budget: budget(LIMIT),
  othersHold,
  now: 0,
});

/** A driver whose disk is at once and whose service answers when the test says so. */
function start(change: Partial<HolderPolicy> = {}, before?: HolderState) {
  const policy = { ...HOLDER_POLICY, ...change };
  let state = before ?? recoverHolder({ holder: 'h', agent: 'a', policy }, undefined);
  let clock = { wall: 1_000_000, mono: 1_000 };
  const said: HolderEffect[] = [];
  const perform = (effects: readonly HolderEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'mark') dispatch({ type: 'marked', rev: effect.rev });
      else said.push(effect);
    }
  };
  const dispatch = (event: HolderEvent): void => {
    const [next, effects] = reduceHolder(state, event, clock);
    state = next;
    perform(effects);
  };
  return {
    dispatch,
    want: (id: number, worst = ONE) => {
      dispatch({ type: 'callWanted', id, worst });
    },
    answer: (answer: LeaseAnswer, n = state.n) => {
      dispatch({ type: 'answered', n, answer });
    },
    reserve: (worst = ONE) => {
      const reserved = tryReserve(state, worst, clock);
      if (reserved === undefined) return undefined;
      state = reserved.state;
      perform(reserved.effects);
      return reserved.lease;
    },
    settle: (lease: string, actual: Amounts | undefined, worst = ONE) => {
      const settled = settleCall(state, { lease, worst }, actual, clock);
      state = settled.state;
      perform(settled.effects);
      return settled.seq;
    },
    pass: (ms: number, wallMs = ms) => {
      clock = { wall: clock.wall + wallMs, mono: clock.mono + ms };
      dispatch({ type: 'ticked' });
    },
    said: () => said.splice(0),
    state: () => state,
  };
}

/** One that holds a lease of 8 calls, one of them under way. */
function holding(change: Partial<HolderPolicy> = {}, lease: object = {}) {
  const guard = start(change);
  guard.want(1);
  guard.said();
  guard.answer(granted('h/1', 800, lease));
  expect(guard.said()).toEqual([{ type: 'admit', id: 1, lease: 'h/1' }]);
  return guard;
}

describe('leave for a call', () => {
  test('is asked for with what the call needs and a few more', () => {
    const guard = start();
    guard.want(1);
    expect(guard.said()).toMatchObject([{ type: 'ask', ask: { n: 1, need: ONE } }]);
  });

  test('L1. is given up to what is granted, and no further', () => {
    const guard = holding();
    for (let call = 2; call <= 8; call += 1) expect(guard.reserve()).toBe('h/1');
    expect(guard.reserve()).toBeUndefined();
  });

  test('L4. waits for the mark, and no call passes one that is not on disk', () => {
    const policy = HOLDER_POLICY;
    const clock = { wall: 0, mono: 0 };
    let state = recoverHolder({ holder: 'h', agent: 'a', policy }, undefined);
    const hear = (event: HolderEvent) => {
      const [next, effects] = reduceHolder(state, event, clock);
      state = next;
      return effects;
    };
    expect(hear({ type: 'callWanted', id: 1, worst: ONE })).toMatchObject([
      { type: 'mark', rev: 1, record: { leases: [{ id: 'h/1' }] } },
    ]);
    expect(hear({ type: 'marked', rev: 1 })).toMatchObject([{ type: 'ask' }]);
    const marks = hear({ type: 'answered', n: 1, answer: granted('h/1', 800) });
    expect(marks).toMatchObject([{ type: 'mark', rev: 2 }]);
    expect(hear({ type: 'marked', rev: 2 })).toMatchObject([{ type: 'admit', id: 1 }]);
  });

  test('settles to the actual, which makes room, also above the reservation', () => {
    const guard = holding();
    expect(guard.settle('h/1', { cost: 750, tokens: 1, calls: 1 })).toBe(1);
    expect(guard.reserve()).toBeUndefined();
  });

  test('a call that was never made leaves no event and no trace', () => {
    const guard = holding();
    expect(guard.settle('h/1', undefined)).toBeUndefined();
    expect(guard.state().current).toMatchObject({ seq: 0, inFlight: 0, reserved: { cost: 0 } });
  });
});

describe('L5. time and repeats', () => {
  test.each([
    ['the monotonic clock', 30_000, 0],
    ['the wall clock', 0, 30_000],
  ])('a lease is over when %s says so', (_name, mono, wall) => {
    const guard = holding({ renewAheadMs: 0 });
    expect(guard.reserve()).toBe('h/1');
    guard.pass(mono, wall);
    expect(guard.reserve()).toBeUndefined();
  });

  test('expiry counts from the first sending, however late and repeated the answer is', () => {
    const guard = start({ renewAheadMs: 0, waitMs: 60_000, idleMs: 60_000 });
    guard.want(1);
    const [first] = guard.said();
    guard.pass(20_000);
    expect(guard.said()).toEqual([first]);
    guard.answer(granted('h/1', 800));
    guard.said();
    guard.pass(9_999);
    expect(guard.reserve()).toBe('h/1');
    guard.pass(1);
    expect(guard.reserve()).toBeUndefined();
  });

  test('an answer to another request, or one more, changes nothing', () => {
    const guard = holding();
    const before = guard.state();
    guard.answer(granted('h/1', 90_000), 1);
    guard.answer(granted('h/7', 90_000), 7);
    expect(guard.state().current).toEqual(before.current);
  });

  test('a failed request goes out again as it was', () => {
    const guard = start();
    guard.want(1);
    const [first] = guard.said();
    guard.dispatch({ type: 'requestFailed', n: 1 });
    guard.pass(HOLDER_POLICY.retryMs);
    expect(guard.said()).toEqual([first]);
  });

  test('the next lease is not used before its period, and the old one settles what it began', () => {
    const guard = holding({ idleMs: 60_000 }, { endsInMs: 15_000 });
    guard.pass(6_000);
    guard.reserve();
    const asked = guard.said().find((one) => one.type === 'ask');
    expect(asked).toMatchObject({ ask: { startsNext: true } });
    guard.answer(granted('h/2', 800, { validInMs: 9_000 }));
    guard.pass(8_999);
    expect(guard.reserve()).toBe('h/1');
    guard.pass(1);
    expect(guard.reserve()).toBe('h/2');
    expect(guard.settle('h/1', ONE)).toBe(1);
  });
});

describe('giving back', () => {
  test('what is free goes back after a while without calls, and no call starts in it', () => {
    const guard = holding();
    guard.pass(HOLDER_POLICY.idleMs);
    expect(guard.said()).toMatchObject([{ type: 'ask', ask: { lease: 'h/1', want: ONE } }]);
    expect(guard.reserve()).toBeUndefined();
  });

  test.each(['overrun', 'lowered', 'wanted'] as const)('at once when it is recalled: %s', (why) => {
    const guard = holding();
    guard.dispatch({ type: 'recalled', why });
    expect(guard.said()).toMatchObject([{ type: 'ask', ask: { lease: 'h/1', want: ONE } }]);
  });

  test('a lease is closed when its last call has ended and its events are stored', () => {
    const guard = holding();
    guard.dispatch({ type: 'ended' });
    expect(guard.settle('h/1', ONE)).toBe(1);
    expect(guard.said()).toEqual([]);
    guard.dispatch({ type: 'reported', lease: 'h/1', upTo: 1 });
    expect(guard.said()).toMatchObject([{ type: 'close', close: { end: { lastSeq: 1 } } }]);
  });
});

describe('refusals', () => {
  test('nothing left and nobody else holds any: at once', () => {
    const guard = start();
    guard.want(1);
    guard.said();
    guard.answer(exhausted(false));
    expect(guard.said()).toMatchObject([{ type: 'refuse', id: 1, refusal: { why: 'budget' } }]);
  });

  test('while others hold: asked again, and refused when it waited long enough', () => {
    const guard = start();
    guard.want(1);
    guard.said();
    guard.answer(exhausted(true));
    expect(guard.said()).toEqual([]);
    guard.pass(HOLDER_POLICY.retryMs);
    expect(guard.said()).toMatchObject([{ type: 'ask', ask: { n: 2 } }]);
    guard.answer(exhausted(true));
    guard.pass(HOLDER_POLICY.waitMs);
    expect(guard.said()).toContainEqual(
      expect.objectContaining({ type: 'refuse', id: 1 }) as HolderEffect,
    );
  });

  test('one more than may wait is told so', () => {
    const guard = start({ queueMax: 1 });
    guard.want(1);
    guard.said();
    guard.want(2);
    expect(guard.said()).toEqual([{ type: 'refuse', id: 2, refusal: { why: 'full' } }]);
  });

  test.each([
    ['closed', { type: 'refuse', id: 1, refusal: { why: 'unreachable' } }],
    ['open', { type: 'admit', id: 1 }],
  ] as const)('L6. nobody answers and the policy is %s', (unreachable, expected) => {
    const guard = start({ unreachable });
    guard.want(1);
    guard.said();
    guard.dispatch({ type: 'requestFailed', n: 1 });
    guard.pass(HOLDER_POLICY.waitMs);
    expect(guard.said()).toContainEqual(expected);
  });
});

describe('K1, K2, K4. halts', () => {
  test('who waits is refused, nothing starts, and the lease goes back', () => {
    const guard = holding();
    guard.dispatch({ type: 'stood', halt: { why: 'stopped', reason: 'by Ada' } });
    expect(guard.reserve()).toBeUndefined();
    guard.want(2);
    expect(guard.said()).toContainEqual({
      type: 'refuse',
      id: 2,
      refusal: { why: 'stopped', reason: 'by Ada' },
    });
    expect(guard.state().draining).toMatchObject([{ id: 'h/1', inFlight: 1 }]);
  });

  test('lifted, calls go on', () => {
    const guard = start();
    guard.dispatch({ type: 'stood', halt: { why: 'killed', reason: 'over' } });
    guard.dispatch({ type: 'stood' });
    guard.want(1);
    expect(guard.said()).toMatchObject([{ type: 'ask' }]);
  });

  test('a grant that was asked for before the halt lifts nothing', () => {
    const guard = start();
    guard.want(1);
    guard.dispatch({ type: 'stood', halt: { why: 'killed', reason: 'over' } });
    guard.answer(granted('h/1', 800), 1);
    expect(guard.reserve()).toBeUndefined();
    expect(guard.state().halt).toBeDefined();
  });
});

test('L4. a restarted guard closes its predecessor’s leases at their marks, under new numbers', () => {
  const input = { holder: 'h', agent: 'a', policy: HOLDER_POLICY };
  const record = { holder: 'h', agent: 'a', n: 107, leases: [{ id: 'h/3', mark: ONE }] };
  const guard = start({}, recoverHolder(input, record));
  guard.want(1);
  expect(guard.said()).toEqual([
    {
      type: 'close',
      close: { holder: 'h', n: 108, agent: 'a', lease: 'h/3', end: { mark: ONE } },
    },
  ]);
  guard.dispatch({ type: 'closeAnswered', n: 108, closed: { lease: 'h/3', state: 'abandoned' } });
  expect(guard.said()).toMatchObject([{ type: 'ask', ask: { n: 109 } }]);
});

test('an agent that nothing limits needs no lease until it is asked again', () => {
  const guard = start();
  guard.want(1);
  guard.said();
  guard.answer({ type: 'unlimited', renewInMs: 10_000, now: 0 });
  expect(guard.said()).toEqual([{ type: 'admit', id: 1 }]);
  guard.dispatch({ type: 'limitsChanged' });
  guard.want(2);
  expect(guard.said()).toMatchObject([{ type: 'ask' }]);
});
