/** What operators and agents configure, and who changed what. */
import type { AlertRoute, Escalation, OwnWay } from '../domain/alert/state.js';
import type { PeriodKey, PeriodWindow, Scope } from '../domain/budget/period-key.js';
import type { Budget, ScopeConfiguration } from '../domain/configuration.js';
import type { LayerChange } from '../domain/configuration/change.js';
import type { OperatorLayer } from '../domain/configuration/layers.js';
import type { Cadence, ChannelName, Dimension } from '../domain/words.js';
import type { Refusal } from '../domain/refusal.js';
import type { Health, NewDestination } from './delivery.js';

/** Who changes something, for the audit; epoch ms. */
export interface Author {
  readonly by: string;
  readonly now: number;
}

export interface ConfigureRequest {
  readonly org: string;
  readonly scope: Scope;
  readonly name: string;
  readonly zone: string;
  readonly budgets: readonly Budget[];
  readonly shown?: readonly unknown[];
  readonly by: string;
  readonly now: number;
  /** The windows of the budgets' calendar and total cadences that contain `now`. */
  readonly windows: readonly { readonly key: PeriodKey; readonly window: PeriodWindow }[];
  /**
   * C2. Written only while the ledger holds this revision: else nothing is written and what is
   * there is answered, `changed` false. For a configuration that several agents write parts of.
   */
  readonly ifRev?: number;
}

/** C1. A scope with what was synced, what an operator set, and what holds of both (`budgets`). */
export interface ScopeLayers extends ScopeConfiguration {
  readonly synced: readonly Budget[];
  readonly operator: OperatorLayer;
}

export interface ChangeLayerRequest extends Author {
  readonly org: string;
  readonly scope: Scope;
  readonly name: string;
  /** Of a scope that nobody has configured yet. */
  readonly zone: string;
  readonly change: LayerChange;
  /** Why, where the change itself does not say it. */
  readonly reason?: string;
  /** The windows of every calendar and total cadence that contain `now`. */
  readonly windows: readonly { readonly key: PeriodKey; readonly window: PeriodWindow }[];
}

/** C1. Without a cadence the only one there is; without a dimension all of them. */
export interface ResetRequest extends Author {
  readonly org: string;
  readonly scope: Scope;
  readonly cadence?: Cadence;
  readonly dimension?: Dimension;
  readonly reason: string;
}

/** One entry of the audit, as people read it. */
export interface AuditView {
  readonly id: number;
  /** A scope, `agent:<name>`, `destination:<reference>` or `organisation`. */
  readonly subject: string;
  readonly at: number;
  readonly by: string;
  readonly what: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface AuditQuery {
  readonly org: string;
  readonly subject?: string;
  /** Older than this entry: the id of the last one that was read. */
  readonly before?: number;
  readonly limit: number;
}

/** Where alerts go, without the address: a masked form of it is all that leaves (L-5). */
export interface DestinationView {
  readonly reference: string;
  readonly channel: ChannelName;
  /** `hooks.slack.com`, `j***@acme.com`, `+15***67`; `unreadable` where no key opens it. */
  readonly masked: string;
  readonly health: Health;
  readonly healthReason?: string;
  readonly healthAt?: number;
  /** C3. False: an email target that nobody stands by. */
  readonly verified: boolean;
  /** C3. It is where entries without a target go. */
  readonly isDefault: boolean;
}

/** What operators have set for the whole organisation. */
export interface OrganisationSettings {
  readonly emailDomains: readonly string[];
  readonly operators: readonly AlertRoute[];
  /** Absent: the default of A8. */
  readonly escalation?: Escalation;
  readonly defaults: readonly { readonly channel: ChannelName; readonly destination: string }[];
}

/** The part of the ledger that is about configuration: each write with its audit entry. */
export interface Configuring {
  /** Creates what is missing at revision 0, so that every scope has a row to lock. */
  configurations(org: string, scopes: readonly Scope[]): Promise<readonly ScopeConfiguration[]>;
  /** C1. The agents' layer. The same content is a no-op: `changed` is false, nothing is written. */
  configure(
    request: ConfigureRequest,
  ): Promise<{ changed: boolean; configuration: ScopeConfiguration }>;
  /** C1. The operator's layer; a refusal where the change makes no sense, nothing is written then. */
  changeLayer(
    request: ChangeLayerRequest,
  ): Promise<{ changed: boolean; layers: ScopeLayers } | Refusal>;
  /** C1. From now on the current period's limits count from what it holds now. */
  resetPeriod(request: ResetRequest): Promise<{ changed: boolean; cadence: Cadence } | Refusal>;
  /** C1. Scopes that anybody configured, by name. */
  layers(org: string, scope: Scope | undefined, limit: number): Promise<readonly ScopeLayers[]>;
  /**
   * C1. Brings everything (or these scopes) to the state that holds at `now`: raises and limits that
   * have ended are gone. `nextAt`: when the next one ends.
   */
  endLayers(
    now: number,
    which?: { readonly org: string; readonly scopes: readonly Scope[] },
  ): Promise<{ ended: number; nextAt?: number }>;
  /** Who changed what, the newest first. */
  audit(query: AuditQuery): Promise<readonly AuditView[]>;
  /**
   * Seals and stores; answers the references in order. The same target is the same reference.
   * `now` (default: the machine's) begins the grace of a webhook's old secret.
   */
  putDestinations(
    org: string,
    destinations: readonly NewDestination[],
    now?: number,
  ): Promise<readonly string[]>;
  /** Masked, by channel and reference; at most 1,000. */
  knownDestinations(org: string, reference?: string): Promise<readonly DestinationView[]>;
  /**
   * C3. The destination that entries without a target go to. Here and below: without an author it is
   * the environment's word, which changes nothing that a person has set and leaves no audit entry.
   */
  setDefaultDestination(
    org: string,
    channel: ChannelName,
    destination: string,
    author?: Author,
  ): Promise<void>;
  /** C3. Emails to it are sent from now on. */
  confirmDestination(
    org: string,
    reference: string,
    by: string,
    now: number,
  ): Promise<{ changed: boolean }>;
  /** Ends `gone` and `failing`. */
  restoreDestination(
    org: string,
    reference: string,
    by: string,
    now: number,
  ): Promise<{ changed: boolean }>;
  /** C3. Lower case; empty where nothing was set. */
  allowedEmailDomains(org: string): Promise<readonly string[]>;
  setAllowedEmailDomains(org: string, domains: readonly string[], author?: Author): Promise<void>;
  /** A5. In the order they are tried. */
  setOperators(org: string, operators: readonly OwnWay[], author?: Author): Promise<void>;
  /** A8. Undefined: the default again. */
  setEscalation(org: string, escalation: Escalation | undefined, author?: Author): Promise<void>;
  organisationSettings(org: string): Promise<OrganisationSettings>;
}
