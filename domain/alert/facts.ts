/**
 * What an alert says, frozen when it is raised: numbers and names, no rendered text, no address.
 * Channels render from these through `templateVariables` (domain/template.ts).
 */
import type { Cadence, Dimension, Priority, Severity } from '../words.js';

export type AlertFacts = ThresholdFacts | WordedFacts;
/** Their words were written when they were raised. */
export type WordedFacts = RuleFacts | NoticeFacts;

export function isWorded(facts: AlertFacts): facts is WordedFacts {
  return facts.kind === 'notice' || facts.kind === 'rule';
}

export interface ThresholdFacts {
  /** Never written: recorded histories have facts without it. */
  readonly kind?: 'threshold';
  readonly org: string;
  /** The agent's name; the organisation's for the pooled budget. */
  readonly agentName: string;
  readonly dimension: Dimension;
  readonly cadence: Cadence;
  /** The threshold that was crossed, basis points. */
  readonly thresholdBps: number;
  /** In the dimension's unit: nano-USD, tokens, calls, ms. */
  readonly spent: number;
  readonly limit: number;
  readonly severity: Severity;
  readonly priority: Priority;
  /** When the period ends, epoch ms; absent for `run` and `total`. */
  readonly resetsAt?: number;
  readonly zone: string;
  /** When the crossing was seen, epoch ms. */
  readonly at: number;
  /** B4. Found after the period's end. */
  readonly late?: boolean;
  /** The period was killed by this crossing (K1). */
  readonly kills?: boolean;
}

/** R1 to R3. A condition on an agent's metrics that was met; its title carries no values. */
export interface RuleFacts {
  readonly kind: 'rule';
  readonly org: string;
  readonly agentName: string;
  /** The rule's id. */
  readonly rule: string;
  /** One sentence without its full stop. */
  readonly title: string;
  readonly lines: readonly NoticeLine[];
  readonly severity: Severity;
  readonly priority: Priority;
  /** When the match was seen, epoch ms. */
  readonly at: number;
}

/**
 * What a notice is about: what an agent asked to be told, alerts that one destination was spared
 * (A14), or the service itself (A15).
 */
export type NoticeTopic = 'agent' | 'storm' | 'service';

/** Something that is told once and needs no budget. Its words are written when it is raised. */
export interface NoticeFacts {
  readonly kind: 'notice';
  readonly org: string;
  readonly topic: NoticeTopic;
  /** Who speaks. */
  readonly agentName: string;
  /** One sentence without its full stop. */
  readonly title: string;
  readonly lines: readonly NoticeLine[];
  /**
   * Topic `agent`: where the ledger keeps what it says. A body may hold anybody's data, so it never
   * enters a workflow, and `title` is only a neutral word.
   */
  readonly notice?: string;
  readonly severity: Severity;
  readonly priority: Priority;
  /** When what it tells happened, epoch ms. */
  readonly at: number;
}

export interface NoticeLine {
  readonly label: string;
  readonly value: string;
}
