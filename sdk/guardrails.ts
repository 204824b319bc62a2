/**
 * The limits of one run, kept in the process. Pure.
 * GR-1. A limit that was reached by what was spent ends the run: its stop stands for good.
 * GR-2. Calls in flight count with their reservations: together they start no more than fits.
 *       A call that is refused only for what others reserved ends nothing.
 * GR-3. A call that was never billed leaves no trace but the start of the run's clock.
 */
import { remembered, repeatedPattern, type CallPattern } from './loops.js';

/** What is absent is not limited. */
export interface GuardrailLimits {
  readonly maxTokens?: number;
  readonly maxCalls?: number;
  readonly maxRuntimeMs?: number;
  /** Repetitions that are a loop; absent: nobody looks for loops. */
  readonly loopThreshold?: number;
}

export type GuardrailStop =
  | { readonly type: 'tokens'; readonly spent: number; readonly limit: number }
  | { readonly type: 'calls'; readonly calls: number; readonly limit: number }
  | { readonly type: 'duration'; readonly elapsedMs: number; readonly limitMs: number }
  | { readonly type: 'loop'; readonly pattern: readonly CallPattern[]; readonly count: number };

export interface RunState {
  readonly calls: number;
  readonly tokens: number;
  readonly callsInFlight: number;
  readonly tokensReserved: number;
  /** Of the first call, on the caller's clock, ms. */
  readonly startedAt?: number;
  readonly recent: readonly CallPattern[];
  /** GR-1. */
  readonly stop?: GuardrailStop;
}

export const NEW_RUN: RunState = {
  ...{ calls: 0, tokens: 0, callsInFlight: 0, tokensReserved: 0, recent: [] },
};

export interface Entered {
  readonly run: RunState;
  /** Absent: the call may go on, and `tokens` are reserved. */
  readonly refused?: GuardrailStop;
}

/** Before a call of at most `tokens`, at `now` on a clock that only goes forward, ms. */
export function enterRun(
  run: RunState,
  limits: GuardrailLimits,
  tokens: number,
  now: number,
): Entered {
  const started = { ...run, startedAt: run.startedAt ?? now };
  const stop = run.stop ?? spentStop(started, limits, now) ?? callStop(started, limits);
  if (stop !== undefined) return { run: { ...started, stop }, refused: stop };
  const { maxCalls, maxTokens } = limits;
  const { calls, callsInFlight, tokensReserved } = started;
  if (maxCalls !== undefined && calls + callsInFlight >= maxCalls) {
    return {
      run: started,
      refused: { type: 'calls', calls: calls + callsInFlight, limit: maxCalls },
    };
  }
  if (maxTokens !== undefined && started.tokens + tokensReserved >= maxTokens) {
    const spent = Math.min(started.tokens + tokensReserved, Number.MAX_SAFE_INTEGER);
    return { run: started, refused: { type: 'tokens', spent, limit: maxTokens } };
  }
  return {
    run: { ...started, callsInFlight: callsInFlight + 1, tokensReserved: tokensReserved + tokens },
  };
}

/** The call was not billed. */
export function leaveRun(run: RunState, reserved: number): RunState {
  return {
    ...run,
    callsInFlight: run.callsInFlight - 1,
    tokensReserved: run.tokensReserved - reserved,
  };
}

export interface SpentCall {
  readonly reserved: number;
  readonly tokens: number;
  /** Absent: the call did not tell what it was (an error). */
  readonly pattern?: CallPattern;
  readonly now: number;
}

/** The call was billed: what it came to counts, and may be what ends the run. */
export function settleRun(run: RunState, limits: GuardrailLimits, call: SpentCall): RunState {
  return countCall(leaveRun(run, call.reserved), limits, call);
}

/** The same for a call that nobody asked leave for. */
export function countCall(
  run: RunState,
  limits: GuardrailLimits,
  { tokens, pattern, now }: Omit<SpentCall, 'reserved'>,
): RunState {
  const { loopThreshold } = limits;
  const recent =
    loopThreshold === undefined || pattern === undefined
      ? run.recent
      : remembered(run.recent, pattern, loopThreshold);
  const counted = {
    ...run,
    recent,
    calls: run.calls + 1,
    tokens: Math.min(run.tokens + tokens, Number.MAX_SAFE_INTEGER),
  };
  const loop = pattern === undefined ? undefined : loopStop(recent, loopThreshold);
  const stop = run.stop ?? loop ?? spentStop(counted, limits, now);
  return stop === undefined ? counted : { ...counted, stop };
}

/** The stop that stands, with the figures of now. */
export function currentStop(run: RunState, now: number): GuardrailStop | undefined {
  const { stop } = run;
  if (stop?.type === 'tokens') return { ...stop, spent: run.tokens };
  if (stop?.type === 'calls') return { ...stop, calls: run.calls };
  if (stop?.type === 'duration') return { ...stop, elapsedMs: now - (run.startedAt ?? now) };
  return stop;
}

function callStop({ calls }: RunState, { maxCalls }: GuardrailLimits): GuardrailStop | undefined {
  if (maxCalls === undefined || calls < maxCalls) return undefined;
  return { type: 'calls', calls, limit: maxCalls };
}

function spentStop(
  { tokens, startedAt }: RunState,
  { maxTokens, maxRuntimeMs }: GuardrailLimits,
  now: number,
): GuardrailStop | undefined {
  if (maxTokens !== undefined && tokens >= maxTokens) {
    return { type: 'tokens', spent: tokens, limit: maxTokens };
  }
  const elapsedMs = now - (startedAt ?? now);
  if (maxRuntimeMs !== undefined && elapsedMs >= maxRuntimeMs) {
    return { type: 'duration', elapsedMs, limitMs: maxRuntimeMs };
  }
  return undefined;
}

function loopStop(
  recent: readonly CallPattern[],
  threshold: number | undefined,
): GuardrailStop | undefined {
  const pattern = threshold === undefined ? undefined : repeatedPattern(recent, threshold);
  if (threshold === undefined || pattern === undefined) return undefined;
  return { type: 'loop', pattern, count: threshold };
}
