/** What becomes of a delivery once its attempt was answered, lost, or could not begin (A3, A4). */
import { assertNever } from '../step.js';
import { attempted } from './attempts.js';
import { end, replace, underWay } from './deliveries.js';
import type { AlertEvent } from './events.js';
import { hold } from './held.js';
import { offer } from './offers.js';
import type { Suppression } from './outcome.js';
import type { AlertState } from './state.js';

/** What follows the answer of the attempt that is under way. */
export function answered(
  state: AlertState,
  { delivery, attempt, answer }: Extract<AlertEvent, { type: 'attempted' }>,
  now: number,
): AlertState {
  switch (answer.type) {
    case 'sent':
      return attempted(state, delivery, attempt, answer.outcome, now);
    case 'suppressed':
      return suppress(state, delivery, attempt, answer.reason, now);
    case 'held':
      return hold(state, delivery, attempt, answer, now);
    case 'offered':
      return offer(state, delivery, attempt, answer.confirmWithinMs, now);
    default:
      return assertNever(answer);
  }
}

function suppress(
  state: AlertState,
  id: string,
  no: number,
  reason: Suppression,
  now: number,
): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  return end(state, delivery, { status: 'suppressed', suppression: reason }, now);
}

/** It could not begin, which costs no attempt. */
export function postpone(state: AlertState, id: string, no: number, now: number): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  return replace(state, {
    ...delivery,
    status: 'due',
    dueAt: now + state.input.policy.retryMs,
  });
}
