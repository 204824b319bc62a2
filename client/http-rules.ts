/** Asks a gateway for the rules that are about an agent, for a metric reporter. */
import type { Rule } from '../domain/rule.js';
import { askGateway, type AskGatewayOptions } from './ask-gateway.js';
import type { KnownRules } from './metric-reporter.js';

export type HttpRulesOptions = AskGatewayOptions;

type WireRule = Omit<Rule, 'agent' | 'cooldownMs' | 'recipients'> & {
  readonly agentId: string;
  readonly cooldownSeconds: number;
};

/** A `rules` function for `createMetricReporter`. It rejects with the agent, the cause and the status. */
export function httpRules(options: HttpRulesOptions): () => Promise<KnownRules> {
  return askGateway(options, {
    ...{ path: '/v1/rules', what: 'rules' },
    form: '{rev, rules: [{id, condition, …}]}',
    read: (answer) =>
      isRules(answer) ? { rev: answer.rev, rules: answer.rules.map(ruleOf) } : undefined,
  });
}

/** Whom it is told is resolved where the alert is raised: a reporter need not know. */
function ruleOf({ agentId, cooldownSeconds, ...rule }: WireRule): Rule {
  return { ...rule, agent: agentId, cooldownMs: cooldownSeconds * 1_000, recipients: [] };
}

function isRules(
  answer: unknown,
): answer is { readonly rev: number; readonly rules: readonly WireRule[] } {
  const { rev, rules } = (answer ?? {}) as { rev?: unknown; rules?: unknown };
  return typeof rev === 'number' && Array.isArray(rules) && rules.every(isRule);
}

function isRule(value: unknown): value is WireRule {
  const rule = (value ?? {}) as Partial<Record<keyof WireRule, unknown>>;
  return (
    typeof rule.id === 'string' &&
    typeof rule.agentId === 'string' &&
    typeof rule.condition === 'string' &&
    typeof rule.cooldownSeconds === 'number'
  );
}
