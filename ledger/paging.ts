/**
 * The last entry of a page: the next one begins after it. Each names all that its list is ordered
 * by, so that what is inserted meanwhile shifts nothing.
 */

/** Alerts: the latest first, then by id. */
export interface AlertPage {
  readonly raisedAt: number;
  readonly id: string;
}

/** Budgets: runs last, the latest first, then by id. */
export interface BudgetPage {
  readonly isRun: boolean;
  readonly startsAt: number;
  readonly id: string;
}
