/** How leases and the periods under them look to whoever decides, and to whoever asked. */
import { blockHolds } from '../domain/budget/hold.js';
import { sinceReset } from '../domain/budget/limits.js';
import {
  AMOUNTS,
  addAmounts,
  subtractAmounts,
  type AmountName,
  type Amounts,
} from '../domain/lease/amounts.js';
import type { BudgetRoom } from '../domain/lease/grant.js';
import type { GrantedLease, LeaseBudget } from '../domain/lease/lease.js';
import type { Dimension } from '../domain/words.js';
import type { HeldPeriod, LeaseRow, PeriodBook } from './lease-rows.js';
import { durationOf, totalsOf } from './period-row.js';

export const DIMENSION_OF: Readonly<Record<AmountName, Dimension>> = {
  cost: 'cost',
  tokens: 'tokens_total',
  calls: 'calls',
};

/** A period whose `block` limits hold an agent, and those of them that leases know. */
export interface Limiting {
  readonly book: PeriodBook;
  readonly limits: Partial<Readonly<Record<AmountName, number>>>;
}

/** B9, C2. None: calls of this agent need no leave from it. */
export function limitingOf(book: PeriodBook, agent: string): readonly Limiting[] {
  const limits = Object.fromEntries(
    AMOUNTS.flatMap((name) => {
      const limit = book.row.limits.limits.find(
        (each) => each.dimension === DIMENSION_OF[name] && blockHolds(each, agent),
      );
      return limit === undefined ? [] : [[name, limit.amount]];
    }),
  );
  return Object.keys(limits).length === 0 ? [] : [{ book, limits }];
}

/** B7, B9. A run that has lasted too long holds its agent, though nobody can lease time. */
export function isTooLong(row: HeldPeriod, agent: string): boolean {
  return row.limits.limits.some(
    (limit) =>
      limit.dimension === 'duration' && blockHolds(limit, agent) && durationOf(row) >= limit.amount,
  );
}

/** `isCounted`: the asker is one of its live holders already. */
export function roomOf({ book, limits }: Limiting, isCounted: boolean): BudgetRoom {
  const spent = spentIn(book.row);
  return {
    ...{ periodId: book.row.id, limits, leased: book.leased },
    spent: { cost: spent.cost, tokens: spent.tokens_total, calls: spent.calls },
    holders: book.holders + (isCounted ? 0 : 1),
  };
}

/** Without a limit of its own a period was killed under that of its kill. */
export function budgetView(
  { row, leased }: PeriodBook,
  dimension: Dimension,
  killedUnder = 0,
): LeaseBudget {
  const limit = row.limits.limits.find((each) => each.dimension === dimension);
  const name = AMOUNTS.find((each) => DIMENSION_OF[each] === dimension);
  return {
    periodId: row.id,
    scope: row.scope === 'org' ? 'org' : 'agent',
    cadence: row.cadence,
    dimension,
    limit: limit?.amount ?? killedUnder,
    spent: spentIn(row)[dimension],
    leased: name === undefined ? 0 : leased[name],
    ...(row.ends_at === null ? {} : { resetsAt: row.ends_at }),
  };
}

function spentIn(row: HeldPeriod): Readonly<Record<Dimension, number>> {
  return sinceReset(row.limits, totalsOf(row));
}

export function grantedLease(
  lease: LeaseRow,
  limiting: readonly Limiting[],
  now: number,
): GrantedLease {
  return {
    id: lease.id,
    granted: grantedOf(lease),
    expiresInMs: Math.max(lease.expires_at - now, 0),
    validInMs: Math.max(lease.starts_at - now, 0),
    ...(lease.ends_at === null ? {} : { endsInMs: Math.max(lease.ends_at - now, 0) }),
    budgets: limiting.flatMap(({ book, limits }) =>
      AMOUNTS.filter((name) => limits[name] !== undefined).map((name) =>
        budgetView(book, DIMENSION_OF[name]),
      ),
    ),
  };
}

export function grantedOf(lease: LeaseRow): Amounts {
  return { cost: lease.granted_cost, tokens: lease.granted_tokens, calls: lease.granted_calls };
}

export function settledOf(lease: LeaseRow): Amounts {
  return { cost: lease.settled_cost, tokens: lease.settled_tokens, calls: lease.settled_calls };
}

/** LE-4. What of it stays counted. */
export function remainderOf(lease: LeaseRow): Amounts {
  if (lease.state === 'closed' || lease.state === 'released') {
    return { cost: 0, tokens: 0, calls: 0 };
  }
  return subtractAmounts(grantedOf(lease), settledOf(lease));
}

export function withGranted(lease: LeaseRow, { cost, tokens, calls }: Amounts): LeaseRow {
  return { ...lease, granted_cost: cost, granted_tokens: tokens, granted_calls: calls };
}

/** LE-5, as lease-sql.ts says it to the database. */
export function meets(lease: LeaseRow, row: HeldPeriod): boolean {
  if (row.cadence === 'run') return lease.run === row.period;
  return lease.starts_at < (row.ends_at ?? Infinity) && (lease.ends_at ?? Infinity) > row.starts_at;
}

/** Keeps the sums right for whoever is answered next in the same transaction. */
export function recount(
  limiting: readonly Limiting[],
  before: LeaseRow | undefined,
  after: LeaseRow,
): void {
  for (const { book } of limiting) {
    if (before !== undefined && meets(before, book.row)) {
      book.leased = subtractAmounts(book.leased, remainderOf(before));
    }
    if (meets(after, book.row)) book.leased = addAmounts(book.leased, remainderOf(after));
  }
}
