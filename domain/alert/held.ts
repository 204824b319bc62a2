/** Deliveries that wait for the end of quiet hours (P4) or of a silence (A13). */
import { note, replace, underWay } from './deliveries.js';
import type { AlertState, Delivery } from './state.js';

/** A10. Said once for each delivery that the alert begins with. */
export function noteHeld(before: AlertState, now: number): AlertState {
  return before.deliveries.reduce((state, { id, route, heldFor }) => {
    if (heldFor === undefined || route.suppressed !== undefined) return state;
    return note(state, now, {
      ...{ what: 'held', delivery: id, channel: route.channel, reason: heldFor },
    });
  }, before);
}

/** A13. It costs no attempt; why it waits is said once, however often it is tried. */
export function hold(
  state: AlertState,
  id: string,
  no: number,
  { reason, until }: { readonly reason: 'silenced'; readonly until: number },
  now: number,
): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  const held: Delivery = {
    ...{ ...delivery, status: 'due', heldFor: reason },
    dueAt: Math.max(until, now + state.input.policy.retryMs),
  };
  const isKnown = delivery.silenced === true;
  const waiting = replace(state, { ...held, silenced: true });
  if (isKnown) return waiting;
  const { channel } = delivery.route;
  return note(waiting, now, { what: 'held', delivery: id, channel, reason });
}

/** A13. What waited for the end of a silence asks again at once. */
export function tryHeld(state: AlertState, now: number): AlertState {
  const deliveries = state.deliveries.map((delivery) =>
    delivery.status === 'due' && delivery.heldFor === 'silenced'
      ? { ...delivery, dueAt: Math.min(delivery.dueAt ?? now, now) }
      : delivery,
  );
  return { ...state, deliveries };
}
