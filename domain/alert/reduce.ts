/**
 * The alert machine: deliveries and their ladders, acknowledgement, resolution, and a journal of
 * every attempt and every decision not to send (A10).
 *
 * Each delivery moves on its own: no event of one touches another (A3).
 * Nothing is sent after a person acknowledged or resolved: checked before every attempt (A8).
 *      A period's end is no person's word: what was never accepted goes on to its ladder's end,
 *      so that a crossing just before midnight still reaches someone.
 * An answer counts only for the attempt that is under way: a late one changes nothing.
 * Every decision is an entry of the journal, written in order, at least until it is there.
 *      The first write waits for the first answer (or its time-out): nobody waits longer for a
 *      message because the book is written meanwhile.
 */
import { deliveryId } from '../ids.js';
import { assertNever, type Machine, type Step } from '../step.js';
import { answered } from './answers.js';
import { end, note, replace } from './deliveries.js';
import { DELIVERED, endOf, endsByItself } from './ending.js';
import { escalate, escalationDueAt } from './escalation.js';
import type { AlertEffect, AlertEvent } from './events.js';
import { openFallbacks } from './fallback.js';
import { askHeld, begunOf, noteHeld, openingOf } from './held.js';
import { gateOf, isOutdated, wordAgainst } from './holds.js';
import { openLastResort } from './last-resort.js';
import { confirmed, giveUpOffers } from './offers.js';
import type { AlertInput, AlertState, Delivery } from './state.js';
import { hasEnded, resultOf } from './result.js';
import { openSequels } from './sequels.js';
import { wordToParts } from './spread.js';
import { alertStatusOf } from './status.js';

type AlertStep = Step<AlertState, AlertEffect>;

export const alertMachine: Machine<AlertState, AlertEvent, AlertEffect> = {
  reduce: reduceAlert,
  dueAt: dueAtOf,
  tick: () => ({ type: 'ticked' }),
  isSettled: (state) =>
    state.phase === 'resolved' &&
    state.deliveries.every(hasEnded) &&
    state.unwritten.length === 0 &&
    state.writing === 0,
};

/** The state an alert begins in; `began` makes its first attempts. */
export function beginAlert(input: AlertInput, now: number): AlertState {
  return {
    input,
    phase: 'firing',
    raisedAt: now,
    deliveries: input.routes.map((route, index) => ({
      id: deliveryId(input.id, index, 'fire'),
      route,
      purpose: 'fire',
      ...openingOf(route, now),
    })),
    escalated: 0,
    result: 'pending',
    unwritten: [],
    nextEntry: 1,
    writing: 0,
    rejected: 0,
  };
}

export function reduceAlert(state: AlertState, event: AlertEvent, now: number): AlertStep {
  const [next, effects] = reduceOwn(state, event, now);
  return [next, [...effects, ...wordToParts(state, event, next)]];
}

function reduceOwn(state: AlertState, event: AlertEvent, now: number): AlertStep {
  switch (event.type) {
    case 'began':
      return advance(noteHeld(note(state, now, { what: 'raised' }), state.deliveries, now), now);
    case 'attempted':
    case 'attemptLost':
    case 'attemptNotMade':
      return advance(answered(state, event, now), now);
    case 'revoked':
      return advance(revoked(state, event.delivery, event.reason, now), now);
    case 'confirmed':
      return advance(confirmed(state, event.delivery, now), now);
    case 'silenceEnded':
      return advance(askHeld(state, now), now);
    case 'acknowledged':
      return advance(acknowledged(state, event, now), now);
    case 'resolved':
      return advance(resolved(state, event, now), now);
    case 'subjectEnded':
      return advance(resolved(state, { by: endOf(state.input) }, Math.min(event.at, now)), now);
    case 'journalled':
      return advance(
        {
          ...state,
          unwritten: state.unwritten.filter((entry) => entry.no > event.upTo),
          writing: 0,
        },
        now,
      );
    case 'journalFailed':
      return [{ ...state, writing: 0, rewriteAt: now + state.input.policy.retryMs }, []];
    case 'partsTold':
      return [state, []];
    case 'rejected':
      return [{ ...state, rejected: state.rejected + 1 }, []];
    case 'ticked':
      return advance(state, now);
    default:
      return assertNever(event);
  }
}

/** What is due is sent or suppressed, ends are noted, and the journal is written. */
function advance(before: AlertState, now: number): AlertStep {
  const effects: AlertEffect[] = [];
  let state = conclude(giveUpOffers(before, now), now);
  for (;;) {
    const [sent, more] = sendDue(state, now);
    effects.push(...more);
    state = conclude(sent, now);
    // What followed from it, as a fallback, is not made to wait for a timer.
    if (state.deliveries.length === sent.deliveries.length) return journal(state, effects, now);
  }
}

