/**
 * A channel takes one message to one destination and answers with an outcome; it never throws
 * for anything the outside world does. Adding one is one file, one entry in `index.ts`, one fake.
 *
 * Invariants
 * C-1. `render` is pure: the same view gives the same bytes, and the bytes hold no address or secret.
 * C-2. `deliver` sends exactly `message.body`; every attempt of a delivery sends the same bytes
 *      under the same idempotency key (A11).
 * C-3. `deliver` ends within `timeoutMs`, reads at most 64 KiB of an answer, and follows no redirect.
 * C-4. No outcome, reason or log line carries an address, a credential or a URL's path.
 */
import type { NoticeWords } from '../domain/alert/agent-notice.js';
import type { AlertFacts } from '../domain/alert/facts.js';
import type { MessageTemplate, OpenDestination, RenderedMessage } from '../domain/alert/message.js';
import type { Outcome } from '../domain/alert/outcome.js';
import type { ChannelName } from '../domain/words.js';

export type { MessageTemplate, NoticeWords, OpenDestination, RenderedMessage };

/** What every channel renders from; one view model for all. */
export interface AlertView {
  /** The alert's id, also in the webhook's body. */
  readonly alertId: string;
  /** `acknowledged` is for PagerDuty; `resolved` where the destination asked for it (T7). */
  readonly state: 'firing' | 'acknowledged' | 'resolved';
  /**
   * T9. The same for all alerts of one budget, period and dimension; a notice has one of its own.
   * At most 255 ASCII.
   */
  readonly incidentKey: string;
  /** A short code of this alert for people, six letters and digits: `K7Q2MD`. */
  readonly code: string;
  readonly facts: AlertFacts;
  /** What an agent's notice says; its facts have only a neutral title. */
  readonly words?: NoticeWords;
  /** Absolute address of the alert's page; empty where there is no service to show it. */
  readonly dashboardUrl: string;
}

export interface DeliveryRequest {
  readonly message: RenderedMessage;
  readonly destination: OpenDestination;
  /** The same on every attempt of one delivery (A11). At most 255 ASCII characters. */
  readonly idempotencyKey: string;
  /** Epoch ms of this attempt (`webhook-timestamp`). */
  readonly now: number;
  /**
   * An earlier attempt may have got through: epoch ms before the first of them. Where the provider
   * cannot tell a repeat, look there before sending again (SMS, A4).
   */
  readonly repeatsSince?: number;
  /** Whole attempt, connect to last byte. Default of callers: 4,000. */
  readonly timeoutMs: number;
}

export interface Channel {
  readonly name: ChannelName;
  /** True where the provider (or our receiver) drops a repeat of the same idempotency key. */
  readonly idempotent: boolean;
  render(view: AlertView, template?: MessageTemplate): RenderedMessage;
  deliver(request: DeliveryRequest): Promise<Outcome>;
}
