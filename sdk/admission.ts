/**
 * How a call gets leave to be made: the port between what an agent's author touches and what
 * grants, counts and reports. A guard with a service, one without (`standalone`), and tests each
 * bring their own.
 */
import type { Amounts } from '../domain/lease/amounts.js';

/** One call as it is reported: what the gateway's event schema knows of it, in integers (B1). */
export interface CallReport {
  readonly provider: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Nano-USD; undefined: nobody could price it (B6). */
  readonly cost?: number;
  readonly durationMs: number;
  readonly status: 'success' | 'error' | 'partial';
  readonly prompt?: string;
}

/** Leave for one call. Exactly one of its two ends is used, once; a second word is ignored. */
export interface Reservation {
  /** The call was billed: the event is reported and the reservation settled to it. */
  settle(actual: Amounts, report: CallReport): void;
  /** The provider was never asked, or said before any work that it would not: nothing was spent. */
  release(): void;
}

/** Why there is no leave. Amounts are integers of the dimension. */
export interface Refusal {
  readonly why: 'budget' | 'killed' | 'stopped' | 'rejected' | 'unreachable' | 'unpriced';
  /** In the words of `onKill` (cost, tokens, calls, tier_agent_limit, org_budget_exceeded …). */
  readonly reason: string;
  readonly detail: string;
  readonly budget?: {
    readonly dimension: 'cost' | 'tokens_total' | 'calls' | 'duration';
    readonly cadence: string;
    readonly spent: number;
    readonly limit: number;
    /** Epoch ms. */
    readonly resetsAt?: number;
  };
}

export type Admitted =
  | { readonly type: 'admitted'; readonly reservation: Reservation }
  | { readonly type: 'refused'; readonly refusal: Refusal };

export interface AdmissionStatus {
  /** Nano-USD of the tightest cost budget, as far as this process knows. */
  readonly spent?: number;
  readonly remaining?: number;
  /** Events not yet stored. */
  readonly waiting: number;
  readonly held?: Amounts;
  readonly connected: boolean;
  /** No service: what is known is this process's alone. */
  readonly standalone?: true;
}

export interface Admission {
  /**
   * Leave for a call of at most `worst`. Answers at once where the lease has room, else when it
   * has been asked for. Never throws.
   */
  admit(worst: Amounts, signal?: AbortSignal): Admitted | Promise<Admitted>;
  /** A call that was made without asking (`guard.record()`): reported, and counted against nothing. */
  report(actual: Amounts, report: CallReport): void;
  status(): AdmissionStatus;
  /** A kill or Stop, once each; also one that stood already. */
  onRefusal(tell: (refusal: Refusal) => void): void;
  /** What was held back is lifted (K4, resume): calls go on. */
  onLifted(tell: () => void): void;
  /** Sends what waits, gives back what is not spent; within `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}
