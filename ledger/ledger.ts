/**
 * The book: what was spent, configured, decided and recorded. All SQL lives behind this face.
 *
 * Invariants
 * L-1. An event counts once per (org, idempotency key): in `usage_event` and in every period's
 *      own totals in the same transaction, or not at all (B5).
 * L-2. A period's `seq` grows in every transaction that changes its totals, limits or run life,
 *      and is read in one statement with them.
 * L-3. A publish writes back only what the workflow owns, never own totals, and an older one
 *      never overwrites a newer one.
 * L-4. A claim is exclusive until its lease ends; work under an outdated fence changes nothing.
 * L-5. Addresses and credentials are stored sealed and leave only through `openDelivery`, and a
 *      contact's through `newCode`; for people an address is masked.
 */
import type { RenderedMessage } from '../domain/alert/message.js';
import type { AlertInput, JournalEntry, Response } from '../domain/alert/state.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type { Policy } from '../domain/alert/policy.js';
import type { Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow } from '../domain/budget/period-key.js';
import type { Killed, Latches, Published } from '../domain/budget/state.js';
import type { Totals } from '../domain/budget/totals.js';
import type { Amounts } from '../domain/lease/amounts.js';
import type { ChannelName } from '../domain/words.js';
import type { KeyStore } from './api-key.js';
import type { Configuring } from './configuring.js';
import type { CallbackLedger, Receipt } from './callback.js';
import type { ClaimedPeriod, ClaimRequest, OutboxAlert } from './claimed-period.js';
import type {
  BegunAttempt,
  DeliveryRef,
  OpenedDelivery,
  NewNotice,
  OperatorNotice,
  Responding,
} from './delivery.js';
import type { DigestLedger } from './digest.js';
import type { AnswerStore } from './idempotency.js';
import type { LeaseLedger } from './lease.js';
import type { AlertPage, BudgetPage } from './paging.js';
import type { People } from './recipient.js';
import type { ExportKind, ExportPage, ExportQuery } from './export.js';
import type { RuleBook } from './rule-book.js';
import type { NoticeLedger, SentNoticeView } from './sent-notice.js';
import type { PushLedger } from './push.js';
import type { PruneRequest, Pruned, RetentionKind } from './retention-policy.js';
import type { SilenceLedger } from './silence.js';
import type {
  IngestBatch,
  IngestResult,
  PeriodSeed,
  QuarantinedEvent,
  RunReport,
  Stop,
  TouchedPeriod,
} from './usage.js';

export type * from './api-key.js';
export type * from './callback.js';
export type * from './claimed-period.js';
export type * from './configuring.js';
export type * from './delivery.js';
export type * from './digest.js';
export type * from './idempotency.js';
export type * from './lease.js';
export type * from './paging.js';
export type * from './push.js';
export type { ExportKind, ExportPage, ExportQuery } from './export.js';
export type * from './recipient.js';
export type * from './retention-policy.js';
export type * from './silence.js';
export type * from './rule-book.js';
export type * from './sent-notice.js';
export type * from './usage.js';

// ---------------------------------------------------------------- views

export interface BudgetView {
  readonly id: string;
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly state: 'open' | 'closed' | 'parked';
  readonly own: Totals;
  readonly direct: Totals;
  readonly durationMs: number;
  readonly limits: Limits;
  readonly appliedRev: number;
  readonly latches: Latches;
  readonly firings: number;
  readonly killed?: Killed;
  readonly blocked: boolean;
  /** B1. A total has stopped at 2^53 - 1: what is shown is the least that was spent. */
  readonly saturated?: true;
  readonly parkedReason?: string;
  /** Spend of the last 15 minutes, nano-USD (T8: the caller computes rate and projection). */
  readonly recentCost: number;
  readonly recentTokens: number;
  /** L2. What open leases may still spend of it. */
  readonly leased: Amounts;
  /** Guards that hold a lease in it and are heard of. */
  readonly holders: number;
  /** L4. What of `leased` is held by guards that nobody has heard of. */
  readonly vanished: Amounts;
  /** L3. `leased`: nothing was counted in it past its leases since the first; `none`: there are none. */
  readonly guarded: 'leased' | 'mixed' | 'none';
}

export interface AlertView {
  readonly id: string;
  readonly org: string;
  readonly subject: string;
  readonly phase: 'firing' | 'acknowledged' | 'resolved';
  readonly exhausted: boolean;
  readonly raisedAt: number;
  readonly facts: AlertInput['facts'];
  /** In lists, of an agent's notice; absent once its words are gone. */
  readonly noticeTitle?: string;
}

export interface AttemptView {
  readonly deliveryId: string;
  readonly channel: ChannelName;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Absent: the attempt's end was never recorded; it may have reached the provider. */
  readonly outcome?: Outcome;
  /** Where it went; absent until its end was recorded, or where there was nowhere to go. */
  readonly destination?: string;
  /** What the provider said later of a message it had taken. */
  readonly receipt?: Receipt;
}

/** Nano-USD and tokens; `saturated`: a sum has stopped at 2^53 - 1 (B1). */
export interface UsageTotals {
  readonly events: number;
  readonly cost: number;
  readonly tokens: number;
  readonly saturated?: true;
}

