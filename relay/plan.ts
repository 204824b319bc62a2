/** What is to be done with a claimed row. Pure: every reason why a row is or is not signalled. */
import type { PeriodRow } from '../domain/budget/input.js';
import type { Report } from '../domain/budget/report.js';
import { LEDGER } from '../domain/budget/state.js';
import type { ClaimedPeriod } from '../ledger/ledger.js';

/**
 * `report`: tell the period its totals. `none`: it needs no workflow yet. `close`: it ended and
 * never needed one. `late`: it had ended before this usage came (B4).
 */
export type Plan = 'report' | 'none' | 'close' | 'late';

export function planOf(claim: ClaimedPeriod): Plan {
  if (claim.state === 'closed') return 'late';
  if (claim.started) return 'report';
  if (claim.closing) return 'close';
  if (claim.limits.limits.length === 0) return 'none';
  if (claim.crossing) return 'report';
  return needsWorkflow(claim) ? 'report' : 'none';
}

/**
 * Calendar periods have a workflow from their first usage on. A run has one only when it crosses,
 * or when it is open and its length is watched, so that one that hangs is noticed (B7).
 */
function needsWorkflow({ key, own, run, limits }: ClaimedPeriod): boolean {
  if (key.cadence !== 'run') return own.calls > 0;
  return (
    run?.open === true &&
    limits.limits.some((limit) => limit.dimension === 'duration' && limit.thresholds.length > 0)
  );
}

/** The row's totals as the period takes them; limits ride along until their revision is applied. */
export function reportOf(claim: ClaimedPeriod): Report {
  const { epoch, seq, own, limits, appliedRev, run, closing } = claim;
  return {
    sender: LEDGER,
    epoch,
    seq,
    ...own,
    limitsRev: limits.rev,
    ...(appliedRev < limits.rev ? { limits } : {}),
    ...(run === undefined ? {} : { run }),
    ...(closing ? { closing: true } : {}),
  };
}

/** The part of the row a new life of the workflow starts from; nothing of the claim goes along. */
export function rowOf(claim: ClaimedPeriod): PeriodRow {
  const { key, window, name, limits, latches, firingNo, killed, senders, openAlerts } = claim;
  return {
    ...{ key, window, name, limits, latches, firingNo, senders, openAlerts },
    ...(killed === undefined ? {} : { killed }),
    publishes: claim.publishes ?? 0,
  };
}
