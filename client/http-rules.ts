/** Asks a gateway for the rules that are about an agent, for a metric reporter. */
import type { Rule } from '../domain/rule.js';
import type { KnownRules } from './metric-reporter.js';

export interface HttpRulesOptions {
  /** Of the gateway: `https://kavach.example`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly agent: string;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

type WireRule = Omit<Rule, 'agent' | 'cooldownMs' | 'recipients'> & {
  readonly agentId: string;
  readonly cooldownSeconds: number;
};

/** A `rules` function for `createMetricReporter`. It rejects with the agent, the cause and the status. */
export function httpRules(options: HttpRulesOptions): () => Promise<KnownRules> {
  const url = new URL('/v1/rules', options.baseUrl);
  url.searchParams.set('agent', options.agent);
  const failed = (why: string, cause?: unknown): Error =>
    new Error(`The rules of ${options.agent} could not be read from ${url.origin}: ${why}.`, {
      cause,
    });
  return async () => {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, {
        headers: { authorization: `Bearer ${options.apiKey}`, accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs ?? 5_000),
      });
      answer = await response.json();
    } catch (error) {
      throw failed(error instanceof Error ? error.message : 'no answer', error);
    }
    if (response.status === 401) throw failed('the API key is not accepted');
    if (!response.ok) throw failed(`HTTP ${String(response.status)}`);
    if (!isRules(answer)) throw failed('expected {rev, rules: [{id, condition, …}]}');
    return { rev: answer.rev, rules: answer.rules.map(ruleOf) };
  };
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
