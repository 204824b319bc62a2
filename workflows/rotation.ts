/**
 * When a life has been long enough (architecture.md §4): early and cheap, because a replay costs
 * what the history holds, and the server's own advice knows nothing of the signal cap.
 */
import { workflowInfo } from '@temporalio/workflow';
import type { Policy } from '../domain/alert/policy.js';

export function createRotation(policy: Policy): {
  countSignal: () => void;
  wanted: () => boolean;
} {
  let signals = 0;
  return {
    countSignal: () => {
      signals += 1;
    },
    // `workflowInfo()` is replaced, not mutated: it is asked anew each time.
    wanted: () => {
      const info = workflowInfo();
      return (
        info.continueAsNewSuggested ||
        info.historyLength > policy.rotateAfterEvents ||
        signals >= policy.rotateAfterSignals
      );
    },
  };
}
