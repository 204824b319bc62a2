/** Silences (A13) as the ledger takes and answers them. Times are epoch ms. */
import type { SilenceMatcher } from '../domain/silence.js';
import type { ClaimRequest } from './claimed-period.js';
import type { Author } from './configuring.js';

export interface Silence extends SilenceMatcher {
  readonly id: string;
  readonly from: number;
  readonly until: number;
  readonly by: string;
  readonly reason: string;
  /** When it was made. */
  readonly at: number;
  /** Before its time, by a person. */
  readonly ended?: { readonly by: string; readonly at: number };
}

export interface NewSilence extends SilenceMatcher, Author {
  readonly org: string;
  readonly id: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

/** The latest made first, then by id. */
export interface SilencePage {
  readonly at: number;
  readonly id: string;
}

/** An alert that was held by a silence which a person has ended. */
export interface SilencedAlert {
  readonly org: string;
  readonly silence: string;
  readonly alertId: string;
  readonly fence: number;
  readonly tries: number;
}

export interface SilenceLedger {
  /** With its audit entry. The same id is the same silence: what is there is answered, unchanged. */
  addSilence(silence: NewSilence): Promise<{ changed: boolean; silence: Silence }>;
  /** Ends it now, with its audit entry; undefined where there is none. One that is over stays so. */
  endSilence(
    org: string,
    id: string,
    author: Author,
  ): Promise<{ changed: boolean; silence: Silence } | undefined>;
  /** `openAt`: those that hold something then, or will. */
  silences(query: {
    org: string;
    id?: string;
    openAt?: number;
    limit: number;
    after?: SilencePage;
  }): Promise<readonly Silence[]>;
  /** Alerts to be told that a silence has ended, each for its lease. */
  claimSilenced(request: ClaimRequest): Promise<readonly SilencedAlert[]>;
  silencedTold(claim: SilencedAlert): Promise<void>;
  silencedFailed(
    claim: SilencedAlert,
    failure: { readonly now: number; readonly backoffMs: number },
  ): Promise<void>;
  /** Takes away what is known of alerts that ask by themselves: their silence ended before then. */
  forgetSilenced(endedBefore: number): Promise<number>;
}
