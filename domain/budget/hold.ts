/** Whom a killed or blocked period keeps from going on (K1, B9, C2). */
import type { Limit, Limits } from './limits.js';
import type { PeriodWindow } from './period-key.js';
import type { Killed } from './state.js';

/** Whether a killed or blocked period keeps this agent from going on now; not after its end (T7). */
export function holdsAgent(
  hold: {
    readonly killed?: Killed;
    readonly blocked: boolean;
    readonly limits: Limits;
    readonly window: PeriodWindow;
  },
  agent: string,
  now: number,
): boolean {
  const { endsAt } = hold.window;
  if (endsAt !== undefined && endsAt <= now) return false;
  if (hold.killed !== undefined && killHolds(hold.killed, agent)) return true;
  return hold.blocked && hold.limits.limits.some((limit) => blockHolds(limit, agent));
}

/** K1. A synced organisation's kill stops only those that synced it (C2). */
export function killHolds({ agents }: Pick<Killed, 'agents'>, agent: string): boolean {
  return agents === undefined || agents.includes(agent);
}

/**
 * B9. A block that came with a synced kill stops only whoever synced it; any other, and an
 * operator's (C2), stops everyone.
 */
export function blockHolds(limit: Limit, agent: string): boolean {
  if (limit.enforcement !== 'block') return false;
  if (limit.origin?.blocksAll === true) return true;
  const kills = limit.thresholds
    .flatMap((threshold) => threshold.routes)
    .filter((route) => route.channel === 'kill');
  return kills.length === 0 || kills.some((kill) => killHolds(kill, agent));
}
