/** What becomes of a delivery once its attempt was answered, lost, or could not begin (A3, A4). */
import { assertNever } from '../step.js';
import { attempted } from './attempts.js';
import { end, replace, underWay } from './deliveries.js';
import type { AlertEvent } from './events.js';
import { hold } from './held.js';
import { offer } from './offers.js';
import type { AlertState, Delivery } from './state.js';

type Answered = Extract<AlertEvent, { type: 'attempted' | 'attemptLost' | 'attemptNotMade' }>;

/** Only the attempt that is under way is answered. */
export function answered(state: AlertState, event: Answered, now: number): AlertState {
  const delivery = underWay(state, event.delivery, event.attempt);
  if (delivery === undefined) return state;
  switch (event.type) {
    case 'attemptLost':
      return attempted(state, delivery, 'lost', now);
    case 'attemptNotMade':
      return postponed(state, delivery, now);
    case 'attempted':
      return settled(state, delivery, event.answer, now);
    default:
      return assertNever(event);
  }
}

function settled(
  state: AlertState,
  delivery: Delivery,
  answer: Extract<AlertEvent, { type: 'attempted' }>['answer'],
  now: number,
): AlertState {
  switch (answer.type) {
    case 'sent':
      return attempted(state, delivery, answer.outcome, now);
    case 'suppressed':
      return end(state, delivery, { status: 'suppressed', suppression: answer.reason }, now);
    case 'held':
      return hold(state, delivery, answer, now);
    case 'offered':
      return offer(state, delivery, answer.confirmWithinMs, now);
    default:
      return assertNever(answer);
  }
}

/** It could not begin, which costs no attempt. */
function postponed(state: AlertState, delivery: Delivery, now: number): AlertState {
  return replace(state, {
    ...delivery,
    status: 'due',
    dueAt: now + state.input.policy.retryMs,
  });
}
