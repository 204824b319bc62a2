/**
 * When an event happened, by the gateway's clock (B4): the guard's own may be off, and a call that
 * ends after its lease's period counts in that period, where its lease is settled.
 */
import type { LeaseAnswer } from '../../domain/lease/lease.js';
import type { Clock } from './surroundings.js';

export interface EventTime {
  heard(answer: LeaseAnswer): void;
  /** Epoch ms. */
  at(lease: string | undefined): number;
}

interface Window {
  readonly startsAt: number;
  readonly endsAt?: number;
}

/** Leases that are kept in mind; a guard has few at a time. */
const MOST = 200;

export function createEventTime(clock: Clock): EventTime {
  let aheadMs = 0;
  const windows = new Map<string, Window>();
  return {
    heard: (answer) => {
      aheadMs = answer.now - clock.wall();
      const lease = 'lease' in answer ? answer.lease : undefined;
      if (lease === undefined) return;
      windows.set(lease.id, {
        startsAt: windows.get(lease.id)?.startsAt ?? answer.now + lease.validInMs,
        ...(lease.endsInMs === undefined ? {} : { endsAt: answer.now + lease.endsInMs }),
      });
      if (windows.size > MOST) windows.delete(windows.keys().next().value ?? '');
    },
    at: (lease) => {
      const now = clock.wall() + aheadMs;
      const window = lease === undefined ? undefined : windows.get(lease);
      if (window === undefined) return now;
      const { startsAt, endsAt = Infinity } = window;
      return Math.min(Math.max(now, startsAt), endsAt - 1);
    },
  };
}
