/** Why there is no leave -> the error that its caller catches. */
import type { Refusal } from './admission.js';
import {
  BudgetExceededError,
  CallLimitError,
  IngestRejectedError,
  LoopDetectedError,
  RuntimeLimitError,
  TokenLimitError,
  UnboundedCallError,
  UnreachableError,
  type ExceededBudget,
  type GuardrailError,
} from './errors.js';
import type { GuardrailStop } from './guardrails.js';

const NANOS_PER_USD = 1e9;

/** Nano-USD -> USD, for people: never compared or summed. */
export function usdOf(nanos: number): number {
  return nanos / NANOS_PER_USD;
}

/** `unbounded`: why the call has no bound, where it has none. */
export function errorOfRefusal(
  agent: string,
  refusal: Refusal,
  unbounded?: string,
): BudgetExceededError {
  const { why, reason, detail } = refusal;
  const budget = exceededBudget(refusal);
  switch (why) {
    case 'rejected':
      return new IngestRejectedError(`Agent ${agent} is not let on (${reason}): ${detail}`, budget);
    case 'stopped':
      return new IngestRejectedError(
        `Agent ${agent} is stopped (${reason}): ${detail} Calls go on once somebody resumes it.`,
        budget,
      );
    case 'unreachable': {
      // Also where too many calls wait already: that no option helps.
      const way = reason === 'unreachable' ? " Give whenUnreachable: 'open' to go on then." : '';
      return new UnreachableError(`Agent ${agent} may not call now: ${detail}${way}`, budget);
    }
    case 'unpriced':
      return unboundedError(agent, unbounded ?? detail, budget);
    case 'budget':
      if (unbounded !== undefined) return unboundedError(agent, unbounded, budget);
      return new BudgetExceededError(`Agent ${agent} is out of budget: ${detail}`, budget);
    case 'killed':
      return new BudgetExceededError(`Agent ${agent} was killed (${reason}): ${detail}`, budget);
  }
}

function unboundedError(agent: string, why: string, budget: ExceededBudget): UnboundedCallError {
  return new UnboundedCallError(
    `Agent ${agent} may not make a call without a bound while a budget blocks: ${why}. ` +
      'Or give the most a call can come to, callBound: { usd, tokens }.',
    budget,
  );
}

function exceededBudget({ reason, budget }: Refusal): ExceededBudget {
  if (budget === undefined) return { reason };
  const { dimension, cadence, spent, limit, resetsAt } = budget;
  const amount = (value: number): number => (dimension === 'cost' ? usdOf(value) : value);
  return {
    reason,
    spent: amount(spent),
    limit: amount(limit),
    period: cadence,
    budgetType: dimension,
    ...(resetsAt === undefined ? {} : { resetsAt: new Date(resetsAt) }),
  };
}

/** Seconds for people, tokens and calls as they are. */
export function errorOfStop(agent: string, stop: GuardrailStop): GuardrailError {
  switch (stop.type) {
    case 'tokens': {
      const { spent, limit } = stop;
      const message = `This run of ${agent} has used or reserved ${String(spent)} of ${String(limit)} tokens.`;
      return new TokenLimitError(message, spent, limit);
    }
    case 'calls': {
      const { calls, limit } = stop;
      const message = `This run of ${agent} has made or begun ${String(calls)} of ${String(limit)} calls.`;
      return new CallLimitError(message, calls, limit);
    }
    case 'duration': {
      const [elapsed, limit] = [stop.elapsedMs / 1_000, stop.limitMs / 1_000];
      const message = `This run of ${agent} has lasted ${elapsed.toFixed(1)} of ${String(limit)} seconds.`;
      return new RuntimeLimitError(message, elapsed, limit);
    }
    case 'loop': {
      const { pattern, count } = stop;
      const calls = pattern.map(([model, tool]) =>
        tool === undefined ? model : `${model} → ${tool}`,
      );
      const message = `This run of ${agent} has made the same calls ${String(count)} times in a row: ${calls.join(', ')}.`;
      return new LoopDetectedError(message, pattern, count);
    }
  }
}
