/**
 * What the demo is going to post and what must come of it, computed before the first post from
 * nothing but the trace, the price and the seed.
 * PL-1. Every number it expects is summed up here on its own, never asked of what is being shown.
 */
import type { Call, Pricer } from '../../gateway/price.js';
import { formatMoney, NANOS_PER_USD } from '../../domain/money.js';
import { expectCrossings, type ExpectedCrossing } from './expectation.js';
import { createRandom, type Random } from './random.js';
import type { TraceCall } from './trace.js';

/** One model for all calls: the trace does not say which one answered. */
export const MODEL = { provider: 'openai', model: 'gpt-4o' } as const;
export const SENDERS = 3;

/** Shares of a sender's calls that go to its runs, one after the other, in a drawn order. */
const RUN_SHARES = [0.5, 0.3, 0.2];
/** Of the mean of all runs: a run with half of its sender's calls passes it, one with a fifth does not. */
const RUN_TOKENS_RATIO = 1.1;
const DAILY_PERCENT = 90n;
const DEFAULT_PLAY_MS = 25_000;
/** A hung run is stopped well inside the play, also inside one of no length. */
const RUN_TIME_RATIO = 0.6;
const RUN_TIME_BOUNDS_MS = [8_000, 20_000] as const;
/** USD in a float is exact to the nano up to here. */
const MAX_COST = 1_000_000 * NANOS_PER_USD;

export interface PlannedCall {
  /** Stable over every repeat of its post (B5). */
  readonly idempotencyKey: string;
  /** Milliseconds after the play's start. */
  readonly atMs: number;
  readonly run: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Nano-USD. */
  readonly cost: number;
}

export interface Sums {
  readonly events: number;
  /** Nano-USD. */
  readonly cost: number;
  readonly tokens: number;
}

export interface PlannedRun extends Sums {
  readonly id: string;
  /** Last call minus first call (B7). */
  readonly durationMs: number;
}

export interface Plan {
  readonly agent: string;
  /** How many times faster than the trace it plays. */
  readonly speed: number;
  readonly playMs: number;
  /** One list a sender, in the order of time. */
  readonly calls: readonly (readonly PlannedCall[])[];
  readonly runs: readonly PlannedRun[];
  /** Says that it started, and then nothing but heartbeats. */
  readonly hungRun: string;
  readonly total: Sums;
  /** Nano-USD a day, tokens a run, milliseconds a run. */
  readonly limits: { readonly cost: number; readonly tokens: number; readonly durationMs: number };
  readonly crossings: readonly ExpectedCrossing[];
}

export interface PlanOptions {
  readonly trace: readonly TraceCall[];
  readonly pricer: Pricer;
  readonly seed: number;
  /** Default: what makes the play take 25 s, and never slower than the trace. */
  readonly speed?: number;
  /** Epoch ms: some prices depend on it. */
  readonly now: number;
}

/** Throws where the trace cannot be priced, or costs more than a float tells to the nano. */
export function createPlan({ trace, pricer, seed, speed, now }: PlanOptions): Plan {
  const agent = 'conversation-service';
  const spanMs = trace.at(-1)?.offsetMs ?? 0;
  const factor = speed ?? Math.max(1, spanMs / DEFAULT_PLAY_MS);
  const random = createRandom(seed);
  const calls = Array.from({ length: SENDERS }, (_, sender) => {
    const own = trace.filter((_call, index) => index % SENDERS === sender);
    const runOf = divideIntoRuns(own.length, random);
    return own.map((call, index): PlannedCall => {
      const { inputTokens, outputTokens } = call;
      return {
        idempotencyKey: `demo-${String(seed)}-${String(sender)}-${String(index)}`,
        atMs: Math.floor(call.offsetMs / factor),
        run: `run-${String(sender + 1)}${'abc'.charAt(runOf(index))}`,
        inputTokens,
        outputTokens,
        cost: priceOf(pricer, { inputTokens, outputTokens, at: now }),
      };
    });
  });
  const total = sumUp(calls.flat());
  const runs = sumUpRuns(calls.flat());
  const playMs = Math.floor(spanMs / factor);
  const limits = {
    // At least 1: a limit of nothing is no limit, and a trace of empty calls never reaches 1.
    cost: Math.max(1, Number((BigInt(total.cost) * DAILY_PERCENT) / 100n)),
    tokens: Math.max(1, Math.floor((total.tokens / runs.length) * RUN_TOKENS_RATIO)),
    durationMs: clamp(Math.floor(playMs * RUN_TIME_RATIO), RUN_TIME_BOUNDS_MS),
  };
  const hungRun = 'run-hung';
  const crossings = expectCrossings({ total, runs, hungRun, limits });
  return { agent, speed: factor, playMs, calls, runs, hungRun, total, limits, crossings };
}

function priceOf(pricer: Pricer, call: Pick<Call, 'inputTokens' | 'outputTokens' | 'at'>): number {
  const price = pricer.price({ ...MODEL, ...call, costReported: 0 });
  if (!price.unpriced) return price.costUsed;
  const tokens = `${String(call.inputTokens)} and ${String(call.outputTokens)} tokens`;
  throw new Error(`${pricer.version} has no price for ${tokens} of ${MODEL.model}`);
}

/** Answers which run (0, 1, 2) a sender's nth call belongs to. */
function divideIntoRuns(count: number, random: Random): (index: number) => number {
  const drawn = RUN_SHARES.map((share) => ({ share, order: random() }));
  const shares = drawn.sort((a, b) => a.order - b.order).map(({ share }) => share);
  const firstEnd = Math.ceil(count * (shares[0] ?? 0));
  const secondEnd = firstEnd + Math.ceil(count * (shares[1] ?? 0));
  return (index) => (index < firstEnd ? 0 : index < secondEnd ? 1 : 2);
}

function sumUp(calls: readonly PlannedCall[]): Sums {
  const sums = { events: calls.length, cost: 0, tokens: 0 };
  for (const call of calls) {
    sums.cost += call.cost;
    sums.tokens += call.inputTokens + call.outputTokens;
  }
  if (sums.cost > MAX_COST) {
    throw new Error(
      `The trace costs ${formatMoney(sums.cost)}: the demo plays at most ${formatMoney(MAX_COST)}`,
    );
  }
  return sums;
}

function sumUpRuns(calls: readonly PlannedCall[]): PlannedRun[] {
  const byRun = new Map<string, PlannedCall[]>();
  for (const call of calls) {
    const own = byRun.get(call.run);
    if (own === undefined) byRun.set(call.run, [call]);
    else own.push(call);
  }
  return [...byRun].map(([id, own]) => {
    // A sender's calls are in the order of time, and a run has one sender.
    const durationMs = (own.at(-1)?.atMs ?? 0) - (own[0]?.atMs ?? 0);
    return { id, ...sumUp(own), durationMs };
  });
}

function clamp(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(Math.max(value, low), high);
}
