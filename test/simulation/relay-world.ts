/** A ledger of plain rows and a Temporal that answers as told, around a relay on virtual time. */
import { ServiceError } from '@temporalio/client';
import type { ReportAnswer } from '../../client/client.js';
import type { Log } from '../../client/log.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { AlertInput } from '../../domain/alert/state.js';
import type { Report } from '../../domain/budget/report.js';
import type { MatchReport } from '../../domain/agent/report.js';
import type { ClaimedPeriod, ClaimedWatch, OutboxAlert } from '../../ledger/ledger.js';
import type { RelayClient, RelayLedger } from '../../relay/deliver.js';
import type { NoticesLedger } from '../../relay/notices.js';
import { createRelay, type Relay, type RelayConfig } from '../../relay/relay.js';
import { limitsOf, rowWith, T0 } from '../domain/budget-driver.js';
import { createVirtualTimers, type VirtualTimers } from '../support/virtual-timers.js';

export { T0 };

/** A row that is due, unless the test says otherwise. */
export function claimOf(id: string, more: Partial<ClaimedPeriod> = {}): ClaimedPeriod {
  const row = rowWith(limitsOf(1_000, [[8_000, 'slack']]));
  return {
    ...row,
    id,
    key: { ...row.key, scope: `agent:${id}` },
    fence: 1,
    state: 'open',
    started: true,
    epoch: 1,
    seq: 7,
    own: { cost: 10, tokens: 20, calls: 1, firstAt: T0, lastAt: T0 },
    appliedRev: 1,
    closing: false,
    crossing: false,
    tries: 0,
    ...more,
  };
}

export function manyClaims(
  count: number,
  prefix: string,
  more: Partial<ClaimedPeriod> = {},
): ClaimedPeriod[] {
  return Array.from({ length: count }, (_, index) => claimOf(`${prefix}${String(index)}`, more));
}

/** gRPC's status of a server that does not answer. */
export const UNAVAILABLE = 14;

interface Row {
  claim: ClaimedPeriod;
  dueAt: number | undefined;
}

export interface World {
  readonly timers: VirtualTimers;
  readonly relay: Relay;
  /** What reached Temporal, in order. */
  readonly sent: { readonly at: number; readonly id: string; readonly report: Report }[];
  readonly matches: { readonly at: number; readonly agent: string; readonly report: MatchReport }[];
  readonly startedAlerts: { readonly at: number; readonly id: string }[];
  /** What the relay wrote back to the ledger. */
  readonly written: {
    readonly at: number;
    readonly what: string;
    readonly id: string;
    readonly fields: object;
  }[];
  readonly logged: string[];
  maxInFlight: number;
  /** How Temporal answers; may be replaced at any time. */
  answer: (id: string) => Promise<ReportAnswer>;
  /** How long the ledger takes to hand out rows. */
  claimMs: number;
  /** How long the oldest due row is said to have waited. */
  lagMs: number;
  /** How often notices were raised. */
  raises: number;
  /** Throws what the ledger shall fail with. */
  ledgerFault: () => void;
  put(...claims: ClaimedPeriod[]): void;
  putAlert(outbox: OutboxAlert): void;
  putWatch(watch: ClaimedWatch): void;
}

