/**
 * Which periods an ask for a lease is about: those its calls count in (B3), its run's included.
 * A lease is needed where a `block` limit of what leases speak about holds the agent (B9, C2).
 */
import { blockHolds } from '../domain/budget/hold.js';
import type { Scope } from '../domain/budget/period-key.js';
import type { LeaseAsk } from '../domain/lease/lease.js';
import type { Dimension } from '../domain/words.js';
import type { PeriodSeed } from '../ledger/ledger.js';
import { agentScope, type ScopeSlot } from './scopes.js';

export interface AskPlace {
  readonly seeds: readonly PeriodSeed[];
  readonly isLimited: boolean;
}

/** Durations are not leased. */
const LEASED: ReadonlySet<Dimension> = new Set(['cost', 'tokens_total', 'calls']);

/**
 * L5. With `startsNext` the periods of the instant at which one that limits the agent ends, where
 * that is at most `aheadMs` away; else those of now: the next one may just have begun.
 */
export function placeAsk(
  { agent, run, startsNext }: LeaseAsk,
  scopes: ReadonlyMap<Scope, ScopeSlot>,
  now: number,
  aheadMs: number,
): AskPlace {
  const seedsAt = (at: number): PeriodSeed[] =>
    [...scopes.values()].flatMap((scope) =>
      scope.cadences.map((cadence) => scope.slotAt(cadence, at).seed),
    );
  const isLimiting = ({ limits }: PeriodSeed): boolean =>
    limits.limits.some((limit) => LEASED.has(limit.dimension) && blockHolds(limit, agent));
  const today = seedsAt(now);
  const ends = today.filter(isLimiting).flatMap(({ window }) => window.endsAt ?? []);
  const nextAt = Math.min(...ends);
  const isAhead = startsNext === true && nextAt - now <= aheadMs;
  const calendar = isAhead ? seedsAt(nextAt) : today;
  const own = scopes.get(agentScope(agent));
  const seeds = [
    ...calendar,
    ...(run === undefined || own === undefined ? [] : [own.runSeed(run, now)]),
  ].filter(({ limits }) => limits.limits.length > 0);
  return { seeds, isLimited: seeds.some(isLimiting) };
}
