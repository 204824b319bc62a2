/** Tells an activity that failed or timed out, which is an event, from a bug, which is not. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { NOTHING_SENT } from '../domain/alert/outcome.js';

/** Runs `work`; an activity's failure becomes what `onFailure` makes of it. */
export async function orElse<T>(
  work: Promise<T>,
  onFailure: (failure: ActivityFailure) => T,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ActivityFailure) return onFailure(error);
    throw error;
  }
}

/** The activity itself said so: it stopped before anything left the house. */
export function isNothingSent(failure: ActivityFailure): boolean {
  const { cause } = failure;
  return cause instanceof ApplicationFailure && cause.type === NOTHING_SENT;
}

/** A time-out before a worker took the task: nothing was sent either. */
export function neverStarted(failure: ActivityFailure): boolean {
  const { cause } = failure;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}
