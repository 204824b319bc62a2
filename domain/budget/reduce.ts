/**
 * The budget machine: reports in, publishes and alerts out. Pure; the workflow only drives it.
 *
 * M-1. A report is evaluated before anything else happens to it (T2): what it crosses is decided
 *      in the same step that takes it in.
 * M-2. At most one publish is under way; what changed meanwhile is published right after it.
 * M-3. An alert that kills starts only after a publish that says `killed` was confirmed (K3).
 * M-4. A closing period fires what its last totals cross, then ends its alerts, then publishes.
 * M-5. An alert that kills nothing is started before the row is told: people are told first.
 * M-6. A life that begins from the row raises the alerts that are open there once more: their ids
 *      make that nothing, unless Temporal has lost them.
 */
import { assertNever, type Machine, type Step } from '../step.js';
import { alertInputOf } from './alert-input.js';
import { applyReport, newestOf, reject } from './apply-report.js';
import { dueAtOf } from './due.js';
import { endsAtOf } from './ends.js';
import type { BudgetEffect, BudgetEvent } from './events.js';
import { beginBudget } from './input.js';
import { markOf, publishedOf } from './publish.js';
import type { Report } from './report.js';
import type { BudgetState } from './state.js';
import { LEDGER } from './state.js';
import { spentOf, sumOf } from './sum.js';
import { fireThresholds, type Crossing } from './thresholds.js';
import { agentsOf, withAgents } from './under-limits.js';

type BudgetStep = Step<BudgetState, BudgetEffect>;

export const budgetMachine: Machine<BudgetState, BudgetEvent, BudgetEffect> = {
  reduce: reduceBudget,
  dueAt: dueAtOf,
  tick: () => ({ type: 'ticked' }),
  isSettled: (state) => state.phase === 'closed',
};

export function reduceBudget(before: BudgetState, event: BudgetEvent, now: number): BudgetStep {
  const state: BudgetState = { ...before, evaluatedAt: now };
  switch (event.type) {
    case 'began':
      return state.phase === 'opening'
        ? [state, [{ type: 'openPeriod', opening: openingOf(state) }]]
        : resume(state, now);
    case 'opened':
      return state.phase === 'opening' ? resume(opened(state, event.row), now) : [state, []];
    case 'openFailed':
      return [{ ...state, republishAt: now + state.policy.retryMs }, []];
    case 'reported':
      return reported(state, event.report, now);
    case 'rejected':
      return evaluate(reject(state, event.reason), now);
    case 'published':
      return published(state, event, now);
    case 'publishFailed':
      return [{ ...state, publishing: false, republishAt: now + state.policy.retryMs }, []];
    case 'alertRaised':
      return alertRaised(state, event.alertId, now);
    case 'raiseFailed':
      return [againLater(state, event.alertId, now), []];
    case 'alertEnded':
      return evaluate(
        {
          ...state,
          openAlerts: state.openAlerts.filter((open) => open.alertId !== event.alertId),
        },
        now,
      );
    case 'ticked':
      return ticked(state, now);
    default:
      return assertNever(event);
  }
}

/** M-6. What an earlier life has raised is raised once more, before anything new. */
function resume(state: BudgetState, now: number): BudgetStep {
  const [raised, effects] = raiseAgain(state, now);
  const [after, more] = evaluate(raised, now);
  return [after, [...effects, ...more]];
}

function openingOf(state: BudgetState): (BudgetEffect & { type: 'openPeriod' })['opening'] {
  const { key, window, name, limits } = state;
  return { key, window, name, limits };
}

/** The row wins over what a direct sender knew; reports that came meanwhile stay. */
function opened(state: BudgetState, row: (BudgetEvent & { type: 'opened' })['row']): BudgetState {
  const loaded = beginBudget({ kind: 'row', row, policy: state.policy });
  return {
    ...loaded,
    senders: newestOf(loaded.senders, state.senders),
    ...(state.run === undefined ? {} : { run: state.run }),
    rejected: state.rejected,
    ...(state.lastRejection === undefined ? {} : { lastRejection: state.lastRejection }),
  };
}

function reported(state: BudgetState, report: Report, now: number): BudgetStep {
  if (state.phase === 'closing' || state.phase === 'closed') return [state, []];
  const next = applyReport(state, report, now);
  if (next.phase === 'opening') return [next, []];
  const closes = report.closing === true && report.sender === LEDGER;
  return closes ? close(next, now) : evaluate(next, now);
}

function ticked(state: BudgetState, now: number): BudgetStep {
  const { republishAt, ...rest } = state;
  const next: BudgetState = republishAt !== undefined && republishAt <= now ? rest : state;
  if (next.phase === 'opening') {
    return next === state
      ? [state, []]
      : [next, [{ type: 'openPeriod', opening: openingOf(next) }]];
  }
  const [raised, effects] = raiseAgain(next, now);
  const ends = endsAtOf(raised);
  const isOver = raised.phase === 'open' && ends !== undefined;
  const [after, more] =
    isOver && ends + raised.policy.closeGraceMs <= now ? close(raised, now) : evaluate(raised, now);
  return [after, [...effects, ...more]];
}

/** Fires what is now passed (T2), then publishes what changed. */
function evaluate(state: BudgetState, now: number): BudgetStep {
  if (state.phase !== 'open') return publishIfChanged(state, [], now);
  const [next, effects] = fire(state, now);
  return publishIfChanged(next, effects, now);
}

