/**
 * The part of the ledger a gateway works on, in memory: the rules of `ledger/ledger.ts` without a
 * database, and switches for what a database does not do on demand.
 */
import { periodRowId } from '../../domain/ids.js';
import type { Scope } from '../../domain/budget/period-key.js';
import type { JournalEntry } from '../../domain/alert/state.js';
import type { Killed } from '../../domain/budget/state.js';
import type { ScopeConfiguration } from '../../domain/configuration.js';
import type { GatewayLedger } from '../../gateway/options.js';
import type {
  AlertView,
  ApiKey,
  AttemptView,
  BudgetView,
  ExportPage,
  ClaimedPeriod,
  NewDestination,
  PeriodSeed,
  QuarantinedEvent,
  RunReport,
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
  readonly opened: string[];
  readonly keys: Map<string, ApiKey>;
  readonly alertViews: AlertView[];
  /** What an export reads, page by page: `next` is the index of the one that follows. */
  readonly pages: ExportPage[];
  /** Of those alerts, by id; absent: nothing was decided or tried. */
  readonly journals: Map<string, readonly JournalEntry[]>;
  readonly attempts: Map<string, readonly AttemptView[]>;
  readonly configured: Map<string, ScopeConfiguration>;
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
  const stops = new Map<string, Stop>();
  const name = (org: string, scope: Scope): string => `${org} ${scope}`;

  const configurationOf = (org: string, scope: Scope): ScopeConfiguration => {
    const known = configured.get(name(org, scope));
    if (known !== undefined) return known;
    const fresh = { org, scope, zone: 'UTC', budgets: [], rev: 0, changedAt: 0 };
    configured.set(name(org, scope), fresh);
    return fresh;
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
  });

  const ledger: MemoryLedger = {
    events,
    rows,
    configured,
    bad: [],
    runReports: [],
    destinations: [],
    opened: [],
    keys: new Map(),
    alertViews: [],
    pages: [],
    journals: new Map(),
    attempts: new Map(),
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
    quarantined: (_org, limit) => Promise.resolve(ledger.bad.slice(0, limit)),
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
        JSON.stringify([known.budgets, known.shown ?? []]) ===
        JSON.stringify([budgets, shown ?? []]);
      if (isSame || (ifRev !== undefined && ifRev !== known.rev)) {
        return Promise.resolve({ changed: false, configuration: known });
      }
      const configuration: ScopeConfiguration = {
        ...{ org, scope, zone, budgets, changedAt: now, rev: known.rev + 1 },
        ...(shown === undefined ? {} : { shown }),
      };
      configured.set(name(org, scope), configuration);
      return Promise.resolve({ changed: true, configuration });
    },
    allowedEmailDomains: () => Promise.resolve(['example.com']),
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
    apiKey: (hash) => Promise.resolve(ledger.keys.get(hash)),
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
    exportPage: (_kind, { after }) =>
      Promise.resolve(ledger.pages[Number(after?.[0] ?? 0)] ?? { rows: [] }),
    alerts: ({ limit }) => Promise.resolve(ledger.alertViews.slice(0, limit)),
    alert: (org, id) => {
      const alert = ledger.alertViews.find((each) => each.org === org && each.id === id);
      const journal = ledger.journals.get(id) ?? [];
      const attempts = ledger.attempts.get(id) ?? [];
      return Promise.resolve(alert === undefined ? undefined : { alert, journal, attempts });
    },
    usage: () =>
      Promise.resolve({
        events: events.size,
        cost: [...events.values()].reduce((sum, event) => sum + event.costUsed, 0),
        tokens: 0,
      }),
    lag: () => Promise.resolve({ due: 0, oldestMs: 0, parked: 0 }),
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
