/** The numbers of deliveries (A8, A14, C3), as data: tests and demos use smaller ones. */

/** Durations in ms. */
export interface DeliveryPolicy {
  /** A14. Of alerts to one destination in `stormWindowMs` the rest is held for a summary. */
  readonly stormLimit: number;
  readonly stormWindowMs: number;
  /** A14. Text messages to one number in a UTC day. */
  readonly smsPerDay: number;
  /** A destination is `failing` after so many deliveries in a row that failed for good, … */
  readonly failingAfter: number;
  /** … the last at least so long after the first. */
  readonly failingSpanMs: number;
  /** A webhook's old secret signs beside the new one for so long. */
  readonly secretGraceMs: number;
  /** A8. From the first word to the operators' turn, where nothing else was set. */
  readonly escalateAfterMs: number;
}

export const DEFAULT_DELIVERY_POLICY: DeliveryPolicy = {
  stormLimit: 10,
  stormWindowMs: 60_000,
  smsPerDay: 20,
  failingAfter: 5,
  failingSpanMs: 86_400_000,
  secretGraceMs: 86_400_000,
  escalateAfterMs: 900_000,
};
