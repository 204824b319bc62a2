/** Whatever fails before a request has left: it costs no attempt, and says nothing of the cause. */
import { ApplicationFailure } from '@temporalio/activity';
import { NOTHING_SENT } from '../domain/alert/outcome.js';

export async function beforeSending<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The cause stays out of the history: a database's error may quote what it was given.
    const name = error instanceof Error ? error.name : 'error';
    throw ApplicationFailure.nonRetryable(
      `the ledger did not take the attempt (${name}); nothing was sent`,
      NOTHING_SENT,
    );
  }
}