function fire(state: BudgetState, now: number): [BudgetState, BudgetEffect[]] {
  const { latches, crossings, rekills } = fireThresholds(
    state.limits,
    state.latches,
    spentOf(state, now),
    now,
    state.policy.cooldownMs,
  );
  let next: BudgetState = { ...state, latches };
  const saturated = sumOf(Object.values(state.senders)).saturated;
  if (saturated && next.saturated !== true) next = { ...next, saturated };
  const effects: BudgetEffect[] = [];
  for (const crossing of crossings) next = raise(next, crossing, effects, now);
  for (const crossing of rekills) next = kill(next, crossing, now);
  return [next, effects];
}

function raise(
  state: BudgetState,
  crossing: Crossing,
  effects: BudgetEffect[],
  now: number,
): BudgetState {
  const firingNo = state.firingNo + 1;
  const limitsRev = state.limits.rev;
  const input = alertInputOf({ ...state, limitsRev }, crossing, firingNo, now);
  const { dimension } = crossing;
  const raised = { no: firingNo, at: now, limitsRev, crossing };
  const next: BudgetState = {
    ...state,
    firingNo,
    openAlerts: [...state.openAlerts, { alertId: input.id, dimension, raised }],
  };
  const kills = crossing.routes.filter((route) => route.channel === 'kill');
  if (kills.length === 0) {
    effects.push({ type: 'raiseAlert', input });
    return { ...next, raising: [...next.raising, { input }] };
  }
  return {
    ...kill(next, { ...crossing, routes: kills }, now),
    afterPublish: [...next.afterPublish, input],
  };
}

/** The first kill stays the reason; a later one changes nothing (K1: sticky). */
function kill(state: BudgetState, { dimension, bps, limit, routes }: Crossing, now: number) {
  const killed = withAgents({ at: now, dimension, bps, limit }, agentsOf(routes));
  return { ...state, killed: state.killed ?? killed };
}

/** Only an alert that has started can be told that it is over. */
function alertRaised(state: BudgetState, alertId: string, now: number): BudgetStep {
  const next = { ...state, raising: state.raising.filter(({ input }) => input.id !== alertId) };
  if (next.phase !== 'closing') return evaluate(next, now);
  return publishIfChanged(next, [{ type: 'endAlert', alertId, at: endedAt(next, now) }], now);
}

function againLater(state: BudgetState, alertId: string, now: number): BudgetState {
  const againAt = now + state.policy.retryMs;
  const raising = state.raising.map((each) =>
    each.input.id === alertId ? { ...each, againAt } : each,
  );
  return { ...state, raising };
}

/** Whose time has come is started again. */
function raiseAgain(state: BudgetState, now: number): BudgetStep {
  const effects: BudgetEffect[] = [];
  const raising = state.raising.map((each) => {
    if (each.againAt === undefined || each.againAt > now) return each;
    effects.push({ type: 'raiseAlert', input: each.input });
    return { input: each.input };
  });
  return [effects.length === 0 ? state : { ...state, raising }, effects];
}

function close(state: BudgetState, now: number): BudgetStep {
  const [fired, effects] = fire(state, now);
  const starting = new Set([
    ...fired.raising.map(({ input }) => input.id),
    ...fired.afterPublish.map(({ id }) => id),
  ]);
  const at = endedAt(fired, now);
  for (const { alertId } of fired.openAlerts) {
    if (!starting.has(alertId)) effects.push({ type: 'endAlert', alertId, at });
  }
  return publishIfChanged({ ...fired, phase: 'closing' }, effects, now);
}

/** T7. A period ends at its end, however late that is noticed. */
function endedAt(state: BudgetState, now: number): number {
  return Math.min(now, endsAtOf(state) ?? now);
}

function publishIfChanged(
  state: BudgetState,
  effects: readonly BudgetEffect[],
  now: number,
): BudgetStep {
  if (state.phase === 'closed' || state.phase === 'opening') return [state, effects];
  if (state.publishing || state.republishAt !== undefined) return [state, effects];
  // M-5. The start of an alert goes first. A kill's waits for us (M-3).
  if (state.raising.length > 0 && state.afterPublish.length === 0) return [state, effects];
  const mark = markOf(state, now);
  if (mark === state.published) return [settle(state), effects];
  const publish: BudgetEffect = {
    type: 'publish',
    published: publishedOf(state, now),
    mark,
    covers: state.afterPublish.length,
  };
  return [
    { ...state, publishing: true, publishes: publish.published.order },
    [...effects, publish],
  ];
}

function published(
  state: BudgetState,
  event: BudgetEvent & { type: 'published' },
  now: number,
): BudgetStep {
  const freed = state.afterPublish.slice(0, event.covers);
  const next: BudgetState = {
    ...state,
    publishing: false,
    published: event.mark,
    afterPublish: state.afterPublish.slice(event.covers),
    raising: [...state.raising, ...freed.map((input) => ({ input }))],
  };
  return publishIfChanged(
    next,
    freed.map((input) => ({ type: 'raiseAlert', input })),
    now,
  );
}

/** Closed once the row says so, every alert has been started and every open one told. */
function settle(state: BudgetState): BudgetState {
  const done =
    state.phase === 'closing' &&
    state.raising.length === 0 &&
    state.openAlerts.length === 0 &&
    state.afterPublish.length === 0;
  return done ? { ...state, phase: 'closed' } : state;
}
