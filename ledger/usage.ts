/** What comes in: usage, runs and what could not be read, and the ledger's answer to it. */
import type { Limits } from '../domain/budget/limits.js';
import type { PeriodKey, PeriodWindow, Scope } from '../domain/budget/period-key.js';
import type { Killed } from '../domain/budget/state.js';
import type { Dimension } from '../domain/words.js';
import type { ClaimedPeriod } from './claimed-period.js';

/**
 * `clamped`: B4, its receipt time counts. `unpriced`: B6. `late`: its period had ended.
 * `unleased`: it names a lease that is none of its agent's (L3).
 */
export type UsageFlag = 'clamped' | 'unpriced' | 'late' | 'unleased';

/** One LLM call, validated and priced. Integers throughout (B1). */
export interface UsageEvent {
  readonly idempotencyKey: string;
  readonly agent: string;
  readonly run?: string;
  readonly provider: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** As sent, nano-USD. */
  readonly costReported: number;
  /** As counted, nano-USD (B6). */
  readonly costUsed: number;
  readonly priceVersion?: string;
  readonly durationMs: number;
  readonly status: string;
  /** The time that counts (B4), epoch ms. */
  readonly at: number;
  readonly receivedAt: number;
  readonly flags: readonly UsageFlag[];
  /** What it was spent from, and its number among that lease's events, from 1 (LE-3). */
  readonly lease?: string;
  readonly leaseSeq?: number;
}

/** A period row as it is first written; an existing row keeps what it has. */
export interface PeriodSeed {
  readonly key: PeriodKey;
  readonly window: PeriodWindow;
  readonly name: string;
  readonly limits: Limits;
}

/** Which events of a batch (indices) count in which period. */
export interface Placement {
  readonly seed: PeriodSeed;
  readonly events: readonly number[];
}

export interface IngestBatch {
  readonly org: string;
  readonly events: readonly UsageEvent[];
  readonly placements: readonly Placement[];
  /** The revisions the placements were made under; another one in the ledger stores nothing. */
  readonly revisions: readonly { readonly scope: Scope; readonly rev: number }[];
  readonly now: number;
  /** Rows that this batch takes past their notify amounts are claimed for so long. */
  readonly claimMs: number;
}

/** A period the batch touched, as it is after it. */
export interface TouchedPeriod {
  readonly id: string;
  readonly key: PeriodKey;
  readonly killed?: Killed;
  /** A `block` limit is reached (B9), own and direct totals together. */
  readonly blocked: boolean;
  /** What its limits count, all senders together: since the last reset (C1). */
  readonly spent: Readonly<Record<Dimension, number>>;
  /** Present when this batch took it past its notify amounts and now holds its claim. */
  readonly claim?: ClaimedPeriod;
}

export type IngestResult =
  | { readonly type: 'stale_configuration' }
  | {
      readonly type: 'stored';
      /** Keys that were new. */
      readonly stored: number;
      readonly duplicates: number;
      readonly periods: readonly TouchedPeriod[];
      /** Agents of the batch that a person has stopped (K2). */
      readonly stopped: readonly Stop[];
    };

export interface Stop {
  readonly agent: string;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** A bad event of a batch: kept readable, never counted (spec §8). `raw` is at most 4 KiB. */
export interface QuarantinedEvent {
  readonly org: string;
  readonly at: number;
  readonly path: string;
  readonly problem: string;
  readonly raw: string;
  /** What it was to be; not stored. @default 'usage' */
  readonly what?: 'usage' | 'metrics';
}

/** One word about a run's life (B7). */
export interface RunReport {
  readonly seed: PeriodSeed;
  readonly what: 'started' | 'heartbeat' | 'ended';
  readonly now: number;
  readonly claimMs: number;
}
