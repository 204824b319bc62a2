/**
 * The part of the ledger a gateway works on, in memory: the rules of `ledger/ledger.ts` without a
 * database, and switches for what a database does not do on demand.
 */
import { alertOfNotice, type AgentNotice } from '../../domain/alert/agent-notice.js';
import { periodRowId } from '../../domain/ids.js';
import { NOTHING } from '../../domain/lease/amounts.js';
import type { Scope } from '../../domain/budget/period-key.js';
import type { JournalEntry } from '../../domain/alert/state.js';
import type { Killed } from '../../domain/budget/state.js';
import { createMemoryLeases, type MemoryLeases } from './gateway-memory-leases.js';
import { createMemoryKeys } from './gateway-memory-keys.js';
import { createMemoryRules } from './gateway-memory-rules.js';
import { limitsOf, type ScopeConfiguration } from '../../domain/configuration.js';
import { applyChange, cadenceOf } from '../../domain/configuration/change.js';
import {
  effectiveBudgets,
  nextEndOf,
  NO_LAYER,
  withoutEnded,
  type OperatorLayer,
} from '../../domain/configuration/layers.js';
import { maskAddress } from '../../domain/mask.js';
import { isRefusal } from '../../domain/refusal.js';
import type { GatewayLedger } from '../../gateway/options.js';
import type {
  AlertView,
  ApiKey,
  AuditView,
  AttemptView,
  BudgetView,
  ExportPage,
  ClaimedPeriod,
  DestinationView,
  NewDestination,
  OrganisationSettings,
  PeriodSeed,
  NewCallback,
  QuarantinedEvent,
  RunReport,
  ScopeLayers,
  Stop,
  TouchedPeriod,
  UsageEvent,
} from '../../ledger/ledger.js';

interface Row {
  seed: PeriodSeed;
  cost: number;
  tokens: number;
  calls: number;
  killed?: Killed;
  firstAt?: number;
  lastAt?: number;
  claimed: boolean;
}

export interface MemoryLedger extends GatewayLedger {
  readonly events: Map<string, UsageEvent>;
  readonly rows: Map<string, Row>;
  readonly bad: QuarantinedEvent[];
  readonly runReports: RunReport[];
  readonly destinations: NewDestination[];
  readonly notices: AgentNotice[];
  readonly opened: string[];
  /** By their hash. */
  readonly apiKeys: Map<string, ApiKey>;
  readonly alertViews: AlertView[];
  /** What an export reads, page by page: `next` is the index of the one that follows. */
  readonly pages: ExportPage[];
  /** Of those alerts, by id; absent: nothing was decided or tried. */
  readonly journals: Map<string, readonly JournalEntry[]>;
  readonly attempts: Map<string, readonly AttemptView[]>;
  /** By provider and event. */
  readonly callbacks: Map<string, NewCallback>;
  readonly configured: Map<string, ScopeConfiguration>;
  readonly audited: AuditView[];
  readonly leaseBook: MemoryLeases;
  /** Kills the period a row is, as its workflow would. */
  kill(id: string, killed: Killed): void;
  /** Called before every method; what it throws is the ledger's failure, a promise its delay. */
  before: (method: string) => unknown;
  calls: string[];
}

