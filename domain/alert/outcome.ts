/** What came of one attempt to deliver (A4). Decided once, where the provider's answer is seen. */

export const OUTCOMES = [
  'accepted',
  'permanent_recipient',
  'permanent_config',
  'throttled',
  'transient',
  'ambiguous',
] as const;
export type OutcomeKind = (typeof OUTCOMES)[number];

export interface Outcome {
  readonly kind: OutcomeKind;
  /** Short, for people, free of addresses and secrets: `HTTP 429 rate_limited`. */
  readonly reason: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** The provider's own id of what it accepted. */
  readonly providerId?: string;
  /** From `Retry-After`; stretches the ladder, never shortens it (A3). */
  readonly retryAfterMs?: number;
}

/** Why a delivery was not sent (A10). */
export const SUPPRESSIONS = [
  'cooldown',
  'dedup',
  'preference',
  'priority',
  'quiet_hours',
  'silenced',
  'superseded',
  'acknowledged',
  'resolved',
  'unhealthy_destination',
  'no_destination',
  'unsupported_channel',
  'unverified',
  'storm',
  'daily_cap',
  'still_firing',
  'digest',
] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Failure type of an attempt that could not begin: it ended before anything left the house. */
export const NOTHING_SENT = 'NothingSent';
