/** What holds an agent back right now (K1, K2, B9): told before its first call. */
import type { Killed } from '../domain/budget/state.js';
import { periodRowId } from '../domain/ids.js';
import type { Cadence, Dimension } from '../domain/words.js';
import type { BudgetView, Stop } from '../ledger/ledger.js';
import type { Gateway } from './options.js';
import { agentScope, type ScopeCache } from './scopes.js';
import { holdsAgent, type RefusalReason } from './verdict.js';

/** In the words of the SDK's wire; times are ISO 8601. */
export interface Standing {
  readonly stopped?: {
    readonly reason: RefusalReason;
    readonly at: string;
    readonly by: string;
    readonly why: string;
  };
  readonly killed?: {
    readonly reason: RefusalReason;
    readonly period_id: string;
    readonly cadence: Cadence;
    /** What killed it; absent where a `block` limit holds without a kill (B9). */
    readonly dimension?: Dimension;
    readonly threshold?: number;
    readonly at?: string;
    readonly resets_at?: string;
  };
}

/** Asks the ledger: the stops, and the rows of the periods the agent would spend in now. */
export async function standingOf(
  gateway: Pick<Gateway, 'ledger'>,
  cache: ScopeCache,
  org: string,
  agent: string,
  now: number,
): Promise<Standing> {
  const [stops, held] = await Promise.all([
    gateway.ledger.stopped(org),
    heldBy(gateway, cache, org, agent, now),
  ]);
  const stop = stops.find((each) => each.agent === agent);
  return {
    ...(stop === undefined ? {} : { stopped: stoppedWord(stop) }),
    ...(held === undefined ? {} : { killed: killedWord(heldPeriodOf(held)) }),
  };
}

/** A killed or blocked period that the agent would spend in now. */
export async function heldBy(
  { ledger }: Pick<Gateway, 'ledger'>,
  cache: ScopeCache,
  org: string,
  agent: string,
  now: number,
): Promise<BudgetView | undefined> {
  const scopes = await cache.load(org, ['org', agentScope(agent)]);
  const ids = [...scopes.values()].flatMap((scope) =>
    scope.cadences.map((cadence) => periodRowId(scope.slotAt(cadence, now).seed.key)),
  );
  const found = await Promise.all(ids.map((id) => ledger.budgets({ org, id, now, limit: 1 })));
  return found.flat().find((budget) => holdsAgent(budget, agent, now));
}

function heldPeriodOf({ id, key, window, killed }: BudgetView): HeldPeriod {
  return { id, cadence: key.cadence, endsAt: window.endsAt, killed };
}

export function stoppedWord(stop: Stop): NonNullable<Standing['stopped']> {
  return { reason: 'tier_agent_limit', at: isoTime(stop.at), by: stop.by, why: stop.reason };
}

/** A period that is killed, or that a `block` limit holds. */
export interface HeldPeriod {
  readonly id: string;
  readonly cadence: Cadence;
  readonly endsAt?: number | undefined;
  readonly killed?: Killed | undefined;
}

export function killedWord(held: HeldPeriod): NonNullable<Standing['killed']> {
  const { id, cadence, endsAt, killed } = held;
  return {
    reason: 'org_budget_exceeded',
    period_id: id,
    cadence,
    ...(killed === undefined
      ? {}
      : {
          dimension: killed.dimension,
          threshold: killed.bps / 10_000,
          at: isoTime(killed.at),
        }),
    ...(endsAt === undefined ? {} : { resets_at: isoTime(endsAt) }),
  };
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
