/** Drives the machine of an agent's rules by hand, with the ledger's part in memory. */
import type { AgentEffect, AgentEvent } from '../../domain/agent/events.js';
import { beginAgent } from '../../domain/agent/events.js';
import { agentMachine } from '../../domain/agent/reduce.js';
import type { MatchReport, RuleCount } from '../../domain/agent/report.js';
import type { AgentState } from '../../domain/agent/state.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { RuleAlert } from '../../domain/alert/state.js';
import type { RuleShelf } from '../support/rule-shelf.js';

export const T0 = Date.UTC(2026, 10, 21);
export const AGENT = 'support-agent';

export interface AgentDriver {
  readonly state: AgentState;
  readonly alerts: readonly RuleAlert[];
  readonly ended: readonly string[];
  readonly isSettled: boolean;
  now: number;
  /** So many of these fail from now on. */
  failing: Partial<Record<'loadRules' | 'publish' | 'raiseAlert', number>>;
  send(event: AgentEvent): void;
  /** What the ledger counted so far; the sequence grows by itself. */
  report(count?: Partial<RuleCount>, more?: Partial<MatchReport>): void;
  /** Lets time pass, ticking at every due moment on the way. */
  pass(ms: number): void;
}

/** `rotate`: after every event the state goes through JSON, as a rotation would carry it. */
export function driveAgent(shelf: RuleShelf, { rotate = false, now = T0 } = {}): AgentDriver {
  let state = beginAgent({
    ...{ kind: 'began', org: 'default', agent: AGENT },
    policy: DEFAULT_POLICY,
  });
  const alerts: RuleAlert[] = [];
  const ended: string[] = [];
  const queue: AgentEvent[] = [];
  let isBusy = false;
  let seq = 0;
  const fails = (what: 'loadRules' | 'publish' | 'raiseAlert'): boolean => {
    const left = driver.failing[what] ?? 0;
    driver.failing[what] = Math.max(left - 1, 0);
    return left > 0;
  };
  const answerTo = (effect: AgentEffect): AgentEvent => {
    switch (effect.type) {
      case 'loadRules':
        if (fails('loadRules')) return { type: 'loadFailed' };
        return { type: 'loaded', loaded: shelf.load('default', AGENT, effect.rules) };
      case 'publish': {
        if (fails('publish')) return { type: 'publishFailed' };
        shelf.publish(effect.published);
        const gone = effect.published.rules.filter((each) => each.gone).map(({ rule }) => rule);
        return { type: 'published', mark: effect.mark, gone };
      }
      case 'raiseAlert': {
        const { rule, no } = effect;
        if (fails('raiseAlert')) return { type: 'raiseFailed', rule, no };
        // The id is the deduplication.
        if (!alerts.some(({ id }) => id === effect.input.id)) alerts.push(effect.input);
        return { type: 'alertRaised', rule, no };
      }
      case 'endAlerts':
        ended.push(...effect.alertIds);
        return { type: 'endsTold', rule: effect.rule, upTo: effect.upTo };
    }
  };
  const driver: AgentDriver = {
    get state() {
      return state;
    },
    get isSettled() {
      return agentMachine.isSettled(state);
    },
    alerts,
    ended,
    now,
    failing: {},
    send: (event) => {
      queue.push(event);
      if (isBusy) return;
      isBusy = true;
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [after, effects] = agentMachine.reduce(state, next, driver.now);
        state = rotate ? (JSON.parse(JSON.stringify(after)) as AgentState) : after;
        queue.push(...effects.map(answerTo));
      }
      isBusy = false;
    },
    report: (count = {}, more = {}) => {
      seq += 1;
      const full = { rule: 'r1', matches: 0, misses: 0, heardAt: driver.now, ...count };
      const rules = [{ ...full, matchedAt: count.matchedAt ?? driver.now }];
      const report = { sender: 'ledger', epoch: 1, seq, rev: shelf.rev(), rules, ...more };
      driver.send({ type: 'reported', report });
    },
    pass: (ms) => {
      const until = driver.now + ms;
      for (let ticks = 0; ; ticks += 1) {
        const due = agentMachine.dueAt(state);
        if (due === undefined || due > until) break;
        if (ticks > 1_000) throw new Error(`the timer spins at ${String(due)}`);
        driver.now = Math.max(driver.now, due);
        driver.send({ type: 'ticked' });
      }
      driver.now = until;
    },
  };
  driver.send({ type: 'began' });
  return driver;
}

/** How many more it says that matched; 0 where it says none. */
export function heldIn({ facts }: RuleAlert): number {
  const line = facts.lines.find(({ label }) => label === 'Also matched');
  return Number.parseInt(line?.value ?? '0', 10);
}
