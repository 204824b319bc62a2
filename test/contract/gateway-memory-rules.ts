/** Rules for tests of the gateway that are not about the ledger: set, removed, counted in memory. */
import type { GatewayLedger } from '../../gateway/options.js';
import type { RuleView } from '../../ledger/ledger.js';

type RuleMethods = Pick<GatewayLedger, 'rules' | 'setRule' | 'removeRule' | 'countMetrics'>;

export function createMemoryRules(): RuleMethods {
  const rules = new Map<string, RuleView>();
  const keys = new Set<string>();
  let rev = 0;
  return {
    rules: () => Promise.resolve({ rev, rules: [...rules.values()] }),
    setRule: ({ rule, by, now, isNew }) => {
      if (!isNew && !rules.has(rule.id)) return Promise.resolve({ type: 'unknown' });
      const isTaken = [...rules.values()].some(
        ({ id, name }) => name === rule.name && id !== rule.id,
      );
      if (isTaken) return Promise.resolve({ type: 'taken' });
      rev += 1;
      const set = { ...rule, by, at: now };
      rules.set(rule.id, set);
      return Promise.resolve({ type: 'set', changed: true, rule: set });
    },
    removeRule: ({ id }) => {
      const removed = rules.get(id);
      if (rules.delete(id)) rev += 1;
      return Promise.resolve(removed);
    },
    countMetrics: (batch) => {
      if (batch.rev !== rev) return Promise.resolve({ type: 'stale_rules' });
      const fresh = batch.events.filter(({ key }) => key === undefined || !keys.has(key));
      for (const { key } of fresh) if (key !== undefined) keys.add(key);
      const matches = fresh.flatMap(({ results }) => results).filter(({ matched }) => matched);
      return Promise.resolve({
        ...{ type: 'counted', stored: fresh.length, matches: matches.length },
        duplicates: batch.events.length - fresh.length,
      });
    },
  };
}
