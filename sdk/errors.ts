/**
 * What a guard throws, with the names and attributes of the Python SDK 2.1 in camelCase. Money is
 * USD, durations are seconds, as its users know them.
 */
import type { Fault } from './faults.js';

/** Options that cannot work; every fault of one construction is in `faults`. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError';
  readonly faults: readonly Fault[];

  constructor(subject: string, faults: readonly Fault[]) {
    const lines = faults.map(
      ({ path, expected, given }) => `${path}: expected ${expected}, got ${given}`,
    );
    super(
      lines.length === 1
        ? `${subject} cannot be used: ${lines.join('')}.`
        : `${subject} cannot be used:\n${lines.map((line) => `- ${line}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/** All that is known of the budget that refused. */
export interface ExceededBudget {
  /** USD for cost, else integers of the dimension. */
  readonly spent?: number;
  readonly limit?: number;
  /** `daily`, `monthly`, `total`, … */
  readonly period?: string;
  readonly budgetType?: 'cost' | 'tokens_total' | 'calls' | 'duration';
  readonly resetsAt?: Date;
  /** In the words of `onKill`: `cost`, `tokens`, `calls`, … */
  readonly reason?: string;
}

/** A budget has no room for the call, or was killed (K1). The provider was not asked. */
export class BudgetExceededError extends Error {
  override readonly name: string = 'BudgetExceededError';
  readonly spent: number | undefined;
  readonly limit: number | undefined;
  readonly period: string | undefined;
  readonly budgetType: ExceededBudget['budgetType'];
  readonly resetsAt: Date | undefined;
  readonly reason: string | undefined;

  constructor(message: string, budget: ExceededBudget = {}) {
    super(message);
    this.spent = budget.spent;
    this.limit = budget.limit;
    this.period = budget.period;
    this.budgetType = budget.budgetType;
    this.resetsAt = budget.resetsAt;
    this.reason = budget.reason;
  }
}

/** A person stopped the agent (K2), or the service takes no usage of it. */
export class IngestRejectedError extends BudgetExceededError {
  override readonly name = 'IngestRejectedError';
}

/** L6. The service cannot be reached and nothing is granted ahead. */
export class UnreachableError extends BudgetExceededError {
  override readonly name = 'UnreachableError';
}

/** B6. A `block` budget holds, and nobody can say what the call costs at most. */
export class UnboundedCallError extends BudgetExceededError {
  override readonly name = 'UnboundedCallError';
}

/** A limit of this run was passed. */
export class GuardrailError extends Error {
  override readonly name: string = 'GuardrailError';
}

export class TokenLimitError extends GuardrailError {
  override readonly name = 'TokenLimitError';
  constructor(
    message: string,
    readonly spent: number,
    readonly limit: number,
  ) {
    super(message);
  }
}

export class CallLimitError extends GuardrailError {
  override readonly name = 'CallLimitError';
  constructor(
    message: string,
    readonly callCount: number,
    readonly limit: number,
  ) {
    super(message);
  }
}

export class RuntimeLimitError extends GuardrailError {
  override readonly name = 'RuntimeLimitError';
  /** `elapsed` and `limit` in seconds. */
  constructor(
    message: string,
    readonly elapsed: number,
    readonly limit: number,
  ) {
    super(message);
  }
}

export class LoopDetectedError extends GuardrailError {
  override readonly name = 'LoopDetectedError';
  constructor(
    message: string,
    readonly pattern: readonly (readonly [model: string, tool: string | undefined])[],
    readonly count: number,
  ) {
    super(message);
  }
}
