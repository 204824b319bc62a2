/**
 * The operators, where an alert has reached nobody: before it is given up, they are told at once.
 * LO-1. Not before everything else has ended, its ladders and fallbacks; never while something is
 *       held, nor after a person's word, nor where somebody has it or will read it in a digest.
 * LO-2. Only their ways that this alert has not tried (A5), so it comes once; it has no fallback.
 *       It is of no level: a silence holds it until its end, and ends no escalation with it.
 * LO-3. Something failed or could not be made; of a critical alert also where its people's own
 *       choices kept all of it from them. What another alert has told, or a silence or a storm
 *       held back, is no failure.
 * LO-4. Not for what can wait for a digest, what is found late (B4), or what the service says of
 *       itself: that goes to the operators anyway.
 * Each part of an alert that was spread (A14) does so for itself: a double is better than silence.
 */
import { deliveryId } from '../ids.js';
import { isUrgent } from '../severity.js';
import { note } from './deliveries.js';
import { isUnreached, triedWays, wayOf } from './fallback.js';
import type { Suppression } from './outcome.js';
import { hasEnded } from './result.js';
import type { AlertInput, AlertState, Delivery, LastResortReason } from './state.js';

/** LO-3. What people decide for themselves (P1, P2, P4). */
const OWN_CHOICES: ReadonlySet<Suppression> = new Set<Suppression>([
  'preference',
  'priority',
  'quiet_hours',
]);

/** `isOver`: a person has taken the alert or ended it. */
export function openLastResort(before: AlertState, isOver: boolean, now: number): AlertState {
  const reason = isOver ? undefined : reasonOf(before);
  if (reason === undefined) return before;
  const tried = triedWays(before);
  const { priority } = before.input.facts;
  let state = before;
  for (const way of before.input.response?.operators ?? []) {
    if (tried.has(wayOf(way)) || (way.channel === 'sms' && !isUrgent(priority))) continue;
    tried.add(wayOf(way));
    const no = state.deliveries.filter(({ cause }) => cause === 'last_resort').length + 1;
    const told: Delivery = {
      id: deliveryId(state.input.id, `last-resort-${String(no)}`),
      ...{ route: way, purpose: 'fire', cause: 'last_resort', status: 'due', dueAt: now },
      attempts: [],
    };
    const { id: delivery, route } = told;
    const opened = { ...state, deliveries: [...state.deliveries, told] };
    state = note(opened, now, { what: 'last_resort', delivery, channel: route.channel, reason });
  }
  return state;
}

/** LO-1, LO-3. */
function reasonOf({ input, deliveries }: AlertState): LastResortReason | undefined {
  if (!hasLastResort(input)) return undefined;
  const fires = deliveries.filter(({ purpose }) => purpose === 'fire');
  const isSettled = fires.every(
    (delivery) =>
      hasEnded(delivery) && delivery.status !== 'accepted' && delivery.suppression !== 'digest',
  );
  if (!isSettled || fires.length === 0) return undefined;
  if (fires.some(isUnreached)) return 'nobody_reached';
  const isChosen = fires.every(
    ({ suppression }) => suppression !== undefined && OWN_CHOICES.has(suppression),
  );
  return isChosen && input.facts.priority === 'critical' ? 'nobody_willing' : undefined;
}

/** LO-4. */
function hasLastResort({ facts }: AlertInput): boolean {
  if (facts.priority === 'low') return false;
  if (facts.kind === 'notice') return facts.topic !== 'service';
  return facts.kind === 'rule' || facts.late !== true;
}
