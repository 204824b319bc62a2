/**
 * Whether a call has room in every budget that holds calls back, by the rule of the ledger's
 * leases (domain/lease/grant.ts), and why not in the words of the port.
 * RO-1. L2. In each of them: spent + reserved <= limit, as far as calls keep to their worst case.
 */
import { formatAmount } from '../../domain/amount.js';
import type { Killed } from '../../domain/budget/state.js';
import type { Spent } from '../../domain/budget/thresholds.js';
import type { AmountName, Amounts } from '../../domain/lease/amounts.js';
import { NOTHING } from '../../domain/lease/amounts.js';
import { decideGrant, type BudgetRoom, type Grant } from '../../domain/lease/grant.js';
import type { Dimension } from '../../domain/words.js';
import type { Refusal } from '../admission.js';
import type { KeptPeriod } from './kept-budget.js';

export type Room =
  | { readonly type: 'room' }
  /** Calls under way hold what may come back. */
  | { readonly type: 'later'; readonly refusal: Refusal }
  | { readonly type: 'never'; readonly refusal: Refusal };

const DIMENSION_OF = {
  cost: 'cost',
  tokens: 'tokens_total',
  calls: 'calls',
} as const satisfies Record<AmountName, Dimension>;

export function roomFor(agent: string, periods: readonly KeptPeriod[], worst: Amounts): Room {
  const grant = decide(periods, worst, (period) => period.reserved());
  if (grant.type === 'granted') return { type: 'room' };
  // What is spent stays spent: only what calls under way do not use may come back.
  const atBest = decide(periods, worst, () => NOTHING);
  const refused = atBest.type === 'refused' ? atBest : grant;
  const period = periods[Number(refused.periodId)];
  if (period === undefined) throw new Error(`There is no budget ${refused.periodId}.`);
  const refusal = refusedFor(agent, period, DIMENSION_OF[refused.dimension]);
  return { type: atBest.type === 'refused' ? 'never' : 'later', refusal };
}

/** K1. What holds every call: the first of the budgets that are killed. */
export function killOf(agent: string, periods: readonly KeptPeriod[]): Refusal | undefined {
  for (const period of periods) {
    const { killed } = period.state();
    if (killed !== undefined) return killedFor(agent, period, killed);
  }
  return undefined;
}

function decide(
  periods: readonly KeptPeriod[],
  worst: Amounts,
  leased: (period: KeptPeriod) => Amounts,
): Grant {
  const rooms = periods.map((period, index): BudgetRoom => ({
    periodId: String(index),
    limits: blockedBy(period),
    spent: amountsOf(period.spent()),
    leased: leased(period),
    holders: 1,
  }));
  return decideGrant(rooms, { need: worst, want: worst, granted: NOTHING, settled: NOTHING });
}

/** B9. */
function blockedBy({ plan }: KeptPeriod): BudgetRoom['limits'] {
  const limit = (name: AmountName): Partial<Record<AmountName, number>> => {
    const found = plan.limits.limits.find(({ dimension }) => dimension === DIMENSION_OF[name]);
    return found?.enforcement === 'block' ? { [name]: found.amount } : {};
  };
  return { ...limit('cost'), ...limit('tokens'), ...limit('calls') };
}

function amountsOf({ cost, tokens_total: tokens, calls }: Spent): Amounts {
  return { cost, tokens, calls };
}

function refusedFor(agent: string, period: KeptPeriod, dimension: Dimension): Refusal {
  const { scope, cadence } = period.plan;
  const budget = budgetOf(period, dimension);
  const [spent, limit] = [budget.spent, budget.limit].map((each) => formatAmount(dimension, each));
  const said = `${agent} has no room for the call in ${whose(scope)} ${cadence} budget`;
  return {
    ...{ why: 'budget', reason: wordOf(period, dimension), budget },
    detail: `${said}: ${spent ?? ''} of ${limit ?? ''} are spent, as far as this process knows.`,
  };
}

function killedFor(agent: string, period: KeptPeriod, { dimension, bps }: Killed): Refusal {
  const { scope, cadence } = period.plan;
  const share = `${String(bps / 100)} %`;
  return {
    ...{ why: 'killed', reason: wordOf(period, dimension), budget: budgetOf(period, dimension) },
    detail: `${agent} has passed ${share} of ${whose(scope)} ${cadence} budget, where its kill is.`,
  };
}

/** In the words of `onKill`. */
function wordOf({ plan }: KeptPeriod, dimension: Dimension): string {
  if (plan.scope === 'org') return 'org_budget_exceeded';
  return dimension === 'tokens_total' ? 'tokens' : dimension;
}

function whose(scope: 'agent' | 'org'): string {
  return scope === 'org' ? "this process's part of the shared" : 'its';
}

function budgetOf(period: KeptPeriod, dimension: Dimension): NonNullable<Refusal['budget']> {
  const { plan, window } = period;
  const limit = plan.limits.limits.find((each) => each.dimension === dimension)?.amount ?? 0;
  return {
    ...{ dimension, cadence: plan.cadence, spent: period.spent()[dimension], limit },
    ...(window.endsAt === undefined ? {} : { resetsAt: window.endsAt }),
  };
}
