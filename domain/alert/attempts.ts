/** One attempt has ended: the delivery with it, or the ladder's next rung is set (A3, A4). */
import { end, note, replace } from './deliveries.js';
import { afterAttempt, afterLoss, LOST } from './ladder.js';
import type { Outcome } from './outcome.js';
import type { AlertState, Delivery } from './state.js';

/** `delivery` is being sent; the attempt is its next. */
export function attempted(
  state: AlertState,
  delivery: Delivery,
  came: Outcome | 'lost',
  now: number,
): AlertState {
  const { id, route, attempts: before } = delivery;
  const no = before.length + 1;
  const { ladderMs } = state.input.policy;
  const [outcome, next] =
    came === 'lost'
      ? [LOST, afterLoss(route.channel, before, ladderMs)]
      : [came, afterAttempt(route.channel, before, came, ladderMs)];
  const attempt = { no, at: now, outcome: outcome.kind, reason: outcome.reason.slice(0, 200) };
  const tried: Delivery = {
    ...delivery,
    attempts: [...before, came === 'lost' ? { ...attempt, lost: true } : attempt],
  };
  const noted = note(replace(state, tried), now, {
    what: 'attempt',
    delivery: id,
    channel: route.channel,
    attempt: no,
    reason: `${outcome.kind}: ${outcome.reason}`.slice(0, 200),
  });
  if (next.type === 'accepted') return end(noted, tried, { status: 'accepted' }, now);
  if (next.type === 'failed') return end(noted, tried, { status: 'failed' }, now);
  return replace(noted, { ...tried, status: 'due', dueAt: now + next.afterMs });
}
