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
import { end, note, replace, sendingOf, underWay } from './deliveries.js';
import type { AlertEffect, AlertEvent } from './events.js';
import { afterAttempt, afterLoss, LOST } from './ladder.js';
import type { Outcome, Suppression } from './outcome.js';
import type { AlertInput, AlertState, Delivery } from './state.js';
import { alertStatusOf, hasEnded } from './status.js';

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
      status: 'due',
      dueAt: now,
      attempts: [],
    })),
    unwritten: [],
    nextEntry: 1,
    writing: 0,
    rejected: 0,
  };
}

export function reduceAlert(state: AlertState, event: AlertEvent, now: number): AlertStep {
  switch (event.type) {
    case 'began':
      return advance(note(state, now, { what: 'raised' }), now);
    case 'attempted':
      return event.answer.type === 'sent'
        ? advance(attempted(state, event.delivery, event.attempt, event.answer.outcome, now), now)
        : advance(suppress(state, event.delivery, event.attempt, event.answer.reason, now), now);
    case 'attemptLost':
      return advance(attempted(state, event.delivery, event.attempt, 'lost', now), now);
    case 'attemptNotMade':
      return advance(postpone(state, event.delivery, event.attempt, now), now);
    case 'acknowledged':
      return advance(acknowledged(state, event, now), now);
    case 'resolved':
      return advance(resolved(state, event, now), now);
    case 'subjectEnded':
      return advance(resolved(state, { by: 'period end' }, Math.min(event.at, now)), now);
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
  let state = conclude(before, now);
  for (const delivery of state.deliveries) {
    if (delivery.status !== 'due' || (delivery.dueAt ?? 0) > now) continue;
    const held = wordAgainst(state, delivery.purpose);
    if (held !== undefined) {
      state = end(state, delivery, { status: 'suppressed', suppression: held }, now);
      continue;
    }
    const { id, route, purpose } = delivery;
    state = replace(state, { ...sendingOf(delivery) });
    effects.push({
      type: 'deliver',
      input: state.input,
      delivery: { id, route, purpose },
      attempt: delivery.attempts.length + 1,
    });
  }
  return journal(conclude(state, now), effects, now);
}

/**
 * A person's word ends all sending. Whoever performs a `deliver` asks again right before:
 * a rotation may have held it back while the word came (A8).
 */
export function wordAgainst(
  state: AlertState,
  purpose: Delivery['purpose'],
): Suppression | undefined {
  if (purpose === 'resolve') return undefined;
  if (state.phase === 'acknowledged') return 'acknowledged';
  if (state.resolved !== undefined && state.resolved.by !== 'period end') return 'resolved';
  return state.acknowledged !== undefined ? 'acknowledged' : undefined;
}

function attempted(
  state: AlertState,
  id: string,
  no: number,
  came: Outcome | 'lost',
  now: number,
): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  const { route, attempts: before } = delivery;
  const { ladderMs } = state.input.policy;
  const [outcome, next] =
    came === 'lost'
      ? [LOST, afterLoss(route.channel, before, ladderMs)]
      : [came, afterAttempt(route.channel, before, came, ladderMs)];
  const attempt = { no, at: now, outcome: outcome.kind, reason: outcome.reason.slice(0, 200) };
  const tried: Delivery = {
    ...delivery,
    attempts: [...before, came === 'lost' ? { ...attempt, lost: true } : attempt],
  };
  const noted = note(replace(state, tried), now, {
    what: 'attempt',
    delivery: id,
    channel: delivery.route.channel,
    attempt: no,
    reason: `${outcome.kind}: ${outcome.reason}`.slice(0, 200),
  });
  if (next.type === 'accepted') return end(noted, tried, { status: 'accepted' }, now);
  if (next.type === 'failed') return end(noted, tried, { status: 'failed' }, now);
  return replace(noted, { ...tried, status: 'due', dueAt: now + next.afterMs });
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

function postpone(state: AlertState, id: string, no: number, now: number): AlertState {
  const delivery = underWay(state, id, no);
  if (delivery === undefined) return state;
  return replace(state, {
    ...delivery,
    status: 'due',
    dueAt: now + state.input.policy.retryMs,
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

/** T7: who was told is told that it is over; a late alert, nobody's period, ends with its deliveries. */
function conclude(before: AlertState, now: number): AlertState {
  let state = before;
  const fires = state.deliveries.filter((delivery) => delivery.purpose === 'fire');
  if (state.phase !== 'resolved' && state.input.facts.late === true && fires.every(hasEnded)) {
    return resolved(state, { by: 'delivered' }, now);
  }
  if (state.phase !== 'resolved' || state.input.facts.late === true) return state;
  for (const [index, delivery] of fires.entries()) {
    const id = deliveryId(state.input.id, index, 'resolve');
    const told = state.deliveries.some((each) => each.id === id);
    if (told || delivery.status !== 'accepted') continue;
    state = {
      ...state,
      deliveries: [
        ...state.deliveries,
        { id, route: delivery.route, purpose: 'resolve', status: 'due', dueAt: now, attempts: [] },
      ],
    };
  }
  return state;
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

/** Every first attempt is under way and nothing was written yet: an answer or a time-out comes. */
function awaitsFirstAnswer({ unwritten, deliveries }: AlertState): boolean {
  return (
    unwritten[0]?.no === 1 &&
    deliveries.length > 0 &&
    deliveries.every(({ status, attempts }) => status === 'sending' && attempts.length === 0)
  );
}

/** The earliest attempt or rewrite. Both are in the future once `advance` has run at their time. */
function dueAtOf(state: AlertState): number | undefined {
  let earliest = state.writing === 0 ? state.rewriteAt : undefined;
  for (const { status, dueAt } of state.deliveries) {
    if (status !== 'due' || dueAt === undefined) continue;
    earliest = Math.min(earliest ?? dueAt, dueAt);
  }
  return earliest;
}
