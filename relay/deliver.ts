/**
 * One claimed row or alert from the ledger to Temporal, and what came of it back to the ledger.
 *
 * Invariants
 * D-1. `periodReported` is written only after Temporal took the report: at least once, never lost.
 * D-2. A period whose workflow had ended is closed in the ledger, and its usage is late (B4).
 * D-3. Nothing here throws: a failure of either side is recorded, and the lease does the rest.
 */
import type { KavachClient } from '../client/client.js';
import { describeFailure } from '../client/failure.js';
import type { Log } from '../client/log.js';
import type { Policy } from '../domain/alert/policy.js';
import { evaluateLate, type LateVerdict } from '../domain/budget/late.js';
import type { ClaimedPeriod, ClaimedWatch, Ledger, OutboxAlert } from '../ledger/ledger.js';
import { createRefusals } from './backoff.js';
import type { Outage } from './outage.js';
import type { Pace } from './pace.js';
import { planOf, reportOf, rowOf } from './plan.js';

/** The part of the ledger a relay works on. */
export type RelayLedger = Pick<
  Ledger,
  | 'claimPeriods'
  | 'periodReported'
  | 'periodFailed'
  | 'closePeriod'
  | 'recordLate'
  | 'claimAlerts'
  | 'alertStarted'
  | 'alertFailed'
  | 'claimWatches'
  | 'watchReported'
  | 'watchFailed'
>;

export type RelayClient = Pick<KavachClient, 'reportPeriod' | 'reportMatches' | 'startAlert'>;

export interface DeliverOptions {
  readonly ledger: RelayLedger;
  readonly client: RelayClient;
  readonly now: () => number;
  readonly pace: Pace;
  readonly policy: Policy;
  readonly log: Log;
  readonly intervalMs: number;
  /** Resolves after so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  /** Takes work that ends later and holds up nothing but a stop. */
  readonly owe: (work: Promise<void>) => void;
  readonly ledgerOutage: Outage;
  readonly temporalOutage: Outage;
}

export interface DeliverCounts {
  reported: number;
  failed: number;
  parked: number;
  closed: number;
  late: number;
  notNeeded: number;
  alertsStarted: number;
  /** Agents that were told what their rules matched. */
  matchesTold: number;
}

/**
 * What a crossing's report leaves to the alert it raises before the ledger is told, ms. The
 * period's own publish comes meanwhile and says more; without one, this word is in time.
 */
const HEAD_START_MS = 150;

export interface Deliver {
  period(claim: ClaimedPeriod): Promise<void>;
  alert(outbox: OutboxAlert): Promise<void>;
  watch(claim: ClaimedWatch): Promise<void>;
  readonly counts: Readonly<DeliverCounts>;
}

