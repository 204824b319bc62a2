/** Leases on a database whose migrations have run: a part of `openLedger`. */
import type { Database } from './database.js';
import { closeLease, releaseLease } from './lease-close.js';
import { createLeaseDesk, type DeskOptions } from './lease-desk.js';
import { guardStandings } from './lease-standings.js';
import { listLeases } from './lease-views.js';
import type { LeaseLedger } from './lease.js';

export function openLeases(db: Database, options: DeskOptions): LeaseLedger {
  const { wantedMs, vanishedMs } = options.policy;
  return {
    askLease: createLeaseDesk(db, options),
    closeLease: (org, close, now) => closeLease(db, org, close, now),
    releaseLease: (org, id, word) => releaseLease(db, org, id, word),
    leases: (query) => listLeases(db, vanishedMs, query),
    guardStandings: (watches, now) => guardStandings(db, wantedMs, watches, now),
  };
}
