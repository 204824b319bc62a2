/**
 * All that the rules of one agent have come to: who counted what, which cooldown runs, which alerts
 * are open. Plain JSON: a rotation carries it whole, and the ledger's rows keep what a new life of
 * the workflow needs (`RuleRow`).
 */
import type { Policy } from '../alert/policy.js';
import type { Rule } from '../rule.js';

/** The ledger's own sender name; every other sender reports directly. */
export const LEDGER = 'ledger';

/** The newest report of one sender on one rule. `counted` of its matches have been decided on. */
export interface SenderCount {
  readonly epoch: number;
  readonly seq: number;
  readonly matches: number;
  readonly counted: number;
  readonly misses: number;
  readonly heardAt: number;
  readonly matchedAt?: number;
}

/** What the ledger keeps of one (rule, agent) for a new life. */
export interface RuleRow {
  readonly rule: string;
  readonly senders: Readonly<Record<string, SenderCount>>;
  /** R2. Matches inside cooldowns that no alert has told yet. */
  readonly held: number;
  /** Alerts are numbered from 1: the last one that was decided, … */
  readonly alerts: number;
  /** … the last one that is over, and the last one that was told so. */
  readonly over: number;
  readonly told: number;
  /** R2. When the last alert was raised. */
  readonly raisedAt?: number;
}

/** An alert on its way: waiting, under way, or to be tried again at `againAt`. */
export interface Raising {
  readonly no: number;
  readonly at: number;
  /** Matches that came since the alert before and raised none. */
  readonly held: number;
  readonly isSent?: true;
  readonly againAt?: number;
}

export interface RuleState extends RuleRow {
  /** Its row was read: before that nothing is decided. */
  readonly isKnown: boolean;
  /** Absent: it was removed, or is not about this agent any more. */
  readonly definition?: Rule;
  readonly raising: readonly Raising[];
  /** The ends up to this number are being told. */
  readonly telling?: number;
}

export interface AgentState {
  readonly org: string;
  readonly agent: string;
  readonly policy: Policy;
  /** Keyed by the rule's id. */
  readonly rules: Readonly<Record<string, RuleState>>;
  /** The revision of the rules as they were read, and the newest anybody has told of. */
  readonly rev: number;
  readonly wanted: number;
  readonly loading: boolean;
  /** When a failed read is tried again. */
  readonly reloadAt?: number;
  readonly publishing: boolean;
  /** What was last confirmed in the ledger. */
  readonly published?: string;
  readonly republishAt?: number;
  /** The order of the last publish: an older one never overwrites a newer. */
  readonly publishes: number;
  /** When the state was last looked at. */
  readonly evaluatedAt: number;
  /** Messages that could not be read or made no sense. */
  readonly rejected: number;
  readonly lastRejection?: string;
}

/** What the ledger answers when it is asked for an agent's rules. */
export interface LoadedRules {
  readonly rev: number;
  /** Of those asked for and those that are busy: with their definitions where they still hold. */
  readonly rules: readonly { readonly row: RuleRow; readonly definition?: Rule }[];
}

/** What goes back to the ledger. */
export interface PublishedRules {
  readonly org: string;
  readonly agent: string;
  readonly order: number;
  readonly rules: readonly PublishedRule[];
}

export interface PublishedRule extends RuleRow {
  /** An alert of it is open, so the workflow wants to hear of misses, too (R3). */
  readonly busy: boolean;
  /** The rule was removed and nothing is left to do for it. */
  readonly gone: boolean;
}
