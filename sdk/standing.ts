/**
 * Whether the agent may call at all: kills and Stops of the service, as this process knows them.
 * ST-1. `onKill` runs once per kill; one that was told as a refused call and again as a kill is one.
 * ST-2. What `onKill` throws is logged: it never hides the kill.
 * ST-3. K4. Once lifted, calls go on, and the next kill is told again.
 */
import type { Dimension } from '../domain/words.js';
import type { Refusal } from './admission.js';
import type { KillReason } from './kill-reason.js';
import type { Logger } from './options.js';

export interface Standing {
  /** What holds every call back. */
  held(): Refusal | undefined;
  /** The service told of a kill or a Stop. */
  hold(refusal: Refusal): void;
  lift(): void;
  /** One call was refused; it may be the first to hear of a kill. */
  heard(refusal: Refusal): void;
  /** Runs `onKill`, for a kill that this process decided itself. */
  kill(reason: KillReason): void;
}

export interface StandingOptions {
  readonly agentName: string;
  readonly onKill?: (reason: string) => unknown;
  readonly logger: Logger;
  /** Dimensions that the guard's own channels kill. */
  readonly kills: readonly Dimension[];
}

export function createStanding(options: StandingOptions): Standing {
  const { agentName, onKill, logger, kills } = options;
  const told = new Set<string>();
  let held: Refusal | undefined;

  function kill(reason: KillReason): void {
    logger.warn?.(`Agent ${agentName} was killed.`, { reason });
    const failed = (error: unknown): void => {
      logger.error?.(`onKill of agent ${agentName} failed.`, { error });
    };
    try {
      void Promise.resolve(onKill?.(reason)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  function tell(refusal: Refusal): void {
    const key = keyOf(refusal);
    if (told.has(key)) return;
    told.add(key);
    kill(refusal.reason);
  }

  return {
    kill,
    held: () => held,
    hold(refusal) {
      held = refusal;
      tell(refusal);
    },
    lift() {
      held = undefined;
      told.clear();
    },
    heard(refusal) {
      const { why, budget, reason } = refusal;
      if (why === 'killed' || why === 'stopped') tell(refusal);
      if (why === 'rejected' && reason !== 'closed') tell(refusal);
      // A budget that has no room left for calls may never come to its limit to the last nano-USD.
      if (why === 'budget' && budget !== undefined && kills.includes(budget.dimension)) {
        tell(refusal);
      }
    },
  };
}

/** One period of a budget at one limit is one kill. */
function keyOf({ why, reason, budget }: Refusal): string {
  if (budget === undefined) return `${why} ${reason}`;
  const { dimension, cadence, limit, resetsAt } = budget;
  return `budget ${dimension} ${cadence} ${String(limit)} ${String(resetsAt)}`;
}
