/** P3: what the digests' machine does with whatever comes, in whatever order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { digestMachine } from '../../domain/digest/reduce.js';
import {
  beginDigest,
  type DigestEffect,
  type DigestEvent,
  type DigestState,
} from '../../domain/digest/state.js';

const REF = { org: 'acme', recipient: 'ana', cadence: 'hourly' } as const;
const POLICY = { ...DEFAULT_POLICY, ladderMs: [10, 20], retryMs: 5 };
const DIGEST = { id: 'd1', total: 3 };
const T0 = 1_000;

/** Runs events one after the other; answers the last state and the effects of each. */
function run(events: readonly (DigestEvent | [at: number, event: DigestEvent])[]) {
  let state: DigestState = beginDigest(REF, POLICY);
  const effects: (readonly DigestEffect[])[] = [];
  for (const each of events) {
    const [at, event] = Array.isArray(each) ? each : [T0, each];
    const [next, out] = digestMachine.reduce(state, event, at);
    state = next;
    effects.push(out);
  }
  return { state, effects, last: effects.at(-1)?.map(({ type }) => type) ?? [] };
}

const sending: DigestEvent[] = [
  { type: 'began' },
  { type: 'planned', dueAt: T0 },
  { type: 'ticked' },
  { type: 'claimed', digest: DIGEST },
];
const failed = (attempt: number): DigestEvent => ({
  ...{ type: 'sent', attempt },
  outcome: { kind: 'transient', reason: 'HTTP 503' },
});

describe('a digest', () => {
  test('begins by asking when it is due, and waits for that', () => {
    const { state, effects } = run([{ type: 'began' }, { type: 'planned', dueAt: 5_000 }]);
    expect(effects[0]).toEqual([{ type: 'plan', ref: REF }]);
    expect(digestMachine.dueAt(state)).toBe(5_000);
  });

  test('ends where nothing waits, but not when it was woken while it asked', () => {
    expect(digestMachine.isSettled(run([{ type: 'began' }, { type: 'planned' }]).state)).toBe(true);
    const { state, last } = run([{ type: 'began' }, { type: 'woken' }, { type: 'planned' }]);
    expect(digestMachine.isSettled(state)).toBe(false);
    expect(last).toEqual(['plan']);
  });

  test('sends nothing before its hour, nor when nothing waits any more', () => {
    expect(
      run([{ type: 'began' }, { type: 'planned', dueAt: T0 + 1 }, { type: 'ticked' }]).last,
    ).toEqual([]);
    expect(run([...sending.slice(0, 3), { type: 'claimed' }]).last).toEqual(['plan']);
  });

  test('A3: climbs the ladder under the same digest, and is ended when it is over', () => {
    const { state, effects } = run([
      ...sending,
      failed(1),
      [T0 + 10, { type: 'ticked' }],
      [T0 + 10, failed(2)],
      [T0 + 30, { type: 'ticked' }],
      [T0 + 30, failed(3)],
    ]);
    const sent = effects.flat().filter((each) => each.type === 'send');
    expect(sent.map(({ attempt, isLast, digest }) => [attempt, isLast, digest.id])).toEqual([
      [1, false, 'd1'],
      [2, false, 'd1'],
      [3, true, 'd1'],
    ]);
    expect(effects.at(-1)).toMatchObject([{ type: 'end', end: { result: 'failed' } }]);
    expect(state.phase).toBe('ending');
  });

  test('Retry-After stretches the wait', () => {
    const outcome = { kind: 'throttled', reason: 'HTTP 429', retryAfterMs: 500 } as const;
    const { state } = run([...sending, { type: 'sent', attempt: 1, outcome }]);
    expect(state.dueAt).toBe(T0 + 500);
  });

  test('that is not to be sent is ended with the reason', () => {
    const { effects } = run([...sending, { type: 'suppressed', attempt: 1, reason: 'preference' }]);
    expect(effects.at(-1)).toMatchObject([
      { type: 'end', end: { result: 'suppressed', reason: 'preference' } },
    ]);
  });

  test('that cannot be written as ended is written again, and nothing is claimed before', () => {
    const accepted = { kind: 'accepted', reason: 'ok' } as const;
    const done: DigestEvent = { type: 'sent', attempt: 1, outcome: accepted };
    const { effects, last } = run([
      ...[...sending, done, { type: 'failed' } as const],
      [T0 + 5, { type: 'ticked' }],
      [T0 + 6, { type: 'written' }],
    ]);
    expect(effects.flat().filter(({ type }) => type === 'end')).toHaveLength(2);
    expect(last).toEqual(['plan']);
  });

  const event: fc.Arbitrary<DigestEvent> = fc.oneof(
    fc.constantFrom<DigestEvent>(
      ...([
        { type: 'woken' },
        { type: 'planned' },
        { type: 'claimed' },
        { type: 'written' },
      ] as const),
      ...([{ type: 'failed' }, { type: 'ticked' }, { type: 'claimed', digest: DIGEST }] as const),
    ),
    fc.nat(60).map((dueAt): DigestEvent => ({ type: 'planned', dueAt: T0 + dueAt })),
    fc.nat(4).map((attempt): DigestEvent => ({ type: 'attemptLost', attempt })),
    fc.nat(4).map(failed),
    fc.nat(4).map((attempt): DigestEvent => ({
      ...{ type: 'sent', attempt },
      outcome: { kind: 'accepted', reason: 'ok' },
    })),
  );

  test('P3: whatever comes, one thing is under way at a time, and rotation changes nothing', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = digestMachine.reduce(beginDigest(REF, POLICY), { type: 'began' }, T0)[0];
        let now = T0;
        for (const each of events) {
          now += 7;
          const carried = JSON.parse(JSON.stringify(state)) as DigestState;
          const [next, effects] = digestMachine.reduce(state, each, now);
          expect(digestMachine.reduce(carried, each, now)).toEqual([next, effects]);
          expect(effects.length).toBeLessThanOrEqual(1);
          // Work that is under way has no timer beside it.
          if (effects.length === 1) expect(next.dueAt).toBeUndefined();
          expect(next.attempts.length).toBeLessThanOrEqual(POLICY.ladderMs.length + 2);
          state = next;
        }
      }),
      { numRuns: 500 },
    );
  });
});
