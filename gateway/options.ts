/** What a gateway is given: its ports and its numbers. */
import { NOTICE_WINDOW_MS } from '../domain/alert/agent-notice.js';
import type { Policy } from '../domain/alert/policy.js';
import type { ChannelName } from '../domain/words.js';
import type { ClaimedPeriod, Ledger, PushLedger } from '../ledger/ledger.js';
import { DEFAULT_LEASE_POLICY } from '../ledger/lease.js';
import type { AlertClient } from './act-on-alert.js';
import type { GuardHub } from './guard/hub.js';
import type { GuardPolicy } from './guard/policy.js';
import type { LedgerWatch } from './ledger-watch.js';
import type { CallbackReader } from './callbacks/index.js';
import type { PreviewDigest } from './digest-preview.js';
import type { AlertLinks, UnsubscribeLinks } from './links.js';
import type { Pricer } from './price.js';
import type { PushPolicy } from './push/policy.js';
import type { Rates } from './rate.js';
import type { Codec } from './routes/codec.js';
import type { Sessions } from './sessions.js';
import type { RefuseTarget } from './sync-warnings.js';
import type { SendCode } from './send-code.js';
import type { TestSend } from './test-send.js';

/** Lines are structured: fields first, then what happened. Never a body, a key or an address. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The part of the ledger a gateway works on. */
export type GatewayLedger = Pick<
  Ledger,
  | 'ping'
  | 'ingest'
  | 'ensurePeriods'
  | 'quarantine'
  | 'quarantined'
  | 'reportRun'
  | 'configurations'
  | 'configure'
  | 'changeLayer'
  | 'resetPeriod'
  | 'layers'
  | 'endLayers'
  | 'audit'
  | 'knownDestinations'
  | 'setDefaultDestination'
  | 'confirmDestination'
  | 'restoreDestination'
  | 'organisationSettings'
  | 'setOperators'
  | 'setEscalation'
  | 'setAllowedEmailDomains'
  | 'allowedEmailDomains'
  | 'putDestinations'
  | 'addSilence'
  | 'endSilence'
  | 'silences'
  | 'stop'
  | 'resume'
  | 'stopped'
  | 'apiKey'
  | 'keyRefused'
  | 'createKey'
  | 'rotateKey'
  | 'revokeKey'
  | 'keys'
  | 'claimWrite'
  | 'finishWrite'
  | 'releaseWrite'
  | 'budgets'
  | 'alerts'
  | 'alert'
  | 'usage'
  | 'agentNames'
  | 'operatorNotices'
  | 'sendNotice'
  | 'digests'
  | 'exportPage'
  | 'lag'
  | 'rules'
  | 'setRule'
  | 'removeRule'
  | 'countMetrics'
  | 'putCallback'
  | 'recipients'
  | 'recipient'
  | 'unsubscribe'
  | 'putRecipient'
  | 'removeRecipient'
  | 'setPreferences'
  | 'putContact'
  | 'removeContact'
  | 'verifyContact'
  | 'routing'
  | 'askLease'
  | 'closeLease'
  | 'releaseLease'
  | 'leases'
  | 'guardStandings'
>;

/** Takes the rows a batch has claimed, because they passed what their period wants to know. */
export interface Relay {
  deliver(claims: readonly ClaimedPeriod[]): unknown;
}

/** What push to people's browsers and apps needs. */
export interface PushOptions {
  readonly ledger: PushLedger;
  /** Tells an alert that a delivery has reached somebody; rejects where it could not. */
  readonly confirm: (alertId: string, delivery: string) => Promise<unknown>;
  readonly policy?: Partial<PushPolicy>;
}

export interface PushTickets {
  readonly ledger: Pick<PushLedger, 'putPushTicket'>;
  readonly ticketMs: number;
}

/** Numbers and defaults; durations in ms, sizes in bytes. */
export interface GatewayPolicy {
  /** B2. The organisation's zone, for scopes nobody has configured yet. */
  readonly zone: string;
  /** Of a body, packed and unpacked alike. */
  readonly ingestLimit: number;
  /** Of every other body. */
  readonly bodyLimit: number;
  /** How long rows that a batch took past their notify amounts stay claimed. */
  readonly claimMs: number;
  /** A ledger that takes longer is in trouble: the Python SDK gives up at 10 s. */
  readonly ledgerTimeoutMs: number;
  /** How often the ledger is asked whether it is there, and how long it may be silent. */
  readonly watchMs: number;
  readonly silenceMs: number;
  /** Told to senders while the ledger is in trouble; the Python SDK honours 1 to 10 s. */
  readonly retryAfterS: number;
  /** Usage older than this was waiting on a disk: it is never refused for good. */
  readonly freshMs: number;
  /** Batches in hand at once; more are asked to wait. */
  readonly maxInFlight: number;
  /** How long a key that was found is believed in without asking again. */
  readonly keyTtlMs: number;
  /** Requests a second of one key, in this process. */
  readonly rates: Rates;
  /** A9. How long an alert's workflow may take to answer a person. */
  readonly actMs: number;
  /** A2. How long a copy of a notice is a repeat of it. */
  readonly noticeWindowMs: number;
  /** L5. How long before its period a lease of the next one is granted. */
  readonly leaseAheadMs: number;
  /** When who needs no lease asks again, and how old what says so may be. */
  readonly leaseRenewMs: number;
  readonly leaseFreshMs: number;
  /** P3. How long the hour of an hourly digest is, ms. */
  readonly digestHourMs: number;
  /** At the end: how long requests in flight may take. */
  readonly graceMs: number;
}

