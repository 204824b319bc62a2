/**
 * Up to which number the events of each lease are stored at the gateway, without a gap: only then
 * is a lease closed for good.
 */

export interface Reported {
  /** One more; answers how far it goes now, where that has changed. */
  add(lease: string, seq: number): number | undefined;
}

interface Progress {
  upTo: number;
  /** Beyond a gap. */
  readonly ahead: Set<number>;
}

/** Leases that are kept in mind; a guard has few at a time. */
const MOST = 200;

export function createReported(): Reported {
  const leases = new Map<string, Progress>();
  return {
    add: (lease, seq) => {
      const known = leases.get(lease) ?? { upTo: 0, ahead: new Set<number>() };
      leases.set(lease, known);
      if (leases.size > MOST) leases.delete(leases.keys().next().value ?? '');
      if (seq <= known.upTo) return undefined;
      known.ahead.add(seq);
      const before = known.upTo;
      while (known.ahead.delete(known.upTo + 1)) known.upTo += 1;
      return known.upTo === before ? undefined : known.upTo;
    },
  };
}
