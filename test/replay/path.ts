/** What a path is, and what every kind of it uses. */
import { ApplicationFailure } from '@temporalio/common';
import type { Stage } from './stage.js';

/** A workflow whose history is kept. */
export interface Kept {
  readonly name: string;
  readonly workflowId: string;
  readonly runId?: string;
}
export type Path = (stage: Stage) => Promise<readonly Kept[]>;

/** A ledger that is away; without a stack, which would name this machine's folders. */
export function away(): never {
  const failure = ApplicationFailure.nonRetryable('the ledger is away', 'Away');
  failure.stack = '';
  throw failure;
}
