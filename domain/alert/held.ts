/**
 * Deliveries that wait for the end of quiet hours (P4) or of a silence (A13).
 * H-1. Waiting costs no attempt; why it waits is said once, however often it is asked.
 * H-2. A level of escalation does not wait for the end of a silence: it is over, and so is all of
 *      the escalation (A8).
 * H-3. Whoever is told that a silence has ended asks at once, also where the answer to an earlier
 *      question, from before that end, is still under way.
 */
import { end, note, replace, sendingOf } from './deliveries.js';
import type { AlertRoute, AlertState, Delivery } from './state.js';

/** How a delivery begins: due at once, or at the end of quiet hours. */
export function openingOf(
  { notBefore }: AlertRoute,
  now: number,
): Pick<Delivery, 'status' | 'dueAt' | 'heldFor' | 'attempts'> {
  return notBefore === undefined || notBefore <= now
    ? { status: 'due', dueAt: now, attempts: [] }
    : { status: 'due', dueAt: notBefore, heldFor: 'quiet_hours', attempts: [] };
}

/** A10. Said once for each delivery that begins by waiting. */
export function noteHeld(before: AlertState, begun: readonly Delivery[], now: number): AlertState {
  return begun.reduce((state, { id, route, heldFor }) => {
    if (heldFor === undefined || route.suppressed !== undefined) return state;
    return note(state, now, {
      ...{ what: 'held', delivery: id, channel: route.channel, reason: heldFor },
    });
  }, before);
}

/** A13. The answer to an attempt: nothing was sent, and nothing will be before `until`. */
export function hold(
  state: AlertState,
  delivery: Delivery,
  { reason, until }: { readonly reason: 'silenced'; readonly until: number },
  now: number,
): AlertState {
  if (delivery.level !== undefined) {
    const ended = { ...state, escalationEnded: true } as const;
    return end(ended, delivery, { status: 'suppressed', suppression: reason }, now);
  }
  const { asksAgain, ...rest } = delivery;
  const waiting = replace(state, {
    ...{ ...rest, status: 'due', heldFor: reason, silencedAt: now },
    dueAt: asksAgain === true ? now : Math.max(until, now + state.input.policy.retryMs),
  });
  if (isSaid(delivery)) return waiting;
  const { channel } = delivery.route;
  return note(waiting, now, { what: 'held', delivery: delivery.id, channel, reason });
}

/** H-1. After an attempt that was made it is a new decision. */
function isSaid({ silencedAt, attempts }: Delivery): boolean {
  return silencedAt !== undefined && (attempts.at(-1)?.at ?? silencedAt) <= silencedAt;
}

/** H-3. */
export function askHeld(state: AlertState, now: number): AlertState {
  const deliveries = state.deliveries.map((delivery): Delivery => {
    const { status, purpose, heldFor, dueAt = now } = delivery;
    if (status === 'due' && heldFor === 'silenced') {
      return { ...delivery, dueAt: Math.min(dueAt, now) };
    }
    const isAsking = status === 'sending' && purpose === 'fire';
    return isAsking ? { ...delivery, asksAgain: true } : delivery;
  });
  return { ...state, deliveries };
}

/** Its next attempt begins. What a silence held has its time from here (A8). */
export function begunOf(delivery: Delivery, now: number): Delivery {
  const sending = sendingOf(delivery);
  return delivery.heldFor === 'silenced' ? { ...sending, silencedAt: now } : sending;
}
