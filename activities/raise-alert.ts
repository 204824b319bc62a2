/**
 * Starts an alert's workflow. Its id is the deduplication: one that was started before is started,
 * so a repeat is harmless.
 */
import type { AlertInput } from '../domain/alert/state.js';
import type { ActivityDependencies } from './index.js';

/**
 * What the period leaves to the alert's first attempts, ms: its next task and its publish would
 * run at the same moment on the same machine, and people are told before the row (M-5).
 */
const HEAD_START_MS = 100;

export function createRaiseAlert({
  startAlert,
  pause,
}: Pick<ActivityDependencies, 'startAlert' | 'pause'>): (input: AlertInput) => Promise<void> {
  return async (input) => {
    await startAlert(input);
    await pause(HEAD_START_MS);
  };
}
