/**
 * All that one alert knows: `firing -> acknowledged -> resolved`, or `firing -> resolved` (A1),
 * and a delivery for each of its routes, every one on its own (A3). Plain JSON.
 */
import type { ChannelName } from '../words.js';
import type { NoticeFacts, RuleFacts, ThresholdFacts } from './facts.js';
import type { Outcome, OutcomeKind, Suppression } from './outcome.js';
import type { Policy } from './policy.js';

/** What was crossed, so that the ledger can tell a firing from a repeat after a restore. */
export interface FiringRef {
  /** Which of its period's alerts this is, from 1. */
  readonly no: number;
  readonly periodId: string;
  readonly limitsRev: number;
}

/** One of the organisation's own destinations. */
export interface OwnWay {
  readonly channel: ChannelName;
  readonly destination: string;
}

/** A way to tell somebody: `destination` is a reference, never an address. */
export interface AlertWay {
  readonly channel: ChannelName;
  readonly destination?: string;
  /** Whose contact it is (P1): a recipient's id. Absent: the organisation's own destination. */
  readonly recipient?: string;
}

export interface AlertRoute extends AlertWay {
  /** P4. Held back until then, epoch ms, by quiet hours. */
  readonly notBefore?: number;
  /** Decided when the alert was routed (P1 to P3): not sent, and why. */
  readonly suppressed?: Suppression;
  /**
   * A5. The ways of the same recipient that may stand in for it, in the order they are tried.
   * Absent: the operators'.
   */
  readonly fallback?: readonly AlertWay[];
}

/**
 * Whom it concerns, before it was routed: every recipient on every channel is one decision, which
 * the ledger makes and keeps with the preferences it saw. Resolved into `routes` when it starts.
 */
export interface Audience {
  readonly recipients: readonly string[];
  readonly channels: readonly ChannelName[];
}

/**
 * How an alert goes on where its own routes do not do. Frozen when it starts (A1); absent: there is
 * nobody else to tell.
 */
export interface Response {
  /** A5. The operators' destinations, in the order they are tried. */
  readonly operators: readonly AlertRoute[];
  /** A8. Level by level, `rounds` times over; absent: it does not escalate. */
  readonly escalation?: Escalation;
}

export interface Escalation {
  readonly levels: readonly EscalationLevel[];
  /** At least 1. */
  readonly rounds: number;
}

/** `afterMs` counts from the first accepted delivery, or the last failed one, of what came before. */
export interface EscalationLevel {
  readonly afterMs: number;
  readonly routes: readonly AlertRoute[];
}

/** The frozen input of an alert. */
export type AlertInput = ThresholdAlert | RuleAlert | NoticeAlert;

interface FrozenAlert {
  readonly id: string;
  readonly org: string;
  readonly routes: readonly AlertRoute[];
  readonly audience?: Audience;
  readonly policy: Policy;
  readonly response?: Response;
  /** A14. The ids of those it was spread over; of the first one where it is not that itself. */
  readonly spread?: readonly string[];
}

export interface ThresholdAlert extends FrozenAlert {
  readonly kind: 'threshold';
  /** The workflow id of the budget period it belongs to. */
  readonly subject: string;
  readonly facts: ThresholdFacts;
  readonly firing: FiringRef;
}

/** R1 to R3. It is over when its agent's workflow says so. */
export interface RuleAlert extends FrozenAlert {
  readonly kind: 'rule';
  /** The workflow id of the agent it is about. */
  readonly subject: string;
  readonly facts: RuleFacts;
}

/** Nothing was crossed: it has no period, no incident, no escalation, and ends by itself (A1). */
export interface NoticeAlert extends FrozenAlert {
  readonly kind: 'notice';
  /** What it is about: `storm/<destination>`, `service`, `notice/<agent>`. */
  readonly subject: string;
  readonly facts: NoticeFacts;
}

export interface Attempt {
  readonly no: number;
  readonly at: number;
  readonly outcome: OutcomeKind;
  readonly reason: string;
  /** Its worker was lost under it. */
  readonly lost?: true;
}

/**
 * What a delivery says: that it fires, that a person has taken it (PagerDuty), that it is over (T7).
 */
export type Purpose = 'fire' | 'acknowledge' | 'resolve';

