/**
 * A8. Who is told next when nobody takes an alert. A level's clock starts at the first accepted
 * delivery of what came before, or at the last one that ended where none was accepted, and at the
 * latest when its ladder would have ended had no provider asked for a longer wait. A level held
 * whole by quiet hours is passed over at once; one that a silence holds has no clock until it is
 * sent, and a silence that meets a level ends the escalation. Late alerts and notices never
 * escalate (B4).
 */
import { deliveryId } from '../ids.js';
import { note } from './deliveries.js';
import { endsByItself } from './ending.js';
import { noteHeld, openingOf } from './held.js';
import { hasEnded } from './result.js';
import type { AlertState, Delivery, EscalationLevel } from './state.js';

/** When the next level begins; undefined while that is open, or when there is none. */
export function escalationDueAt(state: AlertState): number | undefined {
  const level = nextLevel(state);
  if (level === undefined) return undefined;
  const stage = stageOf(state);
  const from = clockOf(state, stage);
  if (from === undefined) return undefined;
  return isHeldWhole(stage) ? from : from + level.afterMs;
}

/** Nobody of it is told before quiet hours end. */
function isHeldWhole(stage: readonly Delivery[]): boolean {
  return (
    stage.some(isQuiet) &&
    stage.every((delivery) => isQuiet(delivery) || delivery.status === 'suppressed')
  );
}

function isQuiet({ heldFor, suppression }: Delivery): boolean {
  return heldFor === 'quiet_hours' || suppression === 'quiet_hours';
}

/** Begins the levels that are due. */
export function escalate(before: AlertState, now: number): AlertState {
  let state = before;
  for (;;) {
    const level = nextLevel(state);
    const due = escalationDueAt(state);
    if (level === undefined || due === undefined || due > now) return state;
    state = begin(state, level, now);
  }
}

function nextLevel(state: AlertState): EscalationLevel | undefined {
  const { input, phase, escalated, escalationEnded = false } = state;
  const escalation = input.response?.escalation;
  if (escalation === undefined || phase !== 'firing' || endsByItself(input)) return undefined;
  if (escalationEnded) return undefined;
  const { levels, rounds } = escalation;
  if (escalated >= levels.length * rounds) return undefined;
  return levels[escalated % levels.length];
}

function stageOf({ deliveries, escalated }: AlertState): Delivery[] {
  return deliveries.filter(
    ({ purpose, level }) => purpose === 'fire' && (level ?? 0) === escalated,
  );
}

function clockOf(state: AlertState, stage: readonly Delivery[]): number | undefined {
  const accepted = stage.filter(({ status }) => status === 'accepted');
  const ends = (of: readonly Delivery[]): number[] => of.map(({ endedAt }) => endedAt ?? 0);
  if (accepted.length > 0) return Math.min(...ends(accepted));
  const began = Math.max(
    state.stageAt ?? state.raisedAt,
    ...stage.map(({ silencedAt }) => silencedAt ?? 0),
  );
  if (isHeldWhole(stage) && !stage.every(hasEnded)) return began;
  if (stage.some(({ heldFor }) => heldFor === 'silenced')) return undefined;
  if (!stage.every(hasEnded)) return began + ladderLength(state);
  return stage.length === 0
    ? began
    : Math.min(Math.max(...ends(stage)), began + ladderLength(state));
}

/** An attempt ends within 5 s (workflows/alert.ts). */
const ATTEMPT_MS = 5_000;

function ladderLength({ input: { policy } }: AlertState): number {
  const waits = policy.ladderMs.reduce((sum, ms) => sum + ms, 0);
  return waits + (policy.ladderMs.length + 1) * ATTEMPT_MS;
}

function begin(state: AlertState, level: EscalationLevel, now: number): AlertState {
  const no = state.escalated + 1;
  const deliveries = level.routes.map((route, index): Delivery => ({
    id: deliveryId(state.input.id, `level-${String(no)}-${String(index)}`),
    ...{ route, purpose: 'fire', cause: 'level', level: no },
    ...openingOf(route, now),
  }));
  const begun = {
    ...state,
    escalated: no,
    stageAt: now,
    deliveries: [...state.deliveries, ...deliveries],
  };
  const told = note(begun, now, { what: 'escalated', reason: `level ${String(no)}` });
  return noteHeld(told, deliveries, now);
}
