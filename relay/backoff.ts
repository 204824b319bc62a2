/**
 * When a row that could not be delivered is tried again, and when it is given up.
 * An outage is not the row's fault: it neither parks a row nor makes it wait out a long backoff
 * when everything is back.
 */
import type { ClientFailure } from '../client/failure.js';

export interface Verdict {
  readonly backoffMs: number;
  readonly park: boolean;
}

const FIRST_MS = 1_000;
const LAST_MS = 60_000;
const LAST_OUTAGE_MS = 5_000;
const PARK_AFTER = 20;
const MAX_REMEMBERED = 10_000;

/** `tries`: how often it failed before. Ms. */
export function backoffAfter(tries: number): number {
  return Math.min(FIRST_MS * 2 ** Math.min(tries, 16), LAST_MS);
}

export interface Refusals {
  /** `tries`: how often the row failed before. */
  judge(rowId: string, failure: ClientFailure, tries: number): Verdict;
  forgive(rowId: string): void;
}

/** Counts each row's refusals in a row; a restart of the relay only makes parking take longer. */
export function createRefusals(): Refusals {
  const refused = new Map<string, number>();
  return {
    judge: (rowId, { kind }, tries) => {
      const backoffMs = backoffAfter(tries);
      switch (kind) {
        case 'unavailable':
          return { backoffMs: Math.min(backoffMs, LAST_OUTAGE_MS), park: false };
        case 'throttled':
          return { backoffMs, park: false };
        case 'permanent': {
          const count = (refused.get(rowId) ?? 0) + 1;
          if (refused.size >= MAX_REMEMBERED) refused.clear();
          if (count >= PARK_AFTER) refused.delete(rowId);
          else refused.set(rowId, count);
          return { backoffMs, park: count >= PARK_AFTER };
        }
        default:
          return kind satisfies never;
      }
    },
    forgive: (rowId) => {
      refused.delete(rowId);
    },
  };
}
