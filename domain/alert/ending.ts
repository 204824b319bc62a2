/** Who ends an alert where no person does, as it stands in `resolved.by` and in the journal. */
import type { AlertInput } from './state.js';

/** T7. */
export const PERIOD_END = 'period end';
/** An alert that ends with its deliveries. */
export const DELIVERED = 'delivered';

/**
 * A1, B4. A notice and a late alert belong to no period that could end: they end with their
 * deliveries, and nobody is told that they are over.
 */
export function endsByItself({ kind, facts }: AlertInput): boolean {
  return kind === 'notice' || facts.late === true;
}

/** A period's end and an alert's own end are nobody's word. */
export function isPerson(by: string): boolean {
  return by !== PERIOD_END && by !== DELIVERED;
}
