/**
 * A13. What a silence is held against. It holds messages back and decides nothing: a crossing is a
 * crossing, and a kill kills. What the service says of itself, storms included, is never silenced.
 */
import type { AlertInput } from './alert/state.js';
import { budgetIdPrefix } from './ids.js';
import type { Cadence, Dimension, Severity } from './words.js';

/** All that it names has to fit; what is absent is any. It names at least one. */
export interface SilenceMatcher {
  readonly agent?: string;
  /** Only the budgets of the organisation, in which all agents pool. */
  readonly organisation?: true;
  readonly budget?: { readonly cadence?: Cadence; readonly dimension?: Dimension };
  /** The rule's id. */
  readonly rule?: string;
  readonly severity?: Severity;
}

/** What an alert is about. */
export interface SilenceSubject {
  readonly agent?: string;
  readonly organisation: boolean;
  readonly cadence?: Cadence;
  readonly dimension?: Dimension;
  readonly rule?: string;
  readonly severity: Severity;
}

/** Undefined: no silence holds it. */
export function silenceSubjectOf(input: AlertInput): SilenceSubject | undefined {
  const { kind, facts } = input;
  const { severity, agentName: agent } = facts;
  switch (kind) {
    case 'threshold': {
      const { cadence, dimension } = input.facts;
      const budget = { cadence, dimension, severity };
      const isPooled = input.subject.startsWith(budgetIdPrefix(input.org, 'org'));
      return isPooled
        ? { organisation: true, ...budget }
        : { agent, organisation: false, ...budget };
    }
    case 'rule':
      return { agent, organisation: false, rule: input.facts.rule, severity };
    case 'notice':
      return input.facts.topic === 'agent' ? { agent, organisation: false, severity } : undefined;
    default:
      return kind satisfies never;
  }
}

/** `agent research-bot, daily cost, warning`; a rule is its name with its id, `rule errors (5f0c)`. */
export function matcherText(matcher: SilenceMatcher & { readonly ruleName?: string }): string {
  const { agent, organisation, budget, rule, ruleName, severity } = matcher;
  const ruleText = ruleName === undefined ? rule : `${ruleName} (${String(rule)})`;
  const words = [
    ...(agent === undefined ? [] : [`agent ${agent}`]),
    ...(organisation === undefined ? [] : ['the organisation']),
    ...(budget === undefined ? [] : [[budget.cadence, budget.dimension].filter(Boolean).join(' ')]),
    ...(rule === undefined ? [] : [`rule ${String(ruleText)}`]),
    ...(severity === undefined ? [] : [severity]),
  ];
  return words.join(', ');
}
