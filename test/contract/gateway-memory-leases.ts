/**
 * Leases in memory, for routes and their words: grants what is wanted, unless told otherwise. What
 * the book itself decides is tested at the ledger.
 */
import { periodRowId } from '../../domain/ids.js';
import { NOTHING } from '../../domain/lease/amounts.js';
import type { LeaseAnswer } from '../../domain/lease/lease.js';
import type {
  GuardStanding,
  GuardWatch,
  LeaseLedger,
  LeaseView,
  PlacedAsk,
} from '../../ledger/ledger.js';

export interface MemoryLeases extends LeaseLedger {
  readonly asked: PlacedAsk[];
  readonly closed: unknown[];
  readonly released: unknown[];
  readonly views: Map<string, LeaseView & { readonly n: number }>;
  /** How guards stand, by `<org> <agent>`. */
  readonly standings: Map<string, Partial<GuardStanding>>;
  /** What every look asked for. */
  readonly looks: (readonly GuardWatch[])[];
  /** Instead of a grant. */
  answer: LeaseAnswer | undefined;
  /** So often what was placed is out of date. */
  stale: number;
  /** What it throws is the ledger's failure, a promise its delay. */
  before: () => unknown;
}

export function createMemoryLeases(): MemoryLeases {
  const last = new Map<string, { n: number; answer: LeaseAnswer }>();
  const leases: MemoryLeases = {
    ...{ asked: [], closed: [], released: [], views: new Map(), standings: new Map(), looks: [] },
    ...{ answer: undefined, stale: 0, before: () => undefined },

    askLease: async (placed, now) => {
      await leases.before();
      leases.asked.push(placed);
      if (leases.stale > 0) {
        leases.stale -= 1;
        return { type: 'stale_configuration' };
      }
      const { org, ask, seeds } = placed;
      const holder = `${org} ${ask.holder}`;
      const before = last.get(holder);
      if (before !== undefined && ask.n < before.n) return { type: 'stale' };
      if (before?.n === ask.n) return { type: 'answered', answer: before.answer };
      const id = ask.lease ?? `${ask.holder}/${String(ask.n)}`;
      const endsAt = Math.min(...seeds.map(({ window }) => window.endsAt ?? Infinity));
      const answer: LeaseAnswer = leases.answer ?? {
        type: 'granted',
        lease: {
          ...{ id, granted: ask.want, expiresInMs: 30_000 },
          validInMs: Math.max(0, ...seeds.map(({ window }) => window.startsAt - now)),
          ...(endsAt === Infinity ? {} : { endsInMs: endsAt - now }),
          budgets: seeds.map((seed) => ({
            ...{ periodId: periodRowId(seed.key), cadence: seed.key.cadence, dimension: 'cost' },
            scope: seed.key.scope === 'org' ? 'org' : 'agent',
            ...{ limit: seed.limits.limits[0]?.amount ?? 0, spent: 0, leased: ask.want.cost },
            ...(seed.window.endsAt === undefined ? {} : { resetsAt: seed.window.endsAt }),
          })),
        },
        ...{ wanted: false, now },
      };
      last.set(holder, { n: ask.n, answer });
      leases.views.set(`${org} ${id}`, {
        ...{ id, org, agent: ask.agent, holder: ask.holder, state: 'open', n: ask.n },
        ...(ask.run === undefined ? {} : { run: ask.run }),
        ...{ granted: ask.want, settled: NOTHING, remainder: ask.want },
        periods: seeds.map(({ key }) => periodRowId(key)),
        ...{ openedAt: now, renewedAt: now, expiresAt: now + 30_000, vanished: false },
      });
      return { type: 'answered', answer };
    },
    closeLease: async (org, close, now) => {
      await leases.before();
      leases.closed.push(close);
      const { lease } = close;
      const known = leases.views.get(`${org} ${lease}`);
      if (known?.agent !== close.agent)
        return { type: 'closed', closed: { lease, state: 'unknown' } };
      if (close.n < known.n) return { type: 'stale' };
      const state = 'mark' in close.end ? 'abandoned' : 'closed';
      leases.views.set(`${org} ${lease}`, { ...known, state, remainder: NOTHING, closedAt: now });
      return { type: 'closed', closed: { lease, state } };
    },
    releaseLease: (org, id, word) => {
      const known = leases.views.get(`${org} ${id}`);
      if (known === undefined || known.state === 'released') return Promise.resolve(false);
      leases.released.push({ org, id, ...word });
      leases.views.set(`${org} ${id}`, { ...known, state: 'released', remainder: NOTHING });
      return Promise.resolve(true);
    },
    leases: ({ org, agent, periodId, state, holding, limit, after }) =>
      Promise.resolve(
        [...leases.views.values()]
          .filter((each) => each.org === org && (agent === undefined || each.agent === agent))
          .filter((each) => periodId === undefined || each.periods.includes(periodId))
          .filter((each) => state === undefined || each.state === state)
          .filter(({ remainder }) => holding !== true || remainder.calls > 0)
          .sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? -1 : 1))
          .filter(
            ({ openedAt, id }) =>
              after === undefined ||
              openedAt < after.openedAt ||
              (openedAt === after.openedAt && id > after.id),
          )
          .slice(0, limit)
          .map(({ n: _, ...view }) => view),
      ),
    guardStandings: async (watches) => {
      leases.looks.push(watches);
      await leases.before();
      return watches.map(({ org, agent }) => ({
        ...{ org, agent, killed: [], limitsMark: '1', recalls: [] },
        ...leases.standings.get(`${org} ${agent}`),
      }));
    },
  };
  return leases;
}
