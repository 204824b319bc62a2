/** What leases mean for a budget, in words (L3, L4). */
import { formatAmount } from '../domain/amount.js';
import { AMOUNTS, type Amounts } from '../domain/lease/amounts.js';
import type { Dimension } from '../domain/words.js';
import type { BudgetStatusView } from '../gateway/views.js';
import type { Output } from './output.js';

const NAMES = { cost: 'cost', tokens_total: 'tokens', calls: 'calls' } as const;
const DIMENSION_OF = { cost: 'cost', tokens: 'tokens_total', calls: 'calls' } as const;

/** Whether leases were ever granted in it. */
export function hasLeases({ guarded }: Pick<BudgetStatusView, 'guarded'>): boolean {
  return guarded !== 'none';
}

/** Durations are not leased. */
export function leasedText({ leased }: BudgetStatusView, dimension: Dimension): string {
  return dimension === 'duration' ? '' : formatAmount(dimension, leased[NAMES[dimension]]);
}

/** `3`, `3, mixed`, `2, vanished` */
export function guardsText(output: Output, budget: BudgetStatusView): string {
  const { holders, vanished, guarded } = budget;
  if (!hasLeases(budget)) return '';
  return [
    String(holders),
    ...(guarded === 'mixed' ? ['mixed'] : []),
    ...(isSome(vanished) ? [output.paint('warning', 'vanished')] : []),
  ].join(', ');
}

/** `3 guards; some usage came without a lease; $1.20, 40 tokens of guards that have vanished` */
export function leasesText(output: Output, budget: BudgetStatusView): string {
  const { holders, vanished, guarded } = budget;
  return [
    holders === 1 ? '1 guard' : `${String(holders)} guards`,
    ...(guarded === 'mixed'
      ? ['usage came without leases, too: the limit may be passed by what is in flight']
      : []),
    ...(isSome(vanished)
      ? [output.paint('warning', `${amountsText(vanished)} is held by guards that have vanished`)]
      : []),
  ].join('; ');
}

/** `$1.20, 40 tokens, 3 calls`; what is nothing is left out. */
export function amountsText(amounts: Amounts): string {
  const parts = AMOUNTS.filter((name) => amounts[name] > 0).map((name) =>
    formatAmount(DIMENSION_OF[name], amounts[name]),
  );
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function isSome(amounts: Amounts): boolean {
  return AMOUNTS.some((name) => amounts[name] > 0);
}