export function createWorld(config: Partial<RelayConfig> = {}): World {
  const timers = createVirtualTimers(T0);
  const rows = new Map<string, Row>();
  const alerts = new Map<string, { outbox: OutboxAlert; dueAt: number }>();
  const watches = new Map<string, { watch: ClaimedWatch; dueAt: number | undefined }>();
  const logged: string[] = [];
  let inFlight = 0;

  const write = (what: string, id: string, fields: object = {}): void => {
    world.ledgerFault();
    world.written.push({ at: timers.now(), what, id, fields });
  };
  const end = (
    what: string,
    claim: ClaimedPeriod,
    dueAt: number | undefined,
    fields = {},
  ): void => {
    write(what, claim.id, fields);
    const row = rows.get(claim.id);
    if (row?.claim.fence === claim.fence) row.dueAt = dueAt;
  };

  const ledger: RelayLedger & NoticesLedger = {
    claimPeriods: async ({ now, limit, leaseMs }) => {
      world.ledgerFault();
      const due = [...rows.values()]
        .filter((row) => row.dueAt !== undefined && row.dueAt <= now)
        .sort(
          (a, b) =>
            Number(b.claim.crossing) - Number(a.claim.crossing) || (a.dueAt ?? 0) - (b.dueAt ?? 0),
        )
        .slice(0, limit);
      for (const row of due) {
        row.claim = { ...row.claim, fence: row.claim.fence + 1 };
        row.dueAt = now + leaseMs;
      }
      if (world.claimMs > 0) await after(timers, world.claimMs, undefined);
      return due.map((row) => row.claim);
    },
    periodReported: async (claim, _now, nextInMs, isStarted = true) => {
      end('reported', claim, undefined, { nextInMs, isStarted });
      return Promise.resolve();
    },
    periodFailed: async (claim, failure) => {
      end('failed', claim, failure.park ? undefined : failure.now + failure.backoffMs, failure);
      const row = rows.get(claim.id);
      if (row !== undefined) row.claim = { ...row.claim, tries: row.claim.tries + 1 };
      return Promise.resolve();
    },
    closePeriod: async (claim, now, hasEnded = false) => {
      const row = rows.get(claim.id);
      // A closed row with usage that nobody was told of is due for its late evaluation (B4).
      const isUntold = row !== undefined && row.claim.seq > claim.seq;
      end('closed', claim, isUntold ? now : undefined, { hasEnded });
      if (row !== undefined) row.claim = { ...row.claim, state: 'closed', closing: false };
      return Promise.resolve();
    },
    recordLate: async (claim, late) => {
      end('late', claim, undefined, late);
      return Promise.resolve();
    },
    claimAlerts: async ({ now, limit, leaseMs }) => {
      world.ledgerFault();
      const due = [...alerts.values()].filter((each) => each.dueAt <= now).slice(0, limit);
      for (const each of due) each.dueAt = now + leaseMs;
      return Promise.resolve(due.map((each) => each.outbox));
    },
    alertStarted: async (id) => {
      write('alertStarted', id);
      alerts.delete(id);
      return Promise.resolve();
    },
    raiseNotices: () => {
      world.ledgerFault();
      world.raises += 1;
      return Promise.resolve(0);
    },
    lag: () => Promise.resolve({ due: 1, oldestMs: world.lagMs, parked: 0 }),
    tellOperators: (org, notice) => {
      write('tellOperators', org, notice);
      return Promise.resolve();
    },
    claimWatches: ({ now, limit, leaseMs }) => {
      world.ledgerFault();
      const due = [...watches.values()].filter(({ dueAt }) => (dueAt ?? Infinity) <= now);
      for (const each of due.slice(0, limit)) {
        each.dueAt = now + leaseMs;
        each.watch = { ...each.watch, fence: each.watch.fence + 1 };
      }
      return Promise.resolve(due.slice(0, limit).map(({ watch }) => watch));
    },
    watchReported: (claim, _now, nextInMs) => {
      write('watchReported', claim.agent, { nextInMs });
      const known = watches.get(claim.agent);
      if (known?.watch.fence === claim.fence) known.dueAt = undefined;
      return Promise.resolve();
    },
    watchFailed: (claim, failure) => {
      write('watchFailed', claim.agent, failure);
      const known = watches.get(claim.agent);
      if (known !== undefined) known.dueAt = failure.now + failure.backoffMs;
      return Promise.resolve();
    },
    alertFailed: async (id, _fence, failure) => {
      write('alertFailed', id, failure);
      const known = alerts.get(id);
      if (known !== undefined) known.dueAt = failure.now + failure.backoffMs;
      return Promise.resolve();
    },
  };

  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    inFlight += 1;
    world.maxInFlight = Math.max(world.maxInFlight, inFlight);
    try {
      return await answer;
    } finally {
      inFlight -= 1;
    }
  };

  const client: RelayClient = {
    reportPeriod: ({ row, report }) => {
      const id = row.key.scope.slice('agent:'.length);
      world.sent.push({ at: timers.now(), id, report });
      return answered(world.answer(id));
    },
    reportMatches: async ({ agent }, report) => {
      world.matches.push({ at: timers.now(), agent, report });
      await answered(world.answer(agent));
    },
    startAlert: async (input: AlertInput) => {
      world.startedAlerts.push({ at: timers.now(), id: input.id });
      await answered(world.answer(input.id));
      return 'started';
    },
  };

  const log: Log = {
    info: (_fields, message) => logged.push(`info ${message}`),
    warn: (_fields, message) => logged.push(`warn ${message}`),
    error: (_fields, message) => logged.push(`error ${message}`),
  };

  const world: World = {
    timers,
    relay: createRelay({
      ...{ ledger, client, policy: DEFAULT_POLICY, log, config, timers },
      serviceOrg: 'default',
    }),
    sent: [],
    matches: [],
    startedAlerts: [],
    written: [],
    logged,
    maxInFlight: 0,
    claimMs: 0,
    lagMs: 0,
    raises: 0,
    answer: () => Promise.resolve('delivered'),
    ledgerFault: () => undefined,
    put: (...claims) => {
      for (const claim of claims) rows.set(claim.id, { claim, dueAt: timers.now() });
    },
    putWatch: (watch) => {
      watches.set(watch.agent, { watch, dueAt: timers.now() });
    },
    putAlert: (outbox) => {
      alerts.set(outbox.input.id, { outbox, dueAt: timers.now() });
    },
  };
  return world;
}

/** An answer that takes `ms` of virtual time. */
export function after<T>(timers: VirtualTimers, ms: number, value: T): Promise<T> {
  return new Promise((resolve) => {
    timers.after(ms, () => {
      resolve(value);
    });
  });
}

/** What the SDK throws for a gRPC status. */
export function grpcError(code: number, details: string): Error {
  return new ServiceError('Failed to signal Workflow', {
    cause: Object.assign(new Error(details), { code, details }),
  });
}
