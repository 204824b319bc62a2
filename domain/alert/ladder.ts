/**
 * What follows an attempt (A3, A4). Attempts at 0 s, then the ladder's waits after failures;
 * `Retry-After` stretches, never shortens.
 */
import type { ChannelName } from '../words.js';
import type { Outcome } from './outcome.js';
import type { Attempt } from './state.js';

export type Next =
  | { readonly type: 'accepted' }
  | { readonly type: 'failed' }
  | { readonly type: 'again'; readonly afterMs: number };

/** Slack cannot tell a repeat: one double is better than silence, two are not (A4). */
const ONE_REPEAT_WHEN_AMBIGUOUS: readonly ChannelName[] = ['slack'];

/** Nobody knows what came of it: as ambiguous as an answer that never came. */
export const LOST: Outcome = { kind: 'ambiguous', reason: 'worker lost during the attempt' };

/** `before` are the attempts that came before the one with this outcome. */
export function afterAttempt(
  channel: ChannelName,
  before: readonly Attempt[],
  outcome: Outcome,
  ladderMs: readonly number[],
): Next {
  switch (outcome.kind) {
    case 'accepted':
      return { type: 'accepted' };
    case 'permanent_recipient':
    case 'permanent_config':
      return { type: 'failed' };
    case 'ambiguous':
      if (hadItsRepeat(channel, before)) return { type: 'failed' };
      break;
    case 'throttled':
    case 'transient':
      break;
  }
  // The repeat at once after a loss took no rung of the ladder.
  const wait = ladderMs[before.length - (before.some(isLost) ? 1 : 0)];
  if (wait === undefined) return { type: 'failed' };
  return { type: 'again', afterMs: Math.max(wait, outcome.retryAfterMs ?? 0) };
}

/**
 * A lost worker says nothing against the destination, and the ladder's waits are for those that
 * failed: the first loss is repeated at once, under the same key (A4, A11). Only the first, so
 * that an attempt which takes its worker along each time climbs the ladder like any other.
 */
export function afterLoss(
  channel: ChannelName,
  before: readonly Attempt[],
  ladderMs: readonly number[],
): Next {
  if (hadItsRepeat(channel, before) || before.some(isLost)) {
    return afterAttempt(channel, before, LOST, ladderMs);
  }
  return { type: 'again', afterMs: 0 };
}

function hadItsRepeat(channel: ChannelName, before: readonly Attempt[]): boolean {
  const wasAmbiguous = before.some((attempt) => attempt.outcome === 'ambiguous');
  return wasAmbiguous && ONE_REPEAT_WHEN_AMBIGUOUS.includes(channel);
}

function isLost(attempt: Attempt): boolean {
  return attempt.lost === true;
}
