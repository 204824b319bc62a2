/** The answer to the `alertStatus` query, and what follows from the deliveries alone. */
import type { AlertState, Delivery } from './state.js';
import type { AlertStatus } from './view.js';

export function hasEnded(delivery: Delivery): boolean {
  return delivery.status !== 'due' && delivery.status !== 'sending';
}

/** A1. Every delivery has ended and none was accepted; an alert without deliveries never is. */
export function isExhausted(state: AlertState): boolean {
  const fires = state.deliveries.filter((delivery) => delivery.purpose === 'fire');
  return (
    fires.length > 0 &&
    fires.every(hasEnded) &&
    !fires.some((delivery) => delivery.status === 'accepted')
  );
}

export function alertStatusOf(state: AlertState): AlertStatus {
  const { input, phase, raisedAt, acknowledged, resolved, deliveries, rejected } = state;
  return {
    id: input.id,
    org: input.org,
    subject: input.subject,
    phase,
    facts: input.facts,
    raisedAt,
    ...(acknowledged === undefined ? {} : { acknowledged }),
    ...(resolved === undefined ? {} : { resolved }),
    deliveries,
    exhausted: isExhausted(state),
    rejected,
  };
}
