/** What the read routes answer beyond the ledger's own views: spend per dimension and T8. */
import { burnOf, type Burn } from '../domain/budget/burn.js';
import { addSaturating } from '../domain/money.js';
import type { Dimension } from '../domain/words.js';
import { sinceReset, type LimitOrigin } from '../domain/budget/limits.js';
import type { BudgetView, Stop, UsageTotals } from '../ledger/ledger.js';

export interface LimitStatus extends Burn {
  readonly dimension: Dimension;
  /** In the dimension's unit: nano-USD, tokens, calls, ms. */
  readonly limit: number;
  /** What counts against the limit: since the last reset, where there was one (C1). */
  readonly spent: number;
  /** C1. Which layer the limit comes from, what of it is a raise, and until when. */
  readonly origin: LimitOrigin;
}

export interface BudgetStatusView extends BudgetView {
  /** All senders together, whatever was reset. */
  readonly spent: Readonly<Record<Dimension, number>>;
  readonly status: readonly LimitStatus[];
}

/** GET /v1/status. */
export interface StatusView {
  readonly now: number;
  readonly usage: UsageTotals;
  readonly stopped: readonly Stop[];
  /** Open periods, at most 500. */
  readonly budgets: readonly BudgetStatusView[];
  readonly relay: { readonly due: number; readonly oldestMs: number; readonly parked: number };
}

/** A budget with its spend added up, and the pace of each of its limits. */
export function budgetStatusView(budget: BudgetView, now: number): BudgetStatusView {
  const { own, direct, window, key } = budget;
  const cost = addSaturating(own.cost, direct.cost);
  const tokens = addSaturating(own.tokens, direct.tokens);
  const calls = addSaturating(own.calls, direct.calls);
  const spent = {
    ...{ cost: cost.value, tokens_total: tokens.value, calls: calls.value },
    duration: budget.durationMs,
  };
  const isSaturated = cost.saturated || tokens.saturated || calls.saturated;
  const counted = sinceReset(budget.limits, spent);
  const resetAt = budget.limits.base?.at ?? 0;
  const recent: Partial<Record<Dimension, number>> = {
    cost: budget.recentCost,
    tokens_total: budget.recentTokens,
  };
  const firstAt = Math.min(own.firstAt ?? now, direct.firstAt ?? now);
  const beganAt = key.cadence === 'total' || key.cadence === 'run' ? firstAt : window.startsAt;
  const status = budget.limits.limits.map(({ dimension, amount, origin = SYNCED }) => ({
    dimension,
    limit: amount,
    spent: counted[dimension],
    origin,
    ...burnOf({
      spent: counted[dimension],
      limit: amount,
      beganAt: Math.max(beganAt, resetAt),
      now,
      ...(recent[dimension] === undefined ? {} : { recent: recent[dimension] }),
      ...(window.endsAt === undefined ? {} : { endsAt: window.endsAt }),
    }),
  }));
  return { ...budget, ...(isSaturated ? { saturated: true as const } : {}), spent, status };
}

const SYNCED: LimitOrigin = { layer: 'synced' };
