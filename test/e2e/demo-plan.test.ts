/** What the demo expects, before anything runs: a demo that expects the wrong sums proves nothing. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawKills } from '../../cli/demo/kills.js';
import { createPlan, type Plan } from '../../cli/demo/plan.js';
import { createRandom } from '../../cli/demo/random.js';
import { readTrace, type TraceCall } from '../../cli/demo/trace.js';
import { chooseZone } from '../../cli/demo/zone.js';
import { periodAt } from '../../domain/period.js';
import { createPricer } from '../../gateway/price.js';

const pricer = createPricer();
const NOW = Date.UTC(2026, 10, 21, 12);
const planOf = (trace: readonly TraceCall[], seed = 1, speed?: number): Plan =>
  createPlan({ trace, pricer, seed, now: NOW, ...(speed === undefined ? {} : { speed }) });

describe('reading a trace', () => {
  test('the published form and the extract of the same calls are the same trace', () => {
    const published =
      'TIMESTAMP,ContextTokens,GeneratedTokens\n' +
      '2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109';
    const extract = 'offset_ms,input_tokens,output_tokens\n0,374,44\n4315,396,109\n';
    expect(readTrace(published)).toEqual(readTrace(extract));
    expect(readTrace(extract)).toEqual([
      { offsetMs: 0, inputTokens: 374, outputTokens: 44 },
      { offsetMs: 4_315, inputTokens: 396, outputTokens: 109 },
    ]);
  });

  test('columns go by their names, rows by their times, whatever the line ends are', () => {
    const text =
      '\uFEFFGeneratedTokens,"TIMESTAMP",x,ContextTokens\r\n' +
      '2,2024-05-10 00:00:02.5+00:00,,20\r\n1,2024-05-10T00:00:01Z,,10\r\n\r\n';
    expect(readTrace(text)).toEqual([
      { offsetMs: 0, inputTokens: 10, outputTokens: 1 },
      { offsetMs: 1_500, inputTokens: 20, outputTokens: 2 },
    ]);
  });

  test.each([
    ['', /Line 1 of the trace: expected the columns TIMESTAMP/],
    ['time,in,out\n1,2,3', /Line 1/],
    ['offset_ms,input_tokens,output_tokens\n', /no calls/],
    ['offset_ms,input_tokens,output_tokens\n0,1,2\n5,-1,2', /Line 3 of the trace, input_tokens/],
    ['offset_ms,input_tokens,output_tokens\n0,1', /Line 2 of the trace, output_tokens/],
    ['offset_ms,input_tokens,output_tokens\n0,1.5,2', /got "1.5"/],
    ['TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,2', /TIMESTAMP: expected a time/],
    ['TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-45 00:00:00,1,2', /expected a time/],
  ])('%j is refused with its place', (text, message) => {
    expect(() => readTrace(text)).toThrow(message);
  });

  test('the extract that ships has every call of its source', () => {
    const file = new URL('../../examples/trace/azure-llm-conv-2023.csv', import.meta.url);
    const trace = readTrace(readFileSync(file, 'utf8'));
    expect(trace).toHaveLength(19_366);
    expect(trace.at(-1)?.offsetMs).toBe(3_501_722);
    expect(planOf(trace).total).toEqual({
      events: 19_366,
      cost: 96_791_325_000,
      tokens: 26_450_535,
    });
  });
});

const anyTrace = fc
  .array(
    fc.record({
      offsetMs: fc.nat(5_000_000),
      inputTokens: fc.nat(20_000),
      outputTokens: fc.nat(4_000),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((calls) => {
    const sorted = calls.toSorted((a, b) => a.offsetMs - b.offsetMs);
    const first = sorted[0]?.offsetMs ?? 0;
    return sorted.map((call) => ({ ...call, offsetMs: call.offsetMs - first }));
  });

describe('the plan of a play', () => {
  test('B1: every call is in one run and one sender, and the sums are those of the trace', () => {
    fc.assert(
      fc.property(anyTrace, fc.nat(), (trace, seed) => {
        const plan = planOf(trace, seed);
        const calls = plan.calls.flat();
        expect(new Set(calls.map((call) => call.idempotencyKey)).size).toBe(trace.length);
        for (const what of ['events', 'cost', 'tokens'] as const) {
          const ofRuns = plan.runs.reduce((sum, run) => sum + run[what], 0);
          expect(ofRuns).toBe(plan.total[what]);
        }
        const tokens = trace.reduce((sum, call) => sum + call.inputTokens + call.outputTokens, 0);
        expect(plan.total).toMatchObject({ events: trace.length, tokens });
        for (const own of plan.calls) {
          const times = own.map(({ atMs }) => atMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(Math.max(0, ...times)).toBeLessThanOrEqual(plan.playMs);
        }
      }),
    );
  });

  test('T2: a threshold is expected exactly where its share of the limit is reached', () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const { crossings, total, limits, runs, hungRun } = planOf(trace);
        const kill = crossings.some(({ channels }) => channels.includes('kill'));
        expect(kill).toBe(total.cost >= limits.cost);
        const over = crossings.filter(
          ({ dimension, bps }) => dimension === 'tokens_total' && bps === 10_000,
        );
        expect(over.map(({ run }) => run).toSorted()).toEqual(
          runs
            .filter(({ tokens }) => tokens >= limits.tokens)
            .map(({ id }) => id)
            .toSorted(),
        );
        const late = crossings.filter(({ dimension }) => dimension === 'duration');
        expect(late.map(({ run }) => run)).toContain(hungRun);
      }),
    );
  });

  test('the limit is 90 % of what the trace costs, and the same seed is the same plan', () => {
    const trace = Array.from({ length: 30 }, (_, n) => ({
      ...{ offsetMs: n * 1_000, inputTokens: 1_000, outputTokens: 100 },
    }));
    const plan = planOf(trace);
    expect(plan.limits.cost).toBe((plan.total.cost * 9) / 10);
    expect(planOf(trace)).toEqual(plan);
    expect(planOf(trace, 2)).not.toEqual(plan);
    expect(planOf(trace, 1, 2).playMs).toBe(14_500);
    const over = plan.crossings.filter(({ dimension }) => dimension === 'tokens_total');
    expect(new Set(over.map(({ run }) => run)).size).toBeLessThan(plan.runs.length);
  });

  test('kills come in order, inside the play, and again the same from the same seed', () => {
    const moments = drawKills(5, 10_000, createRandom(3));
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    expect(moments.every((at) => at >= 1_000 && at <= 9_000)).toBe(true);
    expect(drawKills(5, 10_000, createRandom(3))).toEqual(moments);
    expect(drawKills(0, 10_000, createRandom(3))).toEqual([]);
  });
});

test('B2: at no hour of the year is the day of the demo about to end', () => {
  const hours = 3 * 3_600_000;
  for (let at = NOW; at < NOW + 366 * 86_400_000; at += 3_500_000) {
    const zone = chooseZone(at, hours);
    expect(periodAt('daily', zone, at).endsAt - at).toBeGreaterThanOrEqual(hours);
  }
  expect(() => chooseZone(NOW, 30 * 3_600_000)).toThrow(/raise --speed/);
});
