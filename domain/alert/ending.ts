/** Who ends an alert where no person does, as it stands in `resolved.by` and in the journal. */

/** T7. */
export const PERIOD_END = 'period end';
/** B4. A late alert is nobody's period: it ends with its deliveries. */
export const DELIVERED = 'delivered';

/** A period's end and a late alert's own end are nobody's word. */
export function isPerson(by: string): boolean {
  return by !== PERIOD_END && by !== DELIVERED;
}
