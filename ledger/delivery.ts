/** What goes out: deliveries, the destinations they go to, and what operators hear of them. */
import type { ServiceNotice, ServiceNoticeKind } from '../domain/alert/notice.js';
import type { MessageTemplate, OpenDestination, RenderedMessage } from '../domain/alert/message.js';
import type { Outcome, Suppression } from '../domain/alert/outcome.js';
import type { Purpose } from '../domain/alert/state.js';
import type { SilenceSubject } from '../domain/silence.js';
import type { ChannelName, Dimension, Priority } from '../domain/words.js';

export interface DeliveryRef {
  readonly org: string;
  readonly alertId: string;
  readonly deliveryId: string;
  readonly purpose: Purpose;
  readonly channel: ChannelName;
  /** Absent: the organisation's default destination of the channel (C3). */
  readonly destination?: string;
  /** Whose sockets are meant (push): there is no address. */
  readonly recipient?: string;
  /** T9. The key of the incident it belongs to (PagerDuty). */
  readonly incident?: string;
  /** A13. What a silence is held against; absent: none holds it. */
  readonly about?: SilenceSubject;
  /** P4. It was held back by quiet hours; at their end it may be superseded. */
  readonly waited?: Waited;
  /** A14. It tells what a storm held back: the minute does not hold it, the day's cap does. */
  readonly sumsUp?: true;
  /**
   * The crossing it speaks for, which one alert may do once. Absent where it speaks for none of
   * its own: a fallback, a level of escalation, a test; such a one is never `superseded`.
   */
  readonly firing?: {
    readonly periodId: string;
    readonly dimension: Dimension;
    readonly bps: number;
    readonly limitsRev: number;
  };
}

/** What a newer alert has to have in common with it: whom it tells, and what it is about. */
export interface Waited {
  readonly recipient: string;
  readonly subject: string;
  /** The rule, or the dimension. */
  readonly about: string;
  /** When what it tells was seen, epoch ms; of two at one moment the higher threshold is newer. */
  readonly at: number;
  readonly bps: number;
}

export type LedgerSuppression = Extract<
  Suppression,
  | 'no_destination'
  | 'superseded'
  | 'resolved'
  | 'unhealthy_destination'
  | 'unverified'
  | 'storm'
  | 'daily_cap'
  | 'still_firing'
>;

export type OpenedDelivery =
  | { readonly type: 'suppressed'; readonly reason: LedgerSuppression }
  /** A13. A silence holds it until then, epoch ms, or until it is ended; nothing was counted. */
  | { readonly type: 'held'; readonly until: number }
  /** An earlier attempt was accepted: whoever asks has lost its answer, and sends nothing. */
  | { readonly type: 'delivered'; readonly outcome: Outcome }
  | {
      readonly type: 'open';
      readonly destination: OpenDestination;
      /** What was rendered for an earlier attempt, to be sent again to the byte (A11). */
      readonly message?: RenderedMessage;
    };

export interface BegunAttempt {
  /** What every attempt of the delivery sends, to the byte (A11). */
  readonly message: RenderedMessage;
  /** When the delivery's first attempt was begun, where that was not this one; epoch ms. */
  readonly repeatsSince?: number;
}

export interface NewDestination {
  readonly channel: ChannelName;
  readonly address: string;
  readonly secrets?: readonly string[];
  readonly template?: MessageTemplate;
  /** T7. Wants the word that it is over; default: webhook only. */
  readonly sendResolved?: boolean;
  /**
   * C3. Whether the organisation stands by it; default true. False takes back nothing: a target
   * that was verified once stays so. Only emails are held back without it.
   */
  readonly verified?: boolean;
}

/** `gone`: the provider says that nobody is there any more; nothing is sent to it. */
export type Health = 'ok' | 'gone' | 'failing';

/** Something the operators are to be told (A15). */
export interface NewNotice {
  readonly kind: ServiceNoticeKind;
  /** For people; names channels and references, never an address. At most 500 characters are kept. */
  readonly text: string;
  /** Tells it from others of its kind: the same is kept once. Absent: always new. */
  readonly once?: string;
  /** A destination it is about: it is told elsewhere. */
  readonly destination?: string;
}

export interface OperatorNotice extends ServiceNotice {
  /** When its alert was written; absent: nobody was there to be told. */
  readonly toldAt?: number;
  readonly alertId?: string;
  /** That alert reached nobody. */
  readonly unheard?: true;
}

/** What decides how far an alert goes (A8). */
export interface Responding {
  readonly priority: Priority;
  readonly kind: 'threshold' | 'rule' | 'notice';
}
