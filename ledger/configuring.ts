/** What operators and agents configure, and who changed what. */
import type { AlertRoute, Escalation } from '../domain/alert/state.js';
import type { PeriodKey, PeriodWindow, Scope } from '../domain/budget/period-key.js';
import type { Budget, ScopeConfiguration } from '../domain/configuration.js';
import type { LayerChange } from '../domain/configuration/change.js';
import type { OperatorLayer } from '../domain/configuration/layers.js';
import type { ChannelName } from '../domain/words.js';
import type { Health } from './delivery.js';

/** Who changes something, for the audit; epoch ms. */
export interface Author {
  readonly by: string;
  readonly now: number;
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
  /** The windows of every calendar and total cadence that contain `now`. */
  readonly windows: readonly { readonly key: PeriodKey; readonly window: PeriodWindow }[];
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
