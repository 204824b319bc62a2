/** Says once that something is away, and once that it is back; and how long to leave it alone. */
import type { Log } from '../client/log.js';

export interface Outage {
  failed(reason: string, now: number): void;
  recovered(): void;
  isOver(now: number): boolean;
  isOngoing(): boolean;
}

const FIRST_WAIT_MS = 200;
const LAST_WAIT_MS = 5_000;
/** One that comes and goes is said once a minute. */
const SAY_EVERY_MS = 60_000;

export function createOutage(subject: string, log: Log): Outage {
  let failures = 0;
  let retryAt = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  let isSaid = false;
  return {
    failed: (reason, now) => {
      failures += 1;
      retryAt = now + Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 16), LAST_WAIT_MS);
      if (isSaid || now - saidAt < SAY_EVERY_MS) return;
      isSaid = true;
      saidAt = now;
      log.warn({ reason }, `relay: ${subject} fails; what it holds waits and is tried again`);
    },
    recovered: () => {
      if (isSaid) log.info({ failures }, `relay: ${subject} works again`);
      isSaid = false;
      failures = 0;
      retryAt = 0;
    },
    isOver: (now) => now >= retryAt,
    isOngoing: () => failures > 0,
  };
}
