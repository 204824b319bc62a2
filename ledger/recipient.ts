/** People whom alerts are told to: who they are, how they are reached, and what they want. */
import type { OpenDestination } from '../domain/alert/message.js';
import type { AlertInput, AlertRoute } from '../domain/alert/state.js';
import type { PersonalChannel, Preferences, SeenPreferences } from '../domain/preferences.js';
import type { RoutingDecision } from '../domain/routing.js';
import type { Author } from './configuring.js';
import type { Health } from './delivery.js';

/** Channels with an address of one's own: push has none. */
export type ContactChannel = Exclude<PersonalChannel, 'push'>;

/** Without the address: a masked form of it is all that leaves (L-5). */
export interface ContactView {
  readonly channel: ContactChannel;
  /** `j***@acme.com`; `unreadable` where no key opens it. */
  readonly masked: string;
  readonly destination: string;
  readonly health: Health;
  /** Absent: nothing is sent there yet but its code. */
  readonly verifiedAt?: number;
  /** Until then the code that was sent last is taken. */
  readonly codeUntil?: number;
}

export interface RecipientView {
  readonly id: string;
  readonly name?: string;
  readonly preferences: Preferences;
  readonly contacts: readonly ContactView[];
  readonly createdAt: number;
  readonly changedAt: number;
}

export interface RecipientRef {
  readonly org: string;
  readonly id: string;
}

export interface ContactRef extends RecipientRef {
  readonly channel: ContactChannel;
}

/** What is left out of `unsubscribed` stays: a new document does not take a word back. */
export interface NewPreferences extends Omit<Preferences, 'unsubscribed'> {
  readonly unsubscribed?: boolean;
}

/** A code for a contact, as it is sent; the ledger keeps only a hash that its own key makes. */
export interface NewCode extends ContactRef {
  readonly code: string;
  /** Epoch ms. */
  readonly until: number;
  readonly now: number;
}

export type CodeToSend =
  | { readonly type: 'send'; readonly destination: OpenDestination }
  | { readonly type: 'already_verified' }
  /** So many were sent today, to the address or for the contact. */
  | { readonly type: 'too_many'; readonly nextAt: number }
  | { readonly type: 'unknown' };

export type Verification =
  | { readonly type: 'verified'; readonly changed: boolean }
  /** The code is another one; so many tries are left. */
  | { readonly type: 'wrong'; readonly triesLeft: number }
  /** None is open: none was sent, its time is over, or its tries are used up. */
  | { readonly type: 'no_code' }
  | { readonly type: 'unknown' };

/** One decision about one (alert, recipient, channel), with what decided it (P1 to P4). */
export type RoutingView = RoutingDecision & {
  readonly at: number;
  readonly preferences?: SeenPreferences;
};

/** The part of the ledger that is about people. Each change comes with its audit entry. */
export interface People {
  /** By id; `after`: those that follow this one. */
  recipients(query: {
    org: string;
    limit: number;
    after?: string;
  }): Promise<readonly RecipientView[]>;
  recipient(ref: RecipientRef): Promise<RecipientView | undefined>;
  /** Adds whoever is not there yet, with the default preferences; a name that is left out stays. */
  putRecipient(
    recipient: RecipientRef & { readonly name?: string },
    author: Author,
  ): Promise<{ changed: boolean }>;
  /** With contacts and what waits for a digest; what was decided before stays recorded. */
  removeRecipient(ref: RecipientRef, author: Author): Promise<{ changed: boolean }>;
  /** Undefined: there is no such recipient. */
  setPreferences(
    ref: RecipientRef,
    preferences: NewPreferences,
    author: Author,
  ): Promise<{ changed: boolean } | undefined>;
  /** P3. The one click of a digest. Undefined: there is no such recipient. */
  unsubscribe(ref: RecipientRef, author: Author): Promise<{ changed: boolean } | undefined>;
  /** Another address has to be verified again. Undefined: there is no such recipient. */
  putContact(
    contact: ContactRef & { readonly address: string },
    author: Author,
  ): Promise<{ changed: boolean } | undefined>;
  removeContact(ref: ContactRef, author: Author): Promise<{ changed: boolean }>;
  /** The last code is the only one that is taken. */
  newCode(code: NewCode): Promise<CodeToSend>;
  verifyContact(ref: ContactRef, code: string, author: Author): Promise<Verification>;
  /**
   * P1 to P4. The routes of an alert that starts: its own, and those of its audience. The first
   * answer stands, whatever has changed since; each decision is recorded with it.
   */
  routeAlert(input: AlertInput, now: number): Promise<readonly AlertRoute[]>;
  /** What was decided for an alert, in the order of its routes. */
  routing(org: string, alertId: string): Promise<readonly RoutingView[]>;
}
