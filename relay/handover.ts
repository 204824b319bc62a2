/**
 * Rows that ingest claimed because they crossed: they go ahead of everything, taking turns over
 * organisations, so that one that crosses in a thousand runs delays no other's alert.
 * One that waited too long is dropped: its claim is about to run out, and it becomes due again.
 */
import type { ClaimedPeriod } from '../ledger/ledger.js';

export interface Handover {
  add(claims: readonly ClaimedPeriod[], now: number): void;
  /** The next one whose claim still holds. */
  next(now: number): ClaimedPeriod | undefined;
  size(): number;
  /** Claims that waited too long or found no room; the ledger hands them out again. */
  dropped(): number;
}

const MAX_WAITING = 2_000;

/** `keepMs`: how long a claim may wait here and still be worked on under its lease. */
export function createHandover(keepMs: number): Handover {
  const waiting = new Map<string, { claim: ClaimedPeriod; until: number }[]>();
  let size = 0;
  let dropped = 0;

  const next = (now: number): ClaimedPeriod | undefined => {
    for (;;) {
      const [turn] = waiting;
      if (turn === undefined) return undefined;
      const [org, queue] = turn;
      const head = queue.shift();
      // Whoever had a turn goes to the end of the round.
      waiting.delete(org);
      if (queue.length > 0) waiting.set(org, queue);
      if (head === undefined) continue;
      size -= 1;
      if (now <= head.until) return head.claim;
      dropped += 1;
    }
  };

  return {
    add: (claims, now) => {
      for (const claim of claims) {
        if (size >= MAX_WAITING) {
          dropped += 1;
          continue;
        }
        const { org } = claim.key;
        const queue = waiting.get(org) ?? [];
        waiting.set(org, queue);
        queue.push({ claim, until: now + keepMs });
        size += 1;
      }
    },
    next,
    size: () => size,
    dropped: () => dropped,
  };
}
