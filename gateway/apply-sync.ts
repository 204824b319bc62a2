/**
 * Writing a synced document: its addresses, the agent's own layer whole (C1), and the agent's
 * part of the organisation's budget (C2). Each write is a no-op where nothing changes, so a
 * document that was written half is whole after it is sent again.
 */
import type { Scope } from '../domain/budget/period-key.js';
import type { Budget } from '../domain/configuration.js';
import { overridesOf } from '../domain/configuration/overrides.js';
import { NO_LAYER, withoutEnded } from '../domain/configuration/layers.js';
import { periodAt } from '../domain/period.js';
import type { Cadence } from '../domain/words.js';
import type { ConfigureRequest, NewDestination } from '../ledger/ledger.js';
import { zoneOf } from './change-layer.js';
import type { Gateway } from './options.js';
import { replacePart, type OrgPart } from '../domain/configuration/org-parts.js';
import { agentScope, type ScopeCache } from './scopes.js';
import { configurationOf, type ReadDocument } from './sync.js';

/** Agents of one organisation that start in the same moment take turns. */
const MAX_TURNS = 20;

export interface Applied {
  readonly changed: boolean;
  /** C1, C2. `overridden: daily cost: …`, `config_conflict: daily: …`. */
  readonly warnings: readonly string[];
}

/** `by` is who synced: the key's name. */
export async function applySync(
  gateway: Gateway,
  cache: ScopeCache,
  org: string,
  document: ReadDocument,
  by: string,
): Promise<Applied> {
  const { ledger } = gateway;
  const now = gateway.now();
  const scope = agentScope(document.agent);
  const verified = await verifiedTargets(gateway, org, document.destinations);
  const references =
    document.destinations.length === 0 ? [] : await ledger.putDestinations(org, verified);
  const { budgets, orgPart } = configurationOf(document, references);
  const known = await ledger.configurations(org, [scope]);
  const zone = zoneOf(known[0], gateway.policy.zone);
  const own = await ledger.configure({
    ...{ org, scope, zone, budgets, by, now },
    name: document.agent,
    shown: document.shown,
    windows: windowsOf(org, scope, budgets, zone, now),
  });
  const pooled = await applyPart(gateway, org, document.agent, orgPart, by, now);
  cache.forget(org, ['org', scope]);
  const overridden = await overriddenIn(gateway, { org, scope, budgets, orgPart, now });
  return {
    changed: own.changed || pooled.changed,
    warnings: [...unverifiedIn(verified), ...pooled.warnings, ...overridden],
  };
}

/** C1. Told at every sync, as whoever deploys is not whoever set the limit. */
async function overriddenIn(
  { ledger }: Gateway,
  synced: {
    readonly org: string;
    readonly scope: Scope;
    readonly budgets: readonly Budget[];
    readonly orgPart: OrgPart | undefined;
    readonly now: number;
  },
): Promise<readonly string[]> {
  const { org, scope, budgets, orgPart, now } = synced;
  const [[own], [pooled]] = await Promise.all([
    ledger.layers(org, scope, 1),
    orgPart === undefined ? [] : ledger.layers(org, 'org', 1),
  ]);
  const part = orgPart === undefined ? [] : [budgetOf(orgPart)];
  return [
    ...(own === undefined ? [] : overridesOf(budgets, own.operator, now)).map(
      ({ text }) => `overridden: ${text}`,
    ),
    ...(pooled === undefined ? [] : overridesOf(part, pooled.operator, now)).map(
      ({ of, text }) => `${of === 'limit' ? 'config_conflict' : 'overridden'}: org_budget: ${text}`,
    ),
  ];
}

function budgetOf({ cadence, amount, thresholds }: OrgPart): Budget {
  return { cadence, limits: [{ dimension: 'cost', amount, enforcement: 'alert', thresholds }] };
}

/**
 * C3. Our mail key sends to domains the organisation has named, so that a synced document cannot
 * make a relay of it; who brings a key of their own answers for it.
 */
async function verifiedTargets(
  { ledger }: Gateway,
  org: string,
  targets: readonly NewDestination[],
): Promise<readonly NewDestination[]> {
  if (!targets.some(({ channel }) => channel === 'email')) return targets;
  const allowed = new Set(await ledger.allowedEmailDomains(org));
  return targets.map((target) => {
    if (target.channel !== 'email') return target;
    const domain = target.address.slice(target.address.lastIndexOf('@') + 1).toLowerCase();
    const hasOwnKey = (target.secrets ?? []).length > 0;
    return { ...target, verified: hasOwnKey || allowed.has(domain) };
  });
}

function unverifiedIn(targets: readonly NewDestination[]): string[] {
  const count = targets.filter(({ verified }) => verified === false).length;
  if (count === 0) return [];
  const what = count === 1 ? 'an email target' : `${String(count)} email targets`;
  return [
    `unverified: ${what} will get nothing until an operator confirms it, or names its domain in KAVACH_EMAIL_DOMAINS`,
  ];
}

/** Written only while nobody else has changed it since it was read; else read again. */
async function applyPart(
  gateway: Gateway,
  org: string,
  agent: string,
  part: OrgPart | undefined,
  by: string,
  now: number,
): Promise<Applied> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const [current] = await gateway.ledger.configurations(org, ['org']);
    if (current === undefined) break;
    const united = replacePart(current, agent, part);
    if (united === undefined) return { changed: false, warnings: [] };
    const { budgets, shown } = united;
    const zone = zoneOf(current, gateway.policy.zone);
    const { changed, configuration } = await gateway.ledger.configure({
      ...{ org, zone, budgets, shown, by, now },
      scope: 'org',
      name: org,
      windows: windowsOf(org, 'org', budgets, zone, now),
      ifRev: current.rev,
    });
    if (!changed && configuration.rev !== current.rev) continue;
    const pinned = await pinnedCadences(gateway, org, now);
    return {
      changed,
      warnings: united.conflicts
        .filter(({ cadence }) => !pinned.has(cadence))
        .map(({ text }) => `config_conflict: ${text}`),
    };
  }
  throw new Error(`The budget of ${org} could not be written: it kept changing.`);
}

/** C2. Where the operator has pinned the limit, none of the agents' holds. */
async function pinnedCadences(
  { ledger }: Gateway,
  org: string,
  now: number,
): Promise<ReadonlySet<Cadence>> {
  const [layers] = await ledger.layers(org, 'org', 1);
  const { limits } = withoutEnded(layers?.operator ?? NO_LAYER, now);
  const pins = limits.filter(({ kind, dimension }) => kind === 'limit' && dimension === 'cost');
  return new Set(pins.map(({ cadence }) => cadence));
}

function windowsOf(
  org: string,
  scope: Scope,
  budgets: readonly Budget[],
  zone: string,
  now: number,
): ConfigureRequest['windows'] {
  return budgets.flatMap(({ cadence }) => {
    if (cadence === 'run') return [];
    const { period, ...window } = periodAt(cadence, zone, now);
    return [{ key: { org, scope, cadence, period, generation: 1 }, window }];
  });
}
