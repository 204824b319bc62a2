/** Rules on metrics as the ledger has them (R1 to R3): what is set, counted, told and published. */
import type { MatchReport } from '../domain/agent/report.js';
import type { LoadedRules, PublishedRules } from '../domain/agent/state.js';
import type { Rule } from '../domain/rule.js';
import type { ClaimRequest } from './claimed-period.js';
import type { Author } from './configuring.js';

/** A rule, and who made or changed it last. */
export interface RuleView extends Rule {
  readonly by: string;
  readonly at: number;
}

/** All rules of an organisation under one revision, by name. */
export interface RuleSet {
  readonly rev: number;
  readonly rules: readonly RuleView[];
}

export interface SetRuleRequest extends Author {
  readonly org: string;
  readonly rule: Rule;
  /** True: it is new; false: it is there and is replaced. */
  readonly isNew: boolean;
}

/** `taken`: another one has the name; `unknown`: there is none with the id; `full`: too many. */
export type SetRuleAnswer =
  | { readonly type: 'set'; readonly changed: boolean; readonly rule: RuleView }
  | { readonly type: 'taken' | 'unknown' | 'full' };

/** One event, already held against the rules of one revision. */
export interface MetricEvent {
  /** Absent: nobody can send it again. */
  readonly key?: string;
  readonly agent: string;
  /** By the event's own time, epoch ms: an older one does not change what was last seen. */
  readonly at: number;
  readonly results: readonly { readonly rule: string; readonly matched: boolean }[];
}

export interface MetricBatch {
  readonly org: string;
  readonly rev: number;
  readonly events: readonly MetricEvent[];
  readonly now: number;
}

export type CountAnswer =
  | { readonly type: 'stale_rules' }
  | {
      readonly type: 'counted';
      readonly stored: number;
      readonly duplicates: number;
      /** (event, rule) pairs that matched and count. */
      readonly matches: number;
    };

/** An agent whose workflow has something to be told. */
export interface ClaimedWatch {
  readonly org: string;
  readonly agent: string;
  readonly fence: number;
  readonly seq: number;
  readonly tries: number;
  readonly report: MatchReport;
}

export interface RuleBook {
  rules(org: string): Promise<RuleSet>;
  /** Twice the same is no change. Holds for every event that comes after. */
  setRule(request: SetRuleRequest): Promise<SetRuleAnswer>;
  /** What of it is open ends; undefined: there was none. */
  removeRule(request: Author & { org: string; id: string }): Promise<RuleView | undefined>;
  /** Each keyed event once, all of a batch or nothing. */
  countMetrics(batch: MetricBatch): Promise<CountAnswer>;

  claimWatches(request: ClaimRequest): Promise<readonly ClaimedWatch[]>;
  /** Temporal has it: due again after `nextInMs` if more was counted. */
  watchReported(claim: ClaimedWatch, now: number, nextInMs: number): Promise<void>;
  watchFailed(
    claim: ClaimedWatch,
    failure: { now: number; backoffMs: number; reason: string },
  ): Promise<void>;

  /** For an agent's workflow: the rules it asks for, and those that are busy. */
  loadRules(org: string, agent: string, rules: readonly string[]): Promise<LoadedRules>;
  /** An older order than the last changes nothing. */
  publishRules(published: PublishedRules): Promise<void>;
}