export const DEFAULT_GATEWAY_POLICY: GatewayPolicy = {
  zone: 'UTC',
  ingestLimit: 16 * 1024 * 1024,
  bodyLimit: 1024 * 1024,
  claimMs: 3_000,
  ledgerTimeoutMs: 8_000,
  watchMs: 200,
  silenceMs: 500,
  retryAfterS: 2,
  freshMs: 60_000,
  maxInFlight: 64,
  keyTtlMs: 5_000,
  rates: { usage: 1_000, other: 50 },
  actMs: 6_000,
  noticeWindowMs: NOTICE_WINDOW_MS,
  leaseAheadMs: DEFAULT_LEASE_POLICY.aheadMs,
  leaseRenewMs: DEFAULT_LEASE_POLICY.renewMs,
  leaseFreshMs: 500,
  digestHourMs: 3_600_000,
  graceMs: 10_000,
};

export interface GatewayOptions {
  readonly ledger: GatewayLedger;
  readonly relay: Relay;
  readonly log: Logger;
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: this machine only. */
  readonly host?: string;
  /** Epoch ms. */
  readonly now?: () => number;
  /** Request ids, and idempotency keys of events that have none. */
  readonly newId?: () => string;
  readonly pricer?: Pricer;
  readonly policy?: Partial<GatewayPolicy>;
  /** Told by `/readyz`. */
  readonly temporal?: { ping(): Promise<void> };
  /** A9. Takes a person's word to an alert; absent: such words are answered with 503. */
  readonly alerts?: AlertClient;
  /** Frozen into the alerts of notices. @default DEFAULT_POLICY */
  readonly alertPolicy?: Policy;
  /** A9. Absent: an alert's page says only where to look. */
  readonly links?: AlertLinks;
  /** Sign-in of people; absent: there are no /login and no /agents. */
  readonly sessions?: Sessions;
  /** Providers whose callbacks are taken; default: none. */
  readonly callbacks?: readonly CallbackReader[];
  /** Absent: test messages cannot be sent. */
  readonly testSend?: TestSend;
  /** Absent: contacts are stored, and no code can be sent. */
  readonly sendCode?: SendCode;
  /** Absent: there is no /v1/push. */
  readonly push?: PushOptions;
  /** Of the guards' channel. */
  readonly guards?: Partial<GuardPolicy>;
  /** P3. Absent: what waits for a digest is not shown. */
  readonly previewDigest?: PreviewDigest;
  /** Absent: nobody can unsubscribe by a link. */
  readonly unsubscribeLinks?: UnsubscribeLinks;
  /**
   * The organisation of whoever runs the service: its admin keys may make the first key of another
   * one, and open sealed payloads. Default: `default`.
   */
  readonly homeOrg?: string;
  /** Warns of synced targets that no channel will send to; default: of none. */
  readonly refuseTarget?: RefuseTarget;
  /** Whether the service can send by it at all; default: by every one. */
  readonly hasAccount?: (channel: ChannelName) => boolean;
  /** Shows sealed payloads to Temporal's own tools; absent: there is no /codec. */
  readonly codec?: Codec;
}

/** What the routes share: the options with their defaults in place. */
export interface Gateway {
  readonly ledger: GatewayLedger;
  readonly relay: Relay;
  readonly log: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  readonly pricer: Pricer;
  readonly policy: GatewayPolicy;
  readonly temporal?: { ping(): Promise<void> };
  readonly alerts?: AlertClient;
  readonly alertPolicy: Policy;
  readonly links?: AlertLinks;
  readonly sessions?: Sessions;
  readonly callbacks: readonly CallbackReader[];
  readonly testSend?: TestSend;
  readonly sendCode?: SendCode;
  readonly push?: PushTickets;
  readonly guards: GuardHub;
  readonly previewDigest?: PreviewDigest;
  readonly unsubscribeLinks?: UnsubscribeLinks;
  readonly homeOrg: string;
  readonly refuseTarget: RefuseTarget;
  readonly hasAccount: (channel: ChannelName) => boolean;
  readonly codec?: Codec;
  readonly watch: LedgerWatch;
  readonly isDraining: () => boolean;
}