export interface Ledger
  extends
    KeyStore,
    AnswerStore,
    CallbackLedger,
    Configuring,
    People,
    SilenceLedger,
    RuleBook,
    NoticeLedger,
    PushLedger,
    DigestLedger,
    LeaseLedger {
  /** Rejects when the database does not answer within a second. */
  ping(): Promise<void>;
  close(): Promise<void>;

  ingest(batch: IngestBatch): Promise<IngestResult>;
  /** B8. Inserts rows that do not exist yet, with the sums of the events already there. */
  ensurePeriods(seeds: readonly PeriodSeed[], now: number): Promise<void>;
  quarantine(events: readonly QuarantinedEvent[]): Promise<void>;
  /** The newest first; `before`: older than that one. */
  quarantined(
    org: string,
    limit: number,
    before?: number,
  ): Promise<readonly (QuarantinedEvent & { readonly id: number })[]>;
  /** B7. Answers the row as `ingest` does; claimed when the run's timer has to be known at once. */
  reportRun(report: RunReport): Promise<{ period: TouchedPeriod; stopped: readonly Stop[] }>;

  /** Due rows, crossings first, then the oldest due, round-robin over organisations. */
  claimPeriods(request: ClaimRequest): Promise<readonly ClaimedPeriod[]>;
  /**
   * The report was delivered: due again after `nextInMs` if the row has moved on. With `isStarted`
   * false nobody had to be told: the row still has no workflow.
   */
  periodReported(
    claim: ClaimedPeriod,
    now: number,
    nextInMs: number,
    isStarted?: boolean,
  ): Promise<void>;
  /** Not delivered: tried again after `backoffMs`; `park` ends that, with its reason. */
  periodFailed(
    claim: ClaimedPeriod,
    failure: { now: number; backoffMs: number; reason: string; park: boolean },
  ): Promise<void>;
  /**
   * A row that never needed a workflow is closed by the relay at its end. With `hasEnded` its
   * workflow is over already: it is closed whatever its end, and what comes to it is late (B4).
   */
  closePeriod(claim: ClaimedPeriod, now: number, hasEnded?: boolean): Promise<void>;
  /** B4. Latches a closed row's late crossings and writes their one alert, in one transaction. */
  recordLate(
    claim: ClaimedPeriod,
    late: { latches: Latches; firingNo: number; alert?: AlertInput; now: number },
  ): Promise<void>;
  claimAlerts(request: ClaimRequest): Promise<readonly OutboxAlert[]>;
  alertStarted(id: string, fence: number): Promise<void>;
  alertFailed(
    id: string,
    fence: number,
    failure: { now: number; backoffMs: number; reason: string },
  ): Promise<void>;
  /** Rows due and how long the oldest has waited: the relay's lag. */
  lag(now: number): Promise<{ due: number; oldestMs: number; parked: number }>;

  /** Answers `stale` when a newer publish is already there (which is fine). */
  publish(published: Published, now: number): Promise<'written' | 'stale'>;
  /** For a period opened by a direct sender: inserts the row or loads what is there. */
  openPeriod(seed: PeriodSeed, now: number): Promise<ClaimedPeriod>;

  /**
   * Decides what holds a delivery back, counts it (A14) and its incident (T9); all of it stays as
   * it is for a delivery whose message is stored.
   */
  openDelivery(ref: DeliveryRef, now: number): Promise<OpenedDelivery>;
  /**
   * Writes the attempt before its request. The first message stored for the delivery wins and is
   * answered.
   */
  beginAttempt(
    ref: DeliveryRef,
    attempt: number,
    message: RenderedMessage,
    now: number,
  ): Promise<BegunAttempt>;
  /** The first outcome stands. `isLast`: no attempt follows, so a failure is the delivery's. */
  finishAttempt(
    ref: DeliveryRef,
    attempt: number,
    outcome: Outcome,
    now: number,
    isLast?: boolean,
  ): Promise<void>;
  /** Appends by (alert, entry number) and keeps the alert's row in step; repeating writes nothing. */
  appendJournal(alert: AlertView, entries: readonly JournalEntry[]): Promise<void>;

  /** How an alert that starts now goes on where its own routes do not do (A5, A8). */
  response(org: string, alert: Responding): Promise<Response>;
  /** A15. The newest first; with `before` those of a smaller id. */
  operatorNotices(org: string, limit: number, before?: number): Promise<readonly OperatorNotice[]>;
  /** A15. Kept until an alert has told it. */
  tellOperators(org: string, notice: NewNotice, now: number): Promise<void>;
  /** A14, A15. Writes the alerts of storms and notices that nobody was told of; answers how many. */
  raiseNotices(policy: Policy, now: number): Promise<number>;
  stop(org: string, stop: Stop): Promise<{ changed: boolean }>;
  resume(
    org: string,
    agent: string,
    by: string,
    now: number,
    reason?: string,
  ): Promise<{ changed: boolean }>;
  stopped(org: string): Promise<readonly Stop[]>;

  budgets(query: {
    org: string;
    agent?: string;
    id?: string;
    openOnly?: boolean;
    now: number;
    limit: number;
    after?: BudgetPage;
  }): Promise<readonly BudgetView[]>;
  alerts(query: {
    org: string;
    agent?: string;
    subject?: string;
    limit: number;
    after?: AlertPage;
  }): Promise<readonly AlertView[]>;
  alert(
    org: string,
    id: string,
  ): Promise<
    | {
        alert: AlertView;
        journal: readonly JournalEntry[];
        attempts: readonly AttemptView[];
        /** What it tells, where an agent asked for it. */
        notice?: SentNoticeView;
      }
    | undefined
  >;
  /** Records in bulk, page after page, in the order of a key. */
  exportPage(kind: ExportKind, query: ExportQuery): Promise<ExportPage>;
  /** Takes away one batch of what is older than it is kept for (retention.ts). */
  prune(kind: RetentionKind, request: PruneRequest): Promise<Pruned>;
  /** Who has sent usage or a configuration; `agent` is the first where it is one of them. */
  agentNames(org: string, agent: string, limit: number): Promise<readonly string[]>;
  /** Everything counted for an agent (or all): events and nano-USD used. */
  usage(org: string, agent?: string): Promise<UsageTotals>;
}
