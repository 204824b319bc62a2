/** The answer to the `alertStatus` query. */
import { resultOf } from './result.js';
import type { AlertState } from './state.js';
import type { AlertStatus } from './view.js';

export function alertStatusOf(state: AlertState): AlertStatus {
  const { input, phase, raisedAt, acknowledged, resolved, deliveries, rejected } = state;
  const result = resultOf(state);
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
    result,
    exhausted: result === 'exhausted',
    rejected,
  };
}
