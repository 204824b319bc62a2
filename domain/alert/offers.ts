/**
 * Push: a delivery is handed to whoever is connected, and counts once somebody has confirmed it.
 * Nobody did in time: it has failed for good, and its fallback follows at once (A5).
 */
import { attempted } from './attempts.js';
import { note, replace, sendingOf, takenUp, underWay } from './deliveries.js';
import type { Outcome } from './outcome.js';
import type { AlertState, Delivery } from './state.js';

export function offer(
  state: AlertState,
  id: string,
  no: number,
  confirmWithinMs: number,
  now: number,
): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  const offered: Delivery = { ...delivery, status: 'offered', dueAt: now + confirmWithinMs };
  const { channel } = delivery.route;
  return note(replace(state, offered), now, {
    ...{ what: 'offered', delivery: id, channel, attempt: no },
  });
}

const CONFIRMED: Outcome = { kind: 'accepted', reason: 'confirmed by the recipient' };
const UNCONFIRMED: Outcome = {
  kind: 'permanent_recipient',
  reason: 'nobody confirmed it in time',
};

/**
 * A word that comes after its time changes nothing: its fallback is under way. One that comes
 * before the answer that it was offered counts: people may be quicker than that answer.
 */
export function confirmed(state: AlertState, id: string, now: number): AlertState {
  const delivery = takenUp(state, id);
  return delivery === undefined ? state : settleOffer(state, delivery, CONFIRMED, now);
}

/** A5. Who does not confirm was not reached: the fallback follows at once. */
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
  const sending = replace(state, sendingOf(delivery));
  return attempted(sending, delivery.id, delivery.attempts.length + 1, outcome, now);
}
