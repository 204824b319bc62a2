/**
 * How many decisions (tasks of workflows) are begun at once. They share one thread, so more of
 * them finish no sooner, and those begun together have to end within a task's time.
 * DS-1. What comes by the common queue may have to replay its whole history: after a restart all
 *       of them do, and forty at once on a busy machine all took too long, were all given again,
 *       and never ended. So few of these at a time.
 * DS-2. What comes by this worker's own (sticky) queue goes on from memory and waits mostly for
 *       the server: few of those at a time would leave the machine idle while crossings queue.
 */
import type { CustomSlotSupplier, SlotPermit, WorkflowSlotInfo } from '@temporalio/worker';

export interface DecisionSlots {
  /** Of the common queue: a new workflow, or one to be replayed. */
  readonly common: number;
  readonly sticky: number;
}

/** A permit knows which pool it goes back to. */
interface Permit extends SlotPermit {
  readonly pool: Pool;
}

interface Pool {
  free: number;
  readonly waiting: Set<(permit: Permit) => void>;
}

/** Two pools of slots behind the worker's one. */
export function createDecisionSlots(sizes: DecisionSlots): CustomSlotSupplier<WorkflowSlotInfo> {
  const common: Pool = { free: sizes.common, waiting: new Set() };
  const sticky: Pool = { free: sizes.sticky, waiting: new Set() };
  const poolOf = ({ isSticky }: { readonly isSticky: boolean }): Pool =>
    isSticky ? sticky : common;

  const tryTake = (pool: Pool): Permit | null => {
    if (pool.free === 0) return null;
    pool.free -= 1;
    return { pool };
  };
  return {
    type: 'custom',
    tryReserveSlot: (context) => tryTake(poolOf(context)),
    reserveSlot: (context, abortSignal) => {
      const pool = poolOf(context);
      const permit = tryTake(pool);
      if (permit !== null) return Promise.resolve(permit);
      return new Promise((resolve, reject) => {
        const give = (given: Permit): void => {
          abortSignal.removeEventListener('abort', giveUp);
          resolve(given);
        };
        const giveUp = (): void => {
          pool.waiting.delete(give);
          // Another reason than the signal's own is taken for a fault, and logged.
          reject(abortSignal.reason as Error);
        };
        pool.waiting.add(give);
        abortSignal.addEventListener('abort', giveUp, { once: true });
      });
    },
    markSlotUsed: () => undefined,
    releaseSlot: ({ permit }) => {
      const { pool } = permit as Permit;
      const [next] = pool.waiting;
      if (next === undefined) {
        pool.free += 1;
        return;
      }
      pool.waiting.delete(next);
      next({ pool });
    },
  };
}