export function createDeliver(options: DeliverOptions): Deliver {
  const { ledger, client, now, pace, policy, log, intervalMs } = options;
  const refusals = createRefusals();
  const counts: DeliverCounts = {
    reported: 0,
    failed: 0,
    parked: 0,
    closed: 0,
    late: 0,
    notNeeded: 0,
    alertsStarted: 0,
    matchesTold: 0,
  };

  /** Sends within the pace, and lets the pace and the outage log see the answer. */
  const sent = async <T>(call: () => Promise<T>): Promise<T> => {
    const begunAt = now();
    pace.take(begunAt);
    try {
      const answer = await call();
      pace.answered(now() - begunAt, now());
      options.temporalOutage.recovered();
      return answer;
    } catch (error) {
      const { kind, reason } = describeFailure(error);
      if (kind === 'throttled') pace.throttled(now());
      // A server that drowns answers by letting deadlines pass: that is slow, too.
      else pace.answered(now() - begunAt, now());
      if (kind === 'unavailable') options.temporalOutage.failed(reason, now());
      throw error;
    }
  };

  const report = async (claim: ClaimedPeriod): Promise<void> => {
    let answer;
    try {
      answer = await sent(() =>
        client.reportPeriod({ row: rowOf(claim), started: claim.started, report: reportOf(claim) }),
      );
    } catch (error) {
      await failed(claim, error);
      return;
    }
    refusals.forgive(claim.id);
    if (answer === 'already_ended') {
      await close(claim, true);
      return;
    }
    const told = async (): Promise<void> => {
      await ledger.periodReported(claim, now(), intervalMs);
      counts.reported += 1;
    };
    if (!claim.crossing) return told();
    options.owe(options.pause(HEAD_START_MS).then(() => guarded(told())));
  };

  const failed = async (claim: ClaimedPeriod, error: unknown): Promise<void> => {
    const failure = describeFailure(error);
    const { backoffMs, park } = refusals.judge(claim.id, failure, claim.tries);
    await ledger.periodFailed(claim, { now: now(), backoffMs, reason: failure.reason, park });
    counts.failed += 1;
    if (!park) return;
    counts.parked += 1;
    log.error(
      { period: claim.id, reason: failure.reason },
      'relay: a period was parked; its usage is kept, but nobody watches its thresholds',
    );
  };

  const evaluated = async (claim: ClaimedPeriod): Promise<LateVerdict | undefined> => {
    try {
      return evaluateLate({ ...rowOf(claim), own: claim.own }, policy, now());
    } catch (error) {
      // A fault in the rules parks this one row instead of coming back for ever.
      await failed(claim, error);
      return undefined;
    }
  };

  /** B4. A crossing nobody was told of stays untold, so that the closed row comes back as late. */
  const close = async (claim: ClaimedPeriod, hasEnded = false): Promise<void> => {
    const verdict = await evaluated(claim);
    if (verdict === undefined) return;
    const told = verdict.alert === undefined ? claim : { ...claim, seq: 0 };
    await ledger.closePeriod(told, now(), hasEnded);
    counts.closed += 1;
  };

  const late = async (claim: ClaimedPeriod): Promise<void> => {
    const verdict = await evaluated(claim);
    if (verdict === undefined) return;
    await ledger.recordLate(claim, { ...verdict, now: now() });
    counts.late += 1;
  };

  const act = async (claim: ClaimedPeriod): Promise<void> => {
    const plan = planOf(claim);
    switch (plan) {
      case 'report':
        return report(claim);
      case 'none':
        counts.notNeeded += 1;
        return ledger.periodReported(claim, now(), intervalMs, claim.started);
      case 'close':
        return close(claim);
      case 'late':
        return late(claim);
      default:
        return plan satisfies never;
    }
  };

  const startAlert = async ({ input, fence, tries }: OutboxAlert): Promise<void> => {
    try {
      await sent(() => client.startAlert(input));
    } catch (error) {
      const failure = describeFailure(error);
      const { backoffMs } = refusals.judge(input.id, failure, tries);
      await ledger.alertFailed(input.id, fence, { now: now(), backoffMs, reason: failure.reason });
      counts.failed += 1;
      return;
    }
    refusals.forgive(input.id);
    await ledger.alertStarted(input.id, fence);
    counts.alertsStarted += 1;
  };

  /** Counts are cumulative: telling them twice changes nothing. */
  const tellMatches = async (claim: ClaimedWatch): Promise<void> => {
    const { org, agent, report: matches, tries } = claim;
    const row = JSON.stringify([org, agent]);
    try {
      // A rule that was removed meanwhile leaves nothing to tell.
      if (matches.rules.length > 0) await sent(() => client.reportMatches({ org, agent }, matches));
    } catch (error) {
      const failure = describeFailure(error);
      const { backoffMs } = refusals.judge(row, failure, tries);
      await ledger.watchFailed(claim, { now: now(), backoffMs, reason: failure.reason });
      counts.failed += 1;
      return;
    }
    refusals.forgive(row);
    await ledger.watchReported(claim, now(), intervalMs);
    counts.matchesTold += 1;
  };

  /** D-3. The claim's lease runs out and the row is due again: nothing is undone. */
  const guarded = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown failure';
      options.ledgerOutage.failed(reason, now());
    }
  };

  return {
    period: (claim) => guarded(act(claim)),
    alert: (outbox) => guarded(startAlert(outbox)),
    watch: (claim) => guarded(tellMatches(claim)),
    counts,
  };
}
