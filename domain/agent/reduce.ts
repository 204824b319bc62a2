/**
 * The machine of one agent's rules: counts in, alerts and the ledger's rows out. Pure.
 *
 * AG-1. Nothing is decided before the rule's row was read, nor while the rules are known to have
 *       changed: what was changed or removed holds for the next decision.
 * AG-2. At most one read and one publish are under way; an alert is started before its publish.
 * AG-3. An alert is told its end only once it has started.
 * AG-4. It is settled when no cooldown runs, no alert is open, and the ledger has all of it.
 */
import { ruleAlertId } from '../ids.js';
import { assertNever, type Machine, type Step } from '../step.js';
import { ruleAlertOf } from './alert-input.js';
import { applyReport, reject } from './apply-report.js';
import { decide, freshOf, quietUntil, silentAt } from './decide.js';
import type { AgentEffect, AgentEvent } from './events.js';
import { withLoaded } from './load.js';
import { isBusy, isGone, markOf, publishedOf } from './publish.js';
import type { AgentState, RuleState } from './state.js';

type AgentStep = Step<AgentState, AgentEffect>;

/** Starts of alerts under way at a time, and ends told at a time. */
const MAX_STARTING = 10;
const MAX_ENDING = 20;

export const agentMachine: Machine<AgentState, AgentEvent, AgentEffect> = {
  reduce: reduceAgent,
  dueAt: dueAtOf,
  tick: () => ({ type: 'ticked' }),
  isSettled,
};

export function reduceAgent(before: AgentState, event: AgentEvent, now: number): AgentStep {
  return advance(after({ ...before, evaluatedAt: now }, event, now), now);
}

/** What the event itself says; what follows from it is `advance`. */
function after(state: AgentState, event: AgentEvent, now: number): AgentState {
  const { retryMs } = state.policy;
  switch (event.type) {
    case 'began':
    case 'ticked':
      return state;
    case 'reported':
      return applyReport(state, event.report, now);
    case 'rejected':
      return reject(state, event.reason);
    case 'loaded':
      return withLoaded(state, event.loaded);
    case 'loadFailed':
      return { ...state, loading: false, reloadAt: now + retryMs };
    case 'published':
      return published(state, event.mark, event.gone);
    case 'publishFailed':
      return { ...state, publishing: false, republishAt: now + retryMs };
    case 'alertRaised':
      return inRule(state, event.rule, (rule) => ({
        ...rule,
        raising: rule.raising.filter(({ no }) => no !== event.no),
      }));
    case 'raiseFailed':
      return inRule(state, event.rule, (rule) => ({
        ...rule,
        raising: rule.raising.map((each) => {
          if (each.no !== event.no) return each;
          const { isSent: _sent, ...waiting } = each;
          return { ...waiting, againAt: now + retryMs };
        }),
      }));
    case 'endsTold':
      return inRule(state, event.rule, ({ telling: _done, ...rule }) => ({
        ...rule,
        told: Math.max(rule.told, event.upTo),
      }));
    default:
      return assertNever(event);
  }
}

function published(state: AgentState, mark: string, gone: readonly string[]): AgentState {
  const left = Object.entries(state.rules).filter(
    ([id, rule]) => !gone.includes(id) || !isGone(rule),
  );
  const dropped = left.length < Object.keys(state.rules).length;
  const next = { ...state, publishing: false, rules: Object.fromEntries(left) };
  // What is gone is in no later mark.
  return { ...next, published: dropped && mark === markOf(state) ? markOf(next) : mark };
}

function advance(state: AgentState, now: number): AgentStep {
  const effects: AgentEffect[] = [];
  let next = load(state, effects, now);
  // AG-1.
  if (next.rev >= next.wanted) next = decideAll(next, now);
  next = raise(next, effects, now);
  next = tellEnds(next, effects, now);
  return [publish(next, effects, now), effects];
}

function load(state: AgentState, effects: AgentEffect[], now: number): AgentState {
  const needsIt =
    state.rev < state.wanted || Object.values(state.rules).some(({ isKnown }) => !isKnown);
  if (!needsIt || state.loading || (state.reloadAt ?? 0) > now) return state;
  const { reloadAt: _tried, ...rest } = state;
  effects.push({ type: 'loadRules', rules: Object.keys(state.rules) });
  return { ...rest, loading: true };
}

