/** Which lease an event settles, and its number in it (L2). Written by hand: it runs for every event. */
import { fault, isAbsent, kindOf, type EventFault } from './event-fault.js';

/** `<holder>/<n>`, as the book names a lease. */
export const LEASE_ID = /^[A-Za-z0-9._:-]{1,100}\/[1-9]\d{0,15}$/;

export type EventLease =
  | { readonly type: 'none' }
  | { readonly type: 'lease'; readonly lease: string; readonly leaseSeq: number }
  | EventFault;

const NONE: EventLease = { type: 'none' };

export function leaseIn(fields: Readonly<Record<string, unknown>>): EventLease {
  const { lease, lease_seq: leaseSeq } = fields;
  if (isAbsent(lease) && isAbsent(leaseSeq)) return NONE;
  if (isAbsent(lease)) return fault('lease', 'is missing: `lease_seq` counts in one');
  if (typeof lease !== 'string') {
    return fault('lease', `expected a string, got ${kindOf(lease)}; it counts without a lease`);
  }
  if (!LEASE_ID.test(lease)) {
    return fault('lease', 'is no id of a lease, as `guard-1/7`; it counts without one');
  }
  if (typeof leaseSeq !== 'number' || !Number.isSafeInteger(leaseSeq) || leaseSeq < 1) {
    const seen = isAbsent(leaseSeq) ? 'nothing' : seenText(leaseSeq);
    return fault(
      'lease_seq',
      `expected an integer from 1 to 2^53 - 1, got ${seen}; it counts without a lease`,
    );
  }
  return { type: 'lease', lease, leaseSeq };
}

function seenText(value: unknown): string {
  return typeof value === 'number' ? String(value) : kindOf(value);
}
