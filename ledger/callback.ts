/** What providers say later of what they took: callbacks as they are stored and carried out. */
import type { ClaimRequest } from './claimed-period.js';

export type CallbackProvider = 'resend' | 'twilio' | 'pagerduty';

export type CallbackWord =
  | {
      readonly what: 'delivered';
      /** The provider's id of the message. */
      readonly message: string;
    }
  | {
      readonly what: 'undelivered';
      readonly message: string;
      /** For people; no addresses. */
      readonly reason: string;
      /** Nobody is there any more, or nobody wants to hear: nothing more is sent there. */
      readonly gone: boolean;
    }
  | {
      readonly what: 'acknowledged' | 'resolved';
      /** T9. The key of the incident. */
      readonly incident: string;
      readonly by: string;
      /** By the provider's clock, epoch ms. */
      readonly occurredAt: number;
    };

export interface NewCallback {
  readonly provider: CallbackProvider;
  /** The same on every repeat of the provider's. */
  readonly eventId: string;
  readonly word: CallbackWord;
}

export interface ClaimedCallback extends NewCallback {
  readonly receivedAt: number;
  readonly fence: number;
  readonly tries: number;
}

/** Of one message; a word for the worse stands, whatever comes after it. */
export type ReceiptWord = Extract<CallbackWord, { readonly message: string }>;

/** What became of a message that its provider had taken. */
export interface Receipt {
  readonly what: ReceiptWord['what'];
  readonly at: number;
  readonly reason?: string;
}

/** A delivery that a receipt speaks of. */
export interface ReceiptDelivery {
  readonly org: string;
  readonly alertId: string;
  readonly deliveryId: string;
  /** The alert's journal says that it counts as accepted: the vote is there to be taken back. */
  readonly hasVote: boolean;
}

export interface CallbackLedger {
  /** A repeat of an event changes nothing. Rejects when the database does not answer in time. */
  putCallback(callback: NewCallback, now: number): Promise<'stored' | 'known'>;
  claimCallbacks(request: ClaimRequest): Promise<readonly ClaimedCallback[]>;
  callbackDone(claim: ClaimedCallback, result: string): Promise<void>;
  callbackFailed(
    claim: ClaimedCallback,
    failure: { now: number; backoffMs: number; reason: string },
  ): Promise<void>;
  /** Of those carried out, what was received before; answers how many. */
  forgetCallbacks(receivedBefore: number): Promise<number>;
  /**
   * Notes what became of a message with its attempts, once, and counts it for or against its
   * destination. Answers its deliveries; none where no attempt of ours has this id (yet).
   */
  noteReceipt(
    provider: CallbackProvider,
    word: ReceiptWord,
    now: number,
  ): Promise<readonly ReceiptDelivery[]>;
  /** T9. The open alerts of an incident's budget, period and dimension, raised until then. */
  alertsOfIncident(
    key: string,
    raisedUntil: number,
  ): Promise<readonly { readonly id: string; readonly phase: 'firing' | 'acknowledged' }[]>;
}
