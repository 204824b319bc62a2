/** Everything that does I/O for the workflows, with its dependencies given once. */
import type { Channel } from '../channels/channel.js';
import type { AlertInput } from '../domain/alert/state.js';
import type { ChannelName } from '../domain/words.js';
import type { Ledger } from '../ledger/ledger.js';
import { createDigestActivities, type DigestActivityLedger } from './digest.js';
import { createDeliver } from './deliver.js';
import { createJournal } from './journal.js';
import { createLoadRules } from './load-rules.js';
import { createOpenPeriod } from './open-period.js';
import { createPublishPeriod } from './publish-period.js';
import { createPublishRules } from './publish-rules.js';
import { createRaiseAlert } from './raise-alert.js';

export interface ActivityDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'publish'
    | 'openPeriod'
    | 'openDelivery'
    | 'beginAttempt'
    | 'finishAttempt'
    | 'appendJournal'
    | 'loadRules'
    | 'publishRules'
    | 'noticeWords'
    | 'offerPush'
  > &
    DigestActivityLedger;
  /** A channel that is not here is recorded as `unsupported_channel`. */
  readonly channels: Readonly<Partial<Record<ChannelName, Channel>>>;
  /** Where people look: the address of an alert's page. */
  readonly alertUrl: (alertId: string) => string;
  /** Where a recipient has no more digests: for whoever got one. */
  readonly unsubscribeUrl: (org: string, recipient: string) => string;
  /** How long the hour of an hourly digest is, ms. */
  readonly digestHourMs: number;
  /** Starts the workflow of an alert; resolves too when it was started before. */
  readonly startAlert: (input: AlertInput) => Promise<unknown>;
  readonly now: () => number;
  /** Resolves after so many ms. */
  readonly pause: (ms: number) => Promise<void>;
  /** Of one attempt, connect to last byte; must stay below the activity's 5 s. */
  readonly timeoutMs: number;
}

export type Activities = ReturnType<typeof createActivities>;

export function createActivities(dependencies: ActivityDependencies) {
  return {
    deliver: createDeliver(dependencies),
    ...createDigestActivities(dependencies),
    journal: createJournal(dependencies),
    loadRules: createLoadRules(dependencies),
    openPeriod: createOpenPeriod(dependencies),
    publishPeriod: createPublishPeriod(dependencies),
    publishRules: createPublishRules(dependencies),
    raiseAlert: createRaiseAlert(dependencies),
  };
}
