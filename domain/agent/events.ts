/** What can happen to an agent's rules, and what they ask to be done. */
import type { Policy } from '../alert/policy.js';
import type { RuleAlert } from '../alert/state.js';
import type { MatchReport } from './report.js';
import type { AgentState, LoadedRules, PublishedRules } from './state.js';

export type AgentEvent =
  | { readonly type: 'began' }
  | { readonly type: 'reported'; readonly report: MatchReport }
  | { readonly type: 'rejected'; readonly reason: string }
  | { readonly type: 'loaded'; readonly loaded: LoadedRules }
  | { readonly type: 'loadFailed' }
  | { readonly type: 'published'; readonly mark: string; readonly gone: readonly string[] }
  | { readonly type: 'publishFailed' }
  | { readonly type: 'alertRaised'; readonly rule: string; readonly no: number }
  /** Nobody knows whether it has started: it is started again, and twice is once. */
  | { readonly type: 'raiseFailed'; readonly rule: string; readonly no: number }
  | { readonly type: 'endsTold'; readonly rule: string; readonly upTo: number }
  | { readonly type: 'ticked' };

/**
 * Doing an effect twice is harmless: a read changes nothing, a publish is fenced, an alert's start
 * is deduplicated by its id, an ended alert ignores a second end.
 */
export type AgentEffect =
  /** The rules that are asked for; those that are busy come with them. */
  | { readonly type: 'loadRules'; readonly rules: readonly string[] }
  | { readonly type: 'publish'; readonly published: PublishedRules; readonly mark: string }
  | {
      readonly type: 'raiseAlert';
      readonly rule: string;
      readonly no: number;
      readonly input: RuleAlert;
    }
  | {
      readonly type: 'endAlerts';
      readonly rule: string;
      readonly alertIds: readonly string[];
      readonly upTo: number;
      readonly at: number;
    };

export type AgentWorkflowInput =
  | {
      readonly kind: 'began';
      readonly org: string;
      readonly agent: string;
      readonly policy: Policy;
    }
  | {
      readonly kind: 'carried';
      readonly state: AgentState;
      readonly outbox: readonly AgentEffect[];
    };

/** The state a life begins in; a carried one is taken as it is. */
export function beginAgent(input: Extract<AgentWorkflowInput, { kind: 'began' }>): AgentState {
  const { org, agent, policy } = input;
  return {
    ...{ org, agent, policy },
    ...{ rules: {}, rev: -1, wanted: 0, loading: false },
    ...{ publishing: false, publishes: 0, evaluatedAt: 0, rejected: 0 },
  };
}