function sendDue(before: AlertState, now: number): AlertStep {
  const effects: AlertEffect[] = [];
  let state = before;
  for (const delivery of before.deliveries) {
    if (delivery.status !== 'due') continue;
    // A person's word ends what waits for its next attempt, too.
    const word =
      wordAgainst(state, delivery.purpose) ??
      delivery.route.suppressed ??
      (isOutdated(state, delivery) ? 'resolved' : undefined);
    if (word === undefined && (delivery.dueAt ?? 0) > now) continue;
    const held = word ?? gateOf(state, delivery);
    if (held !== undefined) {
      state = end(state, delivery, { status: 'suppressed', suppression: held }, now);
      continue;
    }
    const { id, route, purpose, cause } = delivery;
    state = replace(state, begunOf(delivery, now));
    effects.push({
      type: 'deliver',
      input: state.input,
      delivery: { id, route, purpose, ...(cause === undefined ? {} : { cause }) },
      attempt: delivery.attempts.length + 1,
    });
  }
  return [state, effects];
}

/** A6. A vote taken back opens the fallback, unless a person has taken the alert meanwhile. */
function revoked(state: AlertState, id: string, reason: string, now: number): AlertState {
  const delivery = state.deliveries.find((each) => each.id === id);
  if (delivery?.status !== 'accepted' || delivery.purpose !== 'fire') return state;
  const said = reason.slice(0, 200);
  const failed = replace(state, { ...delivery, status: 'failed', endedAt: now });
  return note(failed, now, {
    what: 'revoked',
    delivery: id,
    channel: delivery.route.channel,
    reason: said,
  });
}

function acknowledged(
  state: AlertState,
  actor: { readonly by: string; readonly note?: string },
  now: number,
): AlertState {
  if (state.phase !== 'firing') return state;
  const { by } = actor;
  const word = actor.note === undefined ? {} : { note: actor.note };
  return note({ ...state, phase: 'acknowledged', acknowledged: { by, at: now, ...word } }, now, {
    what: 'acknowledged',
    by,
    ...(actor.note === undefined ? {} : { reason: actor.note }),
  });
}

function resolved(
  state: AlertState,
  actor: { readonly by: string; readonly note?: string },
  at: number,
): AlertState {
  if (state.phase === 'resolved') return state;
  const { by } = actor;
  const word = actor.note === undefined ? {} : { note: actor.note };
  return note({ ...state, phase: 'resolved', resolved: { by, at, ...word } }, at, {
    what: 'resolved',
    by,
    ...(actor.note === undefined ? {} : { reason: actor.note }),
  });
}

/** Everything that follows from where the deliveries stand. */
function conclude(before: AlertState, now: number): AlertState {
  const isOver = wordAgainst(before, 'fire') !== undefined;
  const escalated = escalate(openFallbacks(before, isOver, now), now);
  const opened = openLastResort(escalated, isOver, now);
  const fires = opened.deliveries.filter(({ purpose }) => purpose === 'fire');
  const state =
    endsByItself(opened.input) && opened.phase !== 'resolved' && fires.every(hasEnded)
      ? resolved(opened, { by: DELIVERED }, now)
      : opened;
  return noteResult(openSequels(state, now), now);
}

/** A1, A6: said once, and again when it changes. */
function noteResult(state: AlertState, now: number): AlertState {
  const result = resultOf(state);
  if (result === state.result) return state;
  const told = { ...state, result };
  if (result !== 'degraded' && result !== 'exhausted') return told;
  const reason = 'fewer channels have accepted it than its priority asks for';
  return note(told, now, { what: result, ...(result === 'degraded' ? { reason } : {}) });
}

/** One write at a time; a failed one is repeated with whatever came since. */
function journal(state: AlertState, effects: readonly AlertEffect[], now: number): AlertStep {
  if (state.writing > 0 || state.unwritten.length === 0) return [state, effects];
  if (state.rewriteAt === undefined ? awaitsFirstAnswer(state) : state.rewriteAt > now) {
    return [state, effects];
  }
  const { rewriteAt: _tried, ...rest } = state;
  return [
    { ...rest, writing: state.unwritten.length },
    [...effects, { type: 'journal', status: alertStatusOf(state), entries: state.unwritten }],
  ];
}

/** First attempts are under way and nothing was written yet: an answer or a time-out comes. */
function awaitsFirstAnswer({ unwritten, deliveries }: AlertState): boolean {
  const isFirst = ({ status, attempts }: Delivery): boolean =>
    status === 'sending' && attempts.length === 0;
  const isNone = ({ route, heldFor }: Delivery): boolean =>
    route.suppressed !== undefined || heldFor === 'quiet_hours';
  return (
    unwritten[0]?.no === 1 &&
    deliveries.some(isFirst) &&
    deliveries.every((delivery) => isFirst(delivery) || isNone(delivery))
  );
}

/** The earliest attempt, rewrite or level. Both are in the future once `advance` has run at their time. */
function dueAtOf(state: AlertState): number | undefined {
  let earliest = state.writing === 0 ? state.rewriteAt : undefined;
  const level = escalationDueAt(state);
  if (level !== undefined) earliest = Math.min(earliest ?? level, level);
  for (const { status, dueAt } of state.deliveries) {
    if ((status !== 'due' && status !== 'offered') || dueAt === undefined) continue;
    earliest = Math.min(earliest ?? dueAt, dueAt);
  }
  return earliest;
}