function decideAll(state: AgentState, now: number): AgentState {
  const rules = Object.entries(state.rules).map(
    ([id, rule]) => [id, decide(rule, state.policy, now)] as const,
  );
  return { ...state, rules: Object.fromEntries(rules) };
}

function raise(state: AgentState, effects: AgentEffect[], now: number): AgentState {
  const rules = Object.values(state.rules);
  let room =
    MAX_STARTING -
    rules.flatMap(({ raising }) => raising).filter(({ isSent }) => isSent === true).length;
  return rules.reduce<AgentState>((next, rule) => {
    const { definition } = rule;
    if (definition === undefined || rule.raising.length === 0) return next;
    const raising = rule.raising.map((each) => {
      if (each.isSent === true || (each.againAt ?? 0) > now || room <= 0) return each;
      room -= 1;
      const { no } = each;
      effects.push({
        ...{ type: 'raiseAlert', rule: rule.rule, no },
        input: ruleAlertOf(state, definition, each),
      });
      const { againAt: _tried, ...sent } = each;
      return { ...sent, isSent: true as const };
    });
    return inRule(next, rule.rule, (known) => ({ ...known, raising }));
  }, state);
}

/** AG-3. */
function tellEnds(state: AgentState, effects: AgentEffect[], now: number): AgentState {
  return Object.values(state.rules).reduce<AgentState>((next, rule) => {
    const { told, over, telling, raising } = rule;
    const startedUpTo = Math.min(over, ...raising.map(({ no }) => no - 1));
    const upTo = Math.min(startedUpTo, told + MAX_ENDING);
    if (telling !== undefined || upTo <= told) return next;
    const alertIds = Array.from({ length: upTo - told }, (_, i) =>
      ruleAlertId(state.org, rule.rule, state.agent, told + 1 + i),
    );
    effects.push({ type: 'endAlerts', rule: rule.rule, alertIds, upTo, at: now });
    return inRule(next, rule.rule, (known) => ({ ...known, telling: upTo }));
  }, state);
}

/** AG-2. */
function publish(state: AgentState, effects: AgentEffect[], now: number): AgentState {
  if (state.publishing || (state.republishAt ?? 0) > now || state.rev < 0) return state;
  if (Object.values(state.rules).some(({ raising }) => raising.length > 0)) return state;
  const mark = markOf(state);
  const { republishAt: _tried, ...rest } = state;
  if (mark === state.published) return rest;
  const content = publishedOf(state, now);
  effects.push({ type: 'publish', published: content, mark });
  return { ...rest, publishing: true, publishes: content.order };
}

function inRule(state: AgentState, id: string, change: (rule: RuleState) => RuleState): AgentState {
  const rule = state.rules[id];
  if (rule === undefined) return state;
  return { ...state, rules: { ...state.rules, [id]: change(rule) } };
}

/** All in the future once `advance` has run at their time, so no timer spins. */
function dueAtOf(state: AgentState): number | undefined {
  const moments = [state.reloadAt, state.republishAt];
  for (const rule of Object.values(state.rules)) {
    if (rule.isKnown) moments.push(quietUntil(rule), silentAt(rule, state.policy));
    moments.push(
      ...rule.raising.map(({ isSent, againAt }) => (isSent === true ? undefined : againAt)),
    );
  }
  return moments.reduce<number | undefined>(
    (least, moment) =>
      moment === undefined || moment <= state.evaluatedAt
        ? least
        : Math.min(least ?? moment, moment),
    undefined,
  );
}

/** AG-4. */
function isSettled(state: AgentState): boolean {
  const isAtRest = (rule: RuleState): boolean =>
    rule.isKnown &&
    !isBusy(rule) &&
    freshOf(rule) === 0 &&
    (quietUntil(rule) ?? 0) <= state.evaluatedAt;
  return (
    state.rev >= state.wanted &&
    !state.loading &&
    !state.publishing &&
    state.published === markOf(state) &&
    Object.values(state.rules).every(isAtRest)
  );
}