export function createMemoryLedger(): MemoryLedger {
  const events = new Map<string, UsageEvent>();
  const rows = new Map<string, Row>();
  const configured = new Map<string, ScopeConfiguration>();
  const synced = new Map<string, ScopeConfiguration['budgets']>();
  const operators = new Map<string, OperatorLayer>();
  const settings: { -readonly [Key in keyof OrganisationSettings]: OrganisationSettings[Key] } = {
    emailDomains: ['example.com'],
    operators: [],
    defaults: [],
  };
  const stops = new Map<string, Stop>();
  const name = (org: string, scope: Scope): string => `${org} ${scope}`;

  const configurationOf = (org: string, scope: Scope): ScopeConfiguration => {
    const known = configured.get(name(org, scope));
    if (known !== undefined) return known;
    const fresh = { org, scope, zone: 'UTC', budgets: [], rev: 0, changedAt: 0 };
    configured.set(name(org, scope), fresh);
    return fresh;
  };
  const layersOf = (org: string, scope: Scope): ScopeLayers => ({
    ...configurationOf(org, scope),
    synced: synced.get(name(org, scope)) ?? [],
    operator: operators.get(name(org, scope)) ?? NO_LAYER,
  });
  /** What holds of both layers, as a new revision. */
  const hold = (org: string, scope: Scope, now: number): ScopeConfiguration => {
    const { operator, synced: given, changesAt: _over, ...known } = layersOf(org, scope);
    const changesAt = nextEndOf(operator);
    const held: ScopeConfiguration = {
      ...known,
      ...{ budgets: effectiveBudgets(given, operator, now), changedAt: now, rev: known.rev + 1 },
      ...(changesAt === undefined ? {} : { changesAt }),
    };
    configured.set(name(org, scope), held);
    for (const row of rows.values()) {
      const { key } = row.seed;
      if (key.org !== org || key.scope !== scope || key.cadence === 'run') continue;
      row.seed = { ...row.seed, limits: { rev: held.rev, limits: limitsOf(held, key.cadence) } };
    }
    return held;
  };
  const rowOf = (seed: PeriodSeed): Row => {
    const id = periodRowId(seed.key);
    const known = rows.get(id);
    if (known !== undefined) return known;
    const fresh: Row = { seed, cost: 0, tokens: 0, calls: 0, claimed: false };
    rows.set(id, fresh);
    return fresh;
  };
  const add = (row: Row, event: UsageEvent): void => {
    row.cost += event.costUsed;
    row.tokens += event.inputTokens + event.outputTokens;
    row.calls += 1;
    row.firstAt = Math.min(row.firstAt ?? event.at, event.at);
    row.lastAt = Math.max(row.lastAt ?? event.at, event.at);
  };
  const isBlocked = (row: Row): boolean =>
    row.seed.limits.limits.some(
      ({ dimension, amount, enforcement }) =>
        enforcement === 'block' &&
        { cost: row.cost, tokens_total: row.tokens, calls: row.calls, duration: 0 }[dimension] >=
          amount,
    );
  const touched = (row: Row): TouchedPeriod => {
    const id = periodRowId(row.seed.key);
    const crosses = row.seed.limits.limits.some(
      ({ dimension, thresholds, amount }) =>
        dimension === 'cost' && thresholds.some(({ bps }) => row.cost * 10_000 >= amount * bps),
    );
    const claims = crosses && !row.claimed;
    row.claimed ||= crosses;
    return {
      id,
      key: row.seed.key,
      ...(row.killed === undefined ? {} : { killed: row.killed }),
      blocked: isBlocked(row),
      spent: { cost: row.cost, tokens_total: row.tokens, calls: row.calls, duration: 0 },
      ...(claims ? { claim: { id } as ClaimedPeriod } : {}),
    };
  };
  const view = (row: Row, id: string): BudgetView => ({
    id,
    ...row.seed,
    state: 'open',
    own: {
      cost: row.cost,
      tokens: row.tokens,
      calls: row.calls,
      ...(row.firstAt === undefined ? {} : { firstAt: row.firstAt }),
    },
    direct: { cost: 0, tokens: 0, calls: 0 },
    durationMs: 0,
    appliedRev: 0,
    latches: {},
    firings: 0,
    ...(row.killed === undefined ? {} : { killed: row.killed }),
    blocked: isBlocked(row),
    recentCost: row.cost,
    recentTokens: row.tokens,
    ...{ leased: NOTHING, holders: 0, vanished: NOTHING, guarded: 'none' as const },
  });

  const leaseBook = createMemoryLeases();
  const ledger: MemoryLedger = {
    leaseBook,
    askLease: (...asked) => leaseBook.askLease(...asked),
    closeLease: (...asked) => leaseBook.closeLease(...asked),
    releaseLease: (...asked) => leaseBook.releaseLease(...asked),
    leases: (...asked) => leaseBook.leases(...asked),
    guardStandings: (...asked) => leaseBook.guardStandings(...asked),
    ...createMemoryRules(),
    events,
    rows,
    configured,
    audited: [],
    bad: [],
    runReports: [],
    destinations: [],
    notices: [],
    opened: [],
    apiKeys: new Map(),
    alertViews: [],
    pages: [],
    journals: new Map(),
    attempts: new Map(),
    callbacks: new Map(),
    before: () => undefined,
    calls: [],
    kill: (id, killed) => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`no row ${id}`);
      row.killed = killed;
    },
    ping: () => Promise.resolve(),
    ingest: (batch) => {
      for (const { scope, rev } of batch.revisions) {
        if (configurationOf(batch.org, scope).rev !== rev) {
          return Promise.resolve({ type: 'stale_configuration' });
        }
      }
      const fresh = new Set<number>();
      batch.events.forEach((event, index) => {
        if (events.has(event.idempotencyKey)) return;
        events.set(event.idempotencyKey, event);
        fresh.add(index);
      });
      const periods = batch.placements.map(({ seed, events: indices }) => {
        const row = rowOf(seed);
        for (const index of indices) {
          const event = batch.events[index];
          if (event !== undefined && fresh.has(index)) add(row, event);
        }
        return touched(row);
      });
      const agents = new Set(batch.events.map(({ agent }) => agent));
      return Promise.resolve({
        type: 'stored',
        stored: fresh.size,
        duplicates: batch.events.length - fresh.size,
        periods,
        stopped: [...stops.values()].filter(({ agent }) => agents.has(agent)),
      });
    },
    ensurePeriods: (seeds) => {
      for (const seed of seeds) {
        const id = periodRowId(seed.key);
        ledger.opened.push(id);
        if (rows.has(id)) continue;
        const row = rowOf(seed);
        const { startsAt, endsAt = Infinity } = seed.window;
        for (const event of events.values()) {
          const isOwn = seed.key.scope === 'org' || seed.key.scope === `agent:${event.agent}`;
          if (isOwn && event.at >= startsAt && event.at < endsAt) add(row, event);
        }
      }
      return Promise.resolve();
    },
    quarantine: (bad) => {
      ledger.bad.push(...bad);
      return Promise.resolve();
    },
    quarantined: (_org, limit) =>
      Promise.resolve(ledger.bad.slice(0, limit).map((each, id) => ({ id, ...each }))),
    reportRun: (report) => {
      ledger.runReports.push(report);
      const { key } = report.seed;
      return Promise.resolve({
        period: touched(rowOf(report.seed)),
        stopped: [...stops.values()].filter(({ agent }) => key.scope === `agent:${agent}`),
      });
    },
    configurations: (org, scopes) =>
      Promise.resolve(scopes.map((scope) => configurationOf(org, scope))),
    configure: ({ org, scope, zone, budgets, shown, now, ifRev }) => {
      const known = configurationOf(org, scope);
      const isSame =
        JSON.stringify([layersOf(org, scope).synced, known.shown ?? []]) ===
        JSON.stringify([budgets, shown ?? []]);
      if (isSame || (ifRev !== undefined && ifRev !== known.rev)) {
        return Promise.resolve({ changed: false, configuration: known });
      }
      synced.set(name(org, scope), budgets);
      const { shown: _before, ...rest } = known;
      const next = { ...rest, zone, ...(shown === undefined ? {} : { shown }) };
      configured.set(name(org, scope), next);
      return Promise.resolve({ changed: true, configuration: hold(org, scope, now) });
    },
    changeLayer: ({ org, scope, zone, change, by, now }) => {
      const { operator, budgets, rev } = layersOf(org, scope);
      const next = applyChange(operator, change, budgets, now);
      if (isRefusal(next)) return Promise.resolve(next);
      const changed = next !== operator;
      if (changed) {
        if (rev === 0) configured.set(name(org, scope), { ...configurationOf(org, scope), zone });
        operators.set(name(org, scope), next);
        hold(org, scope, now);
        ledger.audited.push({
          id: ledger.audited.length,
          subject: scope,
          at: now,
          by,
          what: change.type,
        });
      }
      return Promise.resolve({ changed, layers: layersOf(org, scope) });
    },
    resetPeriod: ({ org, scope, cadence, dimension }) => {
      const found = cadenceOf(dimension, cadence, layersOf(org, scope).budgets);
      return Promise.resolve(isRefusal(found) ? found : { changed: true, cadence: found });
    },
    layers: (org, scope, limit) =>
      Promise.resolve(
        [...configured.values()]
          .filter((each) => each.org === org && each.rev > 0)
          .filter((each) => scope === undefined || each.scope === scope)
          .slice(0, limit)
          .map((each) => layersOf(org, each.scope)),
      ),
    endLayers: (now, which) => {
      let ended = 0;
      for (const { org, scope } of [...configured.values()]) {
        if (which !== undefined && !which.scopes.includes(scope)) continue;
        const { operator } = layersOf(org, scope);
        const next = withoutEnded(operator, now);
        if (next === operator) continue;
        operators.set(name(org, scope), next);
        hold(org, scope, now);
        ended += 1;
      }
      const ends = [...operators.values()].flatMap((layer) => nextEndOf(layer) ?? []);
      return Promise.resolve({
        ended,
        ...(ends.length === 0 ? {} : { nextAt: Math.min(...ends) }),
      });
    },
    audit: ({ subject, limit }) =>
      Promise.resolve(
        ledger.audited
          .filter((entry) => subject === undefined || entry.subject === subject)
          .slice(0, limit),
      ),
    knownDestinations: (_org, reference) =>
      Promise.resolve(
        ledger.destinations
          .map(({ channel, address, verified = true }, index): DestinationView => ({
            ...{
              reference: `ref-${String(index)}`,
              channel,
              masked: maskAddress(channel, address),
            },
            ...{ health: 'ok', verified },
            isDefault: settings.defaults.some(
              (each) => each.destination === `ref-${String(index)}`,
            ),
          }))
          .filter((each) => reference === undefined || each.reference === reference),
      ),
    setDefaultDestination: (_org, channel, destination) => {
      const others = settings.defaults.filter((each) => each.channel !== channel);
      settings.defaults = [...others, { channel, destination }];
      return Promise.resolve();
    },
    confirmDestination: () => Promise.resolve({ changed: true }),
    restoreDestination: () => Promise.resolve({ changed: true }),
    organisationSettings: () => Promise.resolve({ ...settings }),
    setOperators: (_org, given) => {
      settings.operators = given;
      return Promise.resolve();
    },
    setEscalation: (_org, escalation) => {
      delete settings.escalation;
      if (escalation !== undefined) settings.escalation = escalation;
      return Promise.resolve();
    },
    setAllowedEmailDomains: (_org, given) => {
      settings.emailDomains = given;
      return Promise.resolve();
    },
    allowedEmailDomains: () => Promise.resolve(settings.emailDomains),
    putDestinations: (_org, wanted) =>
      Promise.resolve(
        wanted.map((destination) => {
          const same = ledger.destinations.findIndex(
            ({ channel, address }) =>
              channel === destination.channel && address === destination.address,
          );
          if (same >= 0) return `ref-${String(same)}`;
          ledger.destinations.push(destination);
          return `ref-${String(ledger.destinations.length - 1)}`;
        }),
      ),
    stop: (_org, stop) => {
      const changed = !stops.has(stop.agent);
      if (changed) stops.set(stop.agent, stop);
      return Promise.resolve({ changed });
    },
    resume: (_org, agent) => Promise.resolve({ changed: stops.delete(agent) }),
    stopped: () => Promise.resolve([...stops.values()]),
    keyRefused: () => Promise.resolve(),
    apiKey: (hash) => Promise.resolve(ledger.apiKeys.get(hash)),
    ...createMemoryKeys(),

    budgets: ({ id, agent, limit }) =>
      Promise.resolve(
        [...rows]
          .filter(([rowId, row]) => {
            if (id !== undefined) return rowId === id;
            return agent === undefined || row.seed.key.scope === `agent:${agent}`;
          })
          .slice(0, limit)
          .map(([rowId, row]) => view(row, rowId)),
      ),
    operatorNotices: () => Promise.resolve([]),
    digests: () => Promise.resolve([]),
    unsubscribe: () => Promise.resolve(undefined),
    sendNotice: (notice, terms) => {
      const alert = alertOfNotice(notice, terms.policy);
      ledger.notices.push(notice);
      return Promise.resolve({ type: 'raised', alertId: alert.id, repeats: 0 });
    },
    silences: () => Promise.resolve([]),
    addSilence: ({ org: _org, now: at, ...silence }) =>
      Promise.resolve({ changed: true, silence: { ...silence, at } }),
    endSilence: () => Promise.resolve(undefined),
    exportPage: (_kind, { after }) =>
      Promise.resolve(ledger.pages[Number(after?.[0] ?? 0)] ?? { rows: [] }),
    alerts: ({ limit }) => Promise.resolve(ledger.alertViews.slice(0, limit)),
    alert: (org, id) => {
      const alert = ledger.alertViews.find((each) => each.org === org && each.id === id);
      const journal = ledger.journals.get(id) ?? [];
      const attempts = ledger.attempts.get(id) ?? [];
      return Promise.resolve(alert === undefined ? undefined : { alert, journal, attempts });
    },
    agentNames: (org) =>
      Promise.resolve([
        ...[...events.values()].map(({ agent }) => agent),
        ...[...synced.keys()].flatMap((key) =>
          key.startsWith(`${org} agent:`) ? [key.slice(`${org} agent:`.length)] : [],
        ),
      ]),
    usage: () =>
      Promise.resolve({
        events: events.size,
        cost: [...events.values()].reduce((sum, event) => sum + event.costUsed, 0),
        tokens: 0,
      }),
    putCallback: (callback) => {
      const id = `${callback.provider} ${callback.eventId}`;
      const isKnown = ledger.callbacks.has(id);
      if (!isKnown) ledger.callbacks.set(id, callback);
      return Promise.resolve(isKnown ? 'known' : 'stored');
    },
    lag: () => Promise.resolve({ due: 0, oldestMs: 0, parked: 0 }),
    // Nobody is known here: routes about people are tested on a real ledger.
    recipients: () => Promise.resolve([]),
    recipient: () => Promise.resolve(undefined),
    putRecipient: () => Promise.resolve({ changed: false }),
    removeRecipient: () => Promise.resolve({ changed: false }),
    setPreferences: () => Promise.resolve(undefined),
    putContact: () => Promise.resolve(undefined),
    removeContact: () => Promise.resolve({ changed: false }),
    verifyContact: () => Promise.resolve({ type: 'unknown' }),
    routing: () => Promise.resolve([]),
  };
  return watched(ledger);
}

/** Every method goes by `before` first. */
function watched(ledger: MemoryLedger): MemoryLedger {
  return new Proxy(ledger, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function' || property === 'before' || property === 'kill') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        target.calls.push(String(property));
        await target.before(String(property));
        return (value as (...all: unknown[]) => unknown)(...args);
      };
    },
  });
}
