/**
 * A8. Who is told next when nobody takes an alert. A level's clock starts at the first accepted
 * delivery of what came before, or at the last one that ended where none was accepted, and at the
 * latest when its ladder would have ended had no provider asked for a longer wait; a level
 * held whole by quiet hours is passed over at once. Late alerts and notices never escalate (B4).
 */
import { deliveryId } from '../ids.js';
import { note } from './deliveries.js';
import { endsByItself } from './ending.js';
import { hasEnded } from './result.js';
import type { AlertState, Delivery, EscalationLevel } from './state.js';

/** When the next level begins; undefined while that is open, or when there is none. */
export function escalationDueAt(state: AlertState): number | undefined {
  const level = nextLevel(state);
  if (level === undefined) return undefined;
  const stage = stageOf(state);
  const from = clockOf(state, stage);
  if (from === undefined) return undefined;
  const isHeld =
    stage.length > 0 && stage.every(({ suppression }) => suppression === 'quiet_hours');
  return isHeld ? from : from + level.afterMs;
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

function nextLevel({ input, phase, escalated }: AlertState): EscalationLevel | undefined {
  const escalation = input.response?.escalation;
  if (escalation === undefined || phase !== 'firing' || endsByItself(input)) return undefined;
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
  const began = state.stageAt ?? state.raisedAt;
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
    ...{ status: 'due', dueAt: now, attempts: [] },
  }));
  const begun = {
    ...state,
    escalated: no,
    stageAt: now,
    deliveries: [...state.deliveries, ...deliveries],
  };
  return note(begun, now, { what: 'escalated', reason: `level ${String(no)}` });
}
