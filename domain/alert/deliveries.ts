/** Changes of one delivery, each with its entry of the journal where it is a decision (A10). */
import type { Suppression } from './outcome.js';
import type { AlertState, Delivery, JournalEntry } from './state.js';

/** The delivery, if this attempt of it is under way; an answer to any other changes nothing. */
export function underWay(state: AlertState, id: string, no: number): Delivery | undefined {
  const delivery = state.deliveries.find((each) => each.id === id);
  if (delivery?.status !== 'sending') return undefined;
  return delivery.attempts.length + 1 === no ? delivery : undefined;
}

export function end(
  state: AlertState,
  delivery: Delivery,
  how:
    | { readonly status: 'accepted' | 'failed' }
    | { readonly status: 'suppressed'; readonly suppression: Suppression },
  now: number,
): AlertState {
  const rest = idleOf(delivery);
  return note(replace(state, { ...rest, ...how, endedAt: now }), now, {
    what: how.status === 'accepted' ? 'delivered' : how.status,
    delivery: delivery.id,
    channel: delivery.route.channel,
    ...(how.status === 'suppressed' ? { reason: how.suppression } : {}),
  });
}

export function sendingOf(delivery: Delivery): Delivery {
  return { ...idleOf(delivery), status: 'sending' };
}

/** Without what it waits for, and what was said to the attempt that is over. */
function idleOf(delivery: Delivery): Omit<Delivery, 'dueAt' | 'heldFor'> {
  const { dueAt: _at, heldFor: _held, asksAgain: _asks, ...rest } = delivery;
  return rest;
}

export function replace(state: AlertState, delivery: Delivery): AlertState {
  return {
    ...state,
    deliveries: state.deliveries.map((each) => (each.id === delivery.id ? delivery : each)),
  };
}

export function note(
  state: AlertState,
  at: number,
  entry: Omit<JournalEntry, 'no' | 'at'>,
): AlertState {
  return {
    ...state,
    unwritten: [...state.unwritten, { no: state.nextEntry, at, ...entry }],
    nextEntry: state.nextEntry + 1,
  };
}
