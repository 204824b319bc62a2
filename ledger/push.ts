/**
 * Push as the ledger keeps it: messages that are offered to people, the sockets they are offered
 * to, and what people say to them.
 *
 * Invariants
 * PU-1. Changes of messages are numbered in the order in which they become visible (`rev`): a
 *       gateway that reads on from the last number it has seen misses none and repeats none.
 * PU-2. A socket counts while its gateway beats: one that was killed is not offered to for long.
 * PU-3. An acknowledgement is stored before anybody is told of it, and is told to its alert at
 *       least once, by the gateway at once or by a relay later; telling it twice is harmless.
 * PU-4. A ticket lets one socket in, once.
 */
import type { DeliverAnswer } from '../domain/alert/state.js';
import type { DeliveryRef } from './delivery.js';

/** Whose sockets: a recipient of an organisation. */
export interface PushPerson {
  readonly org: string;
  readonly recipient: string;
}

export interface PushOffer {
  readonly ref: DeliveryRef;
  readonly recipient: string;
  /** What clients know it by. */
  readonly id: string;
  /** The exact text of the frame. */
  readonly body: string;
}

export interface NewPushTicket extends PushPerson {
  readonly hash: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface NewPushSession {
  readonly id: string;
  readonly gateway: string;
}

export interface PushSession extends NewPushSession, PushPerson {
  /** Epoch ms. */
  readonly openedAt: number;
}

/** `unknown`: no such ticket, used, or too old; `full`: this person has as many sockets as are allowed. */
export type RedeemedTicket =
  | { readonly type: 'opened'; readonly session: PushSession }
  | { readonly type: 'unknown' | 'full' };

export interface MissedPush {
  /** Oldest first. */
  readonly messages: readonly { readonly id: string; readonly body: string }[];
  /** All that wait, also those left out. */
  readonly waiting: number;
  /** What has a greater number is not in it (PU-1). */
  readonly upTo: number;
}

/** A message that was offered, or one that somebody has acknowledged since. */
export interface PushChange extends PushPerson {
  readonly rev: number;
  readonly id: string;
  /** Absent: it was acknowledged. */
  readonly body?: string;
}

export interface PushChanges {
  readonly changes: readonly PushChange[];
  /** Where to go on. */
  readonly upTo: number;
}

export interface PushConfirmation {
  readonly org: string;
  readonly id: string;
  readonly alertId: string;
  readonly deliveryId: string;
}

export interface PushWatch {
  /** How often to look even when nothing was heard, ms. */
  readonly pollMs: number;
  stop(): Promise<void>;
}

export interface PushLedger {
  /**
   * Hands a delivery to whoever is connected. Nobody is: it has failed for good, and is kept for
   * whoever connects later. One that was acknowledged before is accepted.
   */
  offerPush(offer: PushOffer, now: number): Promise<DeliverAnswer>;

  putPushTicket(ticket: NewPushTicket): Promise<void>;
  /** Uses the ticket up and opens a session; `most` sockets a person. */
  redeemPushTicket(
    hash: string,
    session: NewPushSession,
    most: number,
    now: number,
  ): Promise<RedeemedTicket>;
  /** What was offered to a person after `since` and is not acknowledged; the newest `limit`. */
  missedPush(person: PushPerson, since: number, limit: number): Promise<MissedPush>;
  /** What changed since for the people of a gateway's sockets, in its order. */
  pushChanges(gateway: string, after: number, limit: number): Promise<PushChanges>;
  /** `new`: nobody knows it (any more), and its sessions have to be put again. */
  beatPush(gateway: string): Promise<'known' | 'new'>;
  putPushSessions(sessions: readonly PushSession[]): Promise<void>;
  endPushSessions(ids: readonly string[]): Promise<void>;
  /** With all its sessions. */
  endPushGateway(gateway: string): Promise<void>;

  /**
   * Undefined where this person has no such message, or it was acknowledged before. For
   * `leaseMs` it is the caller's to tell its alert.
   */
  acknowledgePush(
    person: PushPerson,
    id: string,
    now: number,
    leaseMs: number,
  ): Promise<PushConfirmation | undefined>;
  /** Acknowledgements that their alerts have not been told of, the oldest due first. */
  claimPushConfirmations(request: {
    readonly now: number;
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<readonly PushConfirmation[]>;
  pushConfirmed(confirmation: PushConfirmation): Promise<void>;
  /** Ends offers that nobody took, and forgets what is too old to be of use. */
  sweepPush(now: number): Promise<void>;
  /** Calls `wake` when a message may have changed; what it misses, polling finds. */
  watchPush(wake: () => void): Promise<PushWatch>;
}

/** Durations in ms. */
export const PUSH = {
  /** A5. Who has not confirmed by then was not reached. */
  confirmWithinMs: 5_000,
  /** What nobody acknowledged is kept for so long for whoever connects. */
  keepMs: 86_400_000,
  /** PU-2. A gateway that has not beaten for so long has no sockets; it beats every second. */
  staleMs: 4_000,
  /** Then its rows are forgotten. */
  forgetMs: 60_000,
} as const;
