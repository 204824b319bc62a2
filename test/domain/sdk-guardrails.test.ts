/** GR-1 to GR-3: the limits of a run, as pure states. */
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countCall,
  currentStop,
  enterRun,
  leaveRun,
  NEW_RUN,
  settleRun,
  type RunState,
} from '../../sdk/guardrails.js';
import { remembered, repeatedPattern, type CallPattern } from '../../sdk/loops.js';

describe('a run', () => {
  test('GR-1. what was spent ends it for good, with the figures of now', () => {
    const limits = { maxTokens: 10, maxRuntimeMs: 100 };
    let { run } = enterRun(NEW_RUN, limits, 5, 1_000);
    run = settleRun(run, limits, { reserved: 5, tokens: 12, now: 1_010 });
    expect(run.stop).toEqual({ type: 'tokens', spent: 12, limit: 10 });
    run = countCall(run, limits, { tokens: 3, now: 2_000 });
    expect(enterRun(run, limits, 0, 5_000).refused?.type).toBe('tokens');
    expect(currentStop(run, 5_000)).toEqual({ type: 'tokens', spent: 15, limit: 10 });
  });

  test('GR-2. what is only reserved refuses, and ends nothing', () => {
    const limits = { maxTokens: 10 };
    const first = enterRun(NEW_RUN, limits, 10, 0);
    const second = enterRun(first.run, limits, 10, 0);
    expect(second.refused).toEqual({ type: 'tokens', spent: 10, limit: 10 });
    expect(second.run.stop).toBeUndefined();
    expect(enterRun(leaveRun(second.run, 10), limits, 10, 0).refused).toBeUndefined();
  });

  test('its runtime counts from the first call, and its end ends it', () => {
    const limits = { maxRuntimeMs: 100 };
    const { run } = enterRun(NEW_RUN, limits, 0, 1_000);
    expect(enterRun(run, limits, 0, 1_099).refused).toBeUndefined();
    expect(enterRun(run, limits, 0, 1_100).run.stop).toEqual({
      ...{ type: 'duration', elapsedMs: 100, limitMs: 100 },
    });
  });

  test('GR-2, GR-3. in whatever order calls come and go, no more run than the limit', () => {
    const steps = array(
      record({
        what: constantFrom('enter', 'leave', 'settle'),
        tokens: integer({ min: 0, max: 9 }),
      }),
    );
    assert(
      property(steps, integer({ min: 1, max: 6 }), (plan, maxCalls) => {
        let run: RunState = NEW_RUN;
        const open: number[] = [];
        for (const { what, tokens } of plan) {
          if (what === 'enter') {
            const entered = enterRun(run, { maxCalls }, tokens, 0);
            run = entered.run;
            if (entered.refused === undefined) open.push(tokens);
          } else {
            const reserved = open.pop();
            if (reserved === undefined) continue;
            run =
              what === 'leave'
                ? leaveRun(run, reserved)
                : settleRun(run, { maxCalls }, { reserved, tokens, now: 0 });
          }
          expect(run.calls + run.callsInFlight).toBeLessThanOrEqual(maxCalls);
          expect(run.callsInFlight).toBe(open.length);
          expect(run.tokensReserved).toBe(open.reduce((sum, each) => sum + each, 0));
          expect(run.stop === undefined || run.calls >= maxCalls).toBe(true);
        }
      }),
    );
  });
});

describe('a loop', () => {
  const call = (name: string): CallPattern => ['m', name];
  const calls = (names: string): CallPattern[] => Array.from(names, call);

  test.each([
    ['ababab', 3, 'ab'],
    ['xababab', 3, 'ab'],
    ['abcabc', 2, 'abc'],
    ['abcdeabcde', 2, 'abcde'],
    ['aaaaaa', 3, 'aa'],
    ['ababa', 3, undefined],
    ['aaaaa', 3, undefined],
    ['abababx', 3, undefined],
    ['abcdefabcdef', 2, undefined],
  ])('%s, %i times: %s', (names, threshold, pattern) => {
    expect(repeatedPattern(calls(names), threshold)).toEqual(pattern && calls(pattern));
  });

  test('is the same with a memory of what is needed for the longest', () => {
    const letters = array(constantFrom('a', 'b', 'c'), { maxLength: 60 });
    assert(
      property(letters, integer({ min: 2, max: 4 }), (names, threshold) => {
        const all = names.map(call);
        let recent: readonly CallPattern[] = [];
        for (const each of all) recent = remembered(recent, each, threshold);
        expect(recent.length).toBeLessThanOrEqual(5 * threshold);
        expect(repeatedPattern(recent, threshold)).toEqual(repeatedPattern(all, threshold));
      }),
    );
  });
});
