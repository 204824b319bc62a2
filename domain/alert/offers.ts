/**
 * Push: a delivery is handed to whoever is connected, and counts once somebody has confirmed it.
 * O-1. Nobody did in time: it has failed for good, and its fallback follows at once (A5).
 * O-2. Whoever confirms is quick: the word may come before the answer of the attempt that handed it
 *      over, or after that attempt was lost. It counts as long as the delivery has not ended, and
 *      that answer then comes too late to change anything.
 */
import { attempted } from './attempts.js';
import { end, note, replace, sendingOf } from './deliveries.js';
import type { Outcome } from './outcome.js';
import type { AlertState, Delivery } from './state.js';

const CONFIRMED: Outcome = { kind: 'accepted', reason: 'confirmed by the recipient' };
const UNCONFIRMED: Outcome = {
  kind: 'permanent_recipient',
  reason: 'nobody confirmed it in time',
};

export function offer(
  state: AlertState,
  delivery: Delivery,
  confirmWithinMs: number,
  now: number,
): AlertState {
  const { id, route, attempts } = delivery;
  const offered: Delivery = { ...delivery, status: 'offered', dueAt: now + confirmWithinMs };
  return note(replace(state, offered), now, {
    ...{ what: 'offered', delivery: id, channel: route.channel, attempt: attempts.length + 1 },
  });
}

/** O-2. A word that comes after its end changes nothing: its fallback is under way. */
export function confirmed(state: AlertState, id: string, now: number): AlertState {
  const delivery = state.deliveries.find((each) => each.id === id);
  if (delivery === undefined) return state;
  const { status, route, attempts } = delivery;
  const isQuick = status === 'sending' && route.channel === 'push';
  if (status === 'offered' || isQuick) return settleOffer(state, delivery, CONFIRMED, now);
  // Never tried: nobody has anything to confirm.
  if (status !== 'due' || attempts.length === 0) return state;
  return end(state, delivery, { status: 'accepted' }, now);
}

/** O-1. */
export function giveUpOffers(before: AlertState, now: number): AlertState {
  return before.deliveries.reduce(
    (state, delivery) =>
      delivery.status === 'offered' && (delivery.dueAt ?? 0) <= now
        ? settleOffer(state, delivery, UNCONFIRMED, now)
        : state,
    before,
  );
}

function settleOffer(
  state: AlertState,
  delivery: Delivery,
  outcome: Outcome,
  now: number,
): AlertState {
  return attempted(state, sendingOf(delivery), outcome, now);
}
