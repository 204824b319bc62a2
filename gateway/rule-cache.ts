/**
 * An organisation's rules with their conditions read, remembered between batches. It may be out of
 * date: every batch names the revision it was held against, and the ledger refuses older ones.
 */
import {
  ANY_AGENT,
  isConditionFault,
  meets,
  parseCondition,
  type Condition,
  type MetricValue,
} from '../domain/rule.js';
import type { Ledger, RuleSet } from '../ledger/ledger.js';

export interface HeldRules {
  readonly rev: number;
  /** Of the rules about this agent whose metric is there and whose condition can be answered. */
  results(
    agent: string,
    metrics: ReadonlyMap<string, MetricValue>,
  ): readonly { readonly rule: string; readonly matched: boolean }[];
}

export interface RuleCache {
  load(org: string): Promise<HeldRules>;
  /** Forgets what has turned out to be out of date. */
  forget(org: string): void;
}

const REMEMBERED = 1_000;

interface ReadRule {
  readonly id: string;
  readonly condition: Condition;
}

export function createRuleCache(ledger: Pick<Ledger, 'rules'>): RuleCache {
  const known = new Map<string, HeldRules>();
  return {
    load: async (org) => {
      const before = known.get(org);
      if (before !== undefined) return before;
      const held = holdRules(await ledger.rules(org));
      if (known.size >= REMEMBERED) known.clear();
      known.set(org, held);
      return held;
    },
    forget: (org) => {
      known.delete(org);
    },
  };
}

function holdRules({ rev, rules }: RuleSet): HeldRules {
  const byAgent = new Map<string, ReadRule[]>();
  for (const { id, agent, condition } of rules) {
    const read = parseCondition(condition);
    // It was read before it was set.
    if (isConditionFault(read)) continue;
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), { id, condition: read }]);
  }
  const forAll = byAgent.get(ANY_AGENT) ?? [];
  return {
    rev,
    results: (agent, metrics) => {
      const own = agent === ANY_AGENT ? [] : (byAgent.get(agent) ?? []);
      return [...forAll, ...own].flatMap(({ id, condition }) => {
        const value = metrics.get(condition.metric);
        const matched = value === undefined ? undefined : meets(condition, value);
        return matched === undefined ? [] : [{ rule: id, matched }];
      });
    },
  };
}
