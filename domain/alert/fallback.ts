/**
 * A5. A delivery that cannot reach anyone goes one hop: to the first destination of the operators
 * that this alert has not tried, on another channel if there is one; a recipient's goes to another
 * of his own ways. A fallback has no fallback.
 */
import { deliveryId } from '../ids.js';
import { note, replace } from './deliveries.js';
import type { Suppression } from './outcome.js';
import { hasEnded } from './result.js';
import type { AlertRoute, AlertState, AlertWay, Delivery } from './state.js';

/** Not a decision to be silent, but nobody to tell. */
const REACHES_NOBODY: ReadonlySet<Suppression> = new Set<Suppression>([
  'no_destination',
  'unsupported_channel',
  'unverified',
  'unhealthy_destination',
  'daily_cap',
]);

/** `isOver`: a person has taken the alert or ended it, so nothing is opened any more. */
export function openFallbacks(before: AlertState, isOver: boolean, now: number): AlertState {
  let state = before;
  for (const delivery of before.deliveries) {
    if (!wantsFallback(delivery)) continue;
    const handled: Delivery = { ...delivery, fellBack: true };
    const route = isOver ? undefined : untriedWay(state, delivery.route);
    state = replace(state, handled);
    if (route !== undefined) state = open(state, handled, route, now);
  }
  return state;
}

function wantsFallback(delivery: Delivery): boolean {
  const { purpose, cause, fellBack } = delivery;
  if (purpose !== 'fire' || cause === 'fallback' || fellBack || !hasEnded(delivery)) return false;
  return cause !== 'last_resort' && isUnreached(delivery);
}

/** It failed for good, or could not be made. */
export function isUnreached({ status, suppression }: Delivery): boolean {
  return status === 'failed' || (suppression !== undefined && REACHES_NOBODY.has(suppression));
}

/** A recipient's own ways, in their order; else the operators', on another channel if there is one. */
function untriedWay(state: AlertState, failed: AlertRoute): AlertWay | undefined {
  const tried = triedWays(state);
  const ways = failed.fallback ?? state.input.response?.operators ?? [];
  const untried = ways.filter((way) => !tried.has(wayOf(way)));
  if (failed.fallback !== undefined) return untried[0];
  return untried.find(({ channel }) => channel !== failed.channel) ?? untried[0];
}

/** What was only decided against has not been tried. */
export function triedWays({ deliveries }: AlertState): Set<string> {
  return new Set(
    deliveries.flatMap(({ route }) => (route.suppressed === undefined ? [wayOf(route)] : [])),
  );
}

/** Two people's sockets are two ways; one mailbox is one, whoever reads it. */
export function wayOf({ channel, destination, recipient }: AlertWay): string {
  return `${channel} ${destination ?? (recipient === undefined ? '' : `of ${recipient}`)}`;
}

function open(state: AlertState, of: Delivery, route: AlertWay, now: number): AlertState {
  const no = state.deliveries.filter(({ cause }) => cause === 'fallback').length + 1;
  const fallback: Delivery = {
    id: deliveryId(state.input.id, `fallback-${String(no)}`),
    ...{ route, purpose: 'fire', cause: 'fallback', status: 'due', dueAt: now, attempts: [] },
    ...(of.level === undefined ? {} : { level: of.level }),
  };
  const opened = { ...state, deliveries: [...state.deliveries, fallback] };
  return note(opened, now, {
    what: 'fallback',
    delivery: fallback.id,
    channel: route.channel,
    reason: `after ${of.id}`.slice(-200),
  });
}
