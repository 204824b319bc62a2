/** What goes back to the ledger, and when: only when something a new life would need has changed. */
import type { AgentState, PublishedRule, PublishedRules, RuleState } from './state.js';

/** Its rule was removed, and nothing is left to be told. */
export function isGone(rule: RuleState): boolean {
  return rule.isKnown && rule.definition === undefined && !isBusy(rule);
}

/** R3. While an alert is open, or on its way, the workflow wants to hear of misses, too. */
export function isBusy({ alerts, told, raising }: RuleState): boolean {
  return alerts > told || raising.length > 0;
}

function contentOf(rule: RuleState): PublishedRule {
  const { rule: id, senders, held, alerts, over, told, raisedAt } = rule;
  return {
    ...{ rule: id, senders, held, alerts, over, told },
    ...(raisedAt === undefined ? {} : { raisedAt }),
    ...{ busy: isBusy(rule), gone: isGone(rule) },
  };
}

/** Equal marks mean that the ledger needs no word: what was last heard, and when, is not in it. */
export function markOf({ rules }: AgentState): string {
  const known = Object.values(rules).filter(({ isKnown }) => isKnown);
  return JSON.stringify(
    known.map((rule) => {
      const { senders, ...rest } = contentOf(rule);
      return [rest, Object.entries(senders).map(([name, { counted }]) => [name, counted])];
    }),
  );
}

export function publishedOf(state: AgentState, now: number): PublishedRules {
  const { org, agent, rules, publishes } = state;
  return {
    ...{ org, agent },
    // Beyond what an earlier life has used: its own would be refused as old ones.
    order: Math.max(publishes + 1, now),
    rules: Object.values(rules)
      .filter(({ isKnown }) => isKnown)
      .map(contentOf),
  };
}
