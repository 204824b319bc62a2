/** Who ends an alert where no person does, as it stands in `resolved.by` and in the journal. */
import type { AlertInput } from './state.js';

/** T7. */
export const PERIOD_END = 'period end';
/** R3. The condition of a rule was false twice in a row, or nothing was heard of it. */
export const CONDITION_OVER = 'condition over';
/** An alert that ends with its deliveries. */
export const DELIVERED = 'delivered';

/**
 * A1, B4. A notice and a late alert belong to no period that could end: they end with their
 * deliveries, and nobody is told that they are over.
 */
export function endsByItself(input: AlertInput): boolean {
  return input.kind === 'notice' || (input.kind === 'threshold' && input.facts.late === true);
}

/** What an alert's subject says when it ends. */
export function endOf({ kind }: AlertInput): string {
  return kind === 'rule' ? CONDITION_OVER : PERIOD_END;
}

/** The end of a period, of a condition, or of the deliveries is nobody's word. */
export function isPerson(by: string): boolean {
  return by !== PERIOD_END && by !== CONDITION_OVER && by !== DELIVERED;
}
