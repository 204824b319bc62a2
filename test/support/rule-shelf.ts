/** The ledger's part of an agent's workflow, in memory: definitions, and what was published. */
import { emptyRow } from '../../domain/agent/apply-report.js';
import type { LoadedRules, PublishedRules, RuleRow } from '../../domain/agent/state.js';
import { appliesTo, type Rule } from '../../domain/rule.js';

export interface RuleShelf {
  readonly published: PublishedRules[];
  rev(): number;
  put(rule: Rule): void;
  remove(id: string): void;
  load(org: string, agent: string, asked: readonly string[]): LoadedRules;
  publish(published: PublishedRules): void;
  row(agent: string, rule: string): RuleRow | undefined;
}

export function ruleOf(over: Partial<Rule> = {}): Rule {
  return {
    id: 'r1',
    name: 'high error rate',
    agent: '*',
    condition: 'error_rate > 0.05',
    channels: ['slack'],
    priority: 'high',
    cooldownMs: 300_000,
    recipients: [],
    ...over,
  };
}

export function createRuleShelf(...given: readonly Rule[]): RuleShelf {
  const rules = new Map(given.map((rule) => [rule.id, rule]));
  const rows = new Map<string, RuleRow & { readonly busy: boolean }>();
  const orders = new Map<string, number>();
  const published: PublishedRules[] = [];
  let rev = given.length;
  const nameOf = (agent: string, rule: string): string => `${agent}\n${rule}`;
  return {
    published,
    rev: () => rev,
    put: (rule) => {
      rev += 1;
      rules.set(rule.id, rule);
    },
    remove: (id) => {
      rev += 1;
      rules.delete(id);
    },
    load: (_, agent, asked) => {
      const busy = [...rows]
        .filter(([name, row]) => name.startsWith(`${agent}\n`) && row.busy)
        .map(([, { rule }]) => rule);
      return {
        rev,
        rules: [...new Set([...asked, ...busy])].map((id) => {
          const definition = rules.get(id);
          const holds = definition !== undefined && appliesTo(definition, agent);
          const { busy: _busy, ...row } = rows.get(nameOf(agent, id)) ?? {
            busy: false,
            ...emptyRow(id),
          };
          return { row, ...(holds ? { definition } : {}) };
        }),
      };
    },
    publish: (each) => {
      if (each.order <= (orders.get(each.agent) ?? -1)) return;
      orders.set(each.agent, each.order);
      published.push(each);
      for (const { gone, ...row } of each.rules) {
        const name = nameOf(each.agent, row.rule);
        if (gone && !rules.has(row.rule)) rows.delete(name);
        else if (rows.has(name) || rules.has(row.rule)) rows.set(name, row);
      }
    },
    row: (agent, rule) => rows.get(nameOf(agent, rule)),
  };
}