/**
 * Why a delivery goes where it goes: its own route, a fallback (A5), a level of escalation (A8), or
 * the operators, as nobody else was reached.
 */
export type Cause = 'route' | 'fallback' | 'level' | 'last_resort';

/**
 * Why the operators are told in the end: what was tried failed or could not be made, or all who
 * would have been told had chosen not to be.
 */
export type LastResortReason = 'nobody_reached' | 'nobody_willing';

/**
 * `due`: the next attempt starts at `dueAt`; `sending`: one is under way; `offered`: it was handed
 * to somebody who has until `dueAt` to confirm it (push); the last three are ends.
 * `purpose` `resolve` is the word that it is over, for destinations that want it (T7).
 */
export interface Delivery {
  readonly id: string;
  readonly route: AlertRoute;
  readonly purpose: Purpose;
  /** Default `route`. */
  readonly cause?: Cause;
  readonly status: 'due' | 'sending' | 'offered' | 'accepted' | 'failed' | 'suppressed';
  readonly dueAt?: number;
  /** Why a delivery that is due waits, where that is no ladder: quiet hours (P4), a silence (A13). */
  readonly heldFor?: 'quiet_hours' | 'silenced';
  /** Until when it is known that a silence held it: its time counts from there (A8). */
  readonly silencedAt?: number;
  /** A silence has ended while its attempt was under way: held, it asks again at once. */
  readonly asksAgain?: true;
  readonly attempts: readonly Attempt[];
  readonly suppression?: Suppression;
  readonly endedAt?: number;
  /** The level of escalation it belongs to, with its fallbacks; absent: the alert's own routes. */
  readonly level?: number;
  /** Its fallback was decided on (A5): at most once. */
  readonly fellBack?: true;
}

/**
 * A6. `delivered`: enough channels have accepted it; `degraded`: fewer, and nothing is under way;
 * `exhausted`: none has. What is in a digest stays `pending`: it is told with others, later (P3).
 */
export type AlertResult = 'pending' | 'delivered' | 'degraded' | 'exhausted';

export interface AlertState {
  readonly input: AlertInput;
  readonly phase: 'firing' | 'acknowledged' | 'resolved';
  readonly raisedAt: number;
  readonly acknowledged?: { readonly by: string; readonly at: number; readonly note?: string };
  readonly resolved?: { readonly by: string; readonly at: number; readonly note?: string };
  readonly deliveries: readonly Delivery[];
  /** Levels of escalation begun so far, over all rounds. */
  readonly escalated: number;
  /** When the last of them began. */
  readonly stageAt?: number;
  /** A8. By a silence: no further level begins. */
  readonly escalationEnded?: true;
  /** What the journal was last told of the deliveries together. */
  readonly result: AlertResult;
  /** Decisions not yet written to the journal, oldest first, with the number of the first. */
  readonly unwritten: readonly JournalEntry[];
  readonly nextEntry: number;
  readonly writing: number;
  readonly rewriteAt?: number;
  readonly rejected: number;
}

/** One decision of the alert, appended to the ledger's journal by (alert, no): twice is once. */
export interface JournalEntry {
  readonly no: number;
  readonly at: number;
  readonly what:
    | 'raised'
    | 'attempt'
    | 'held'
    | 'offered'
    | 'suppressed'
    | 'delivered'
    | 'failed'
    | 'acknowledged'
    | 'resolved'
    | 'fallback'
    | 'escalated'
    | 'last_resort'
    | 'revoked'
    | 'degraded'
    | 'exhausted';
  readonly delivery?: string;
  readonly channel?: ChannelName;
  readonly attempt?: number;
  readonly reason?: string;
  readonly by?: string;
}

/** What `deliver` answers: an outcome, or the word that nothing was sent and why. */
export type DeliverAnswer =
  | { readonly type: 'sent'; readonly outcome: Outcome }
  | { readonly type: 'suppressed'; readonly reason: Suppression }
  /** Nothing was sent, and nothing will be before `until`, epoch ms (A13). It costs no attempt. */
  | { readonly type: 'held'; readonly reason: 'silenced'; readonly until: number }
  /** Handed over; it counts once it is confirmed, within so many ms (push). */
  | { readonly type: 'offered'; readonly confirmWithinMs: number };
