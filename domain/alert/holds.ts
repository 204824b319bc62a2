/** What keeps a delivery that is due from being sent. */
import { isUrgent } from '../severity.js';
import { endOf } from './ending.js';
import type { Suppression } from './outcome.js';
import type { AlertState, Delivery } from './state.js';

/**
 * A person's word ends all sending. Whoever performs a `deliver` asks again right before:
 * a rotation may have held it back while the word came (A8).
 */
export function wordAgainst(
  state: AlertState,
  purpose: Delivery['purpose'],
): Suppression | undefined {
  if (purpose !== 'fire') return undefined;
  if (state.phase === 'acknowledged') return 'acknowledged';
  if (state.resolved !== undefined && state.resolved.by !== endOf(state.input)) return 'resolved';
  return state.acknowledged !== undefined ? 'acknowledged' : undefined;
}

/** P4, A13. What was held back is not sent any more once its cause is over. */
export function isOutdated({ resolved }: AlertState, { heldFor, purpose }: Delivery): boolean {
  return purpose === 'fire' && heldFor !== undefined && resolved !== undefined;
}

/** A7. A text message is for what cannot wait, whichever way it comes to be sent. */
export function gateOf(
  { input }: AlertState,
  { route, purpose }: Delivery,
): Suppression | undefined {
  if (route.channel !== 'sms' || purpose !== 'fire') return undefined;
  return isUrgent(input.facts.priority) ? undefined : 'priority';
}
