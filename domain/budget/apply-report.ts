/**
 * Taking one sender's report into the state: the highest (epoch, seq) of each sender counts, a
 * closed sender takes no more, higher limits replace lower ones. Nothing here depends on order.
 */
import type { Limits } from './limits.js';
import type { Report } from './report.js';
import type { BudgetState, SenderTotals } from './state.js';
import { LEDGER } from './state.js';
import { spentOf } from './sum.js';
import { underLimits } from './under-limits.js';

/** Senders one period keeps apart; each costs about 100 bytes of every rotation. */
export const MAX_SENDERS = 2_000;

export function applyReport(state: BudgetState, report: Report, now: number): BudgetState {
  const known = state.senders[report.sender];
  if (known === undefined && Object.keys(state.senders).length >= MAX_SENDERS) {
    return reject(state, `sender ${report.sender}: more than ${String(MAX_SENDERS)} senders`);
  }
  let next = state;
  if (isNewer(report, known)) {
    next = {
      ...next,
      senders: { ...next.senders, [report.sender]: senderOf(report) },
      ...(report.run === undefined ? {} : { run: report.run }),
    };
  }
  // Limits are the ledger's to give; a direct sender only knows what it was told.
  if (report.sender === LEDGER && report.limits !== undefined) {
    next = applyLimits(next, report.limits, now);
  }
  return next;
}

/** Counts what could not be read; the last one is shown in the status. */
export function reject(state: BudgetState, reason: string): BudgetState {
  return { ...state, rejected: state.rejected + 1, lastRejection: reason.slice(0, 200) };
}

function isNewer(report: Pick<Report, 'epoch' | 'seq'>, known: SenderTotals | undefined): boolean {
  if (known === undefined) return true;
  if (known.closed === true) return false;
  if (report.epoch !== known.epoch) return report.epoch > known.epoch;
  return report.seq > known.seq;
}

/** Of each sender what is newer: a report that was under way while the row was loaded may be older. */
export function newestOf(
  loaded: BudgetState['senders'],
  reported: BudgetState['senders'],
): BudgetState['senders'] {
  const newest = { ...loaded };
  for (const [name, sender] of Object.entries(reported)) {
    if (isNewer(sender, loaded[name])) newest[name] = sender;
  }
  return newest;
}

function senderOf(report: Report): SenderTotals {
  const { epoch, seq, cost, tokens, calls, firstAt, lastAt } = report;
  return {
    epoch,
    seq,
    totals: {
      ...{ cost, tokens, calls },
      ...(firstAt === undefined ? {} : { firstAt }),
      ...(lastAt === undefined ? {} : { lastAt }),
    },
    // The ledger closing means the period's end, which the period itself records.
    ...(report.closing === true && report.sender !== LEDGER ? { closed: true } : {}),
  };
}

function applyLimits(state: BudgetState, limits: Limits, now: number): BudgetState {
  if (limits.rev <= state.limits.rev) return state;
  const under = { ...state, limits };
  const { killed: _before, ...rest } = under;
  return { ...rest, ...underLimits(state, limits, spentOf(under, now)) };
}
