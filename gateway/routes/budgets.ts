/** Reading what is spent and what it is held to. */
import { initialNotify } from '../../domain/budget/notify.js';
import type { Scope } from '../../domain/budget/period-key.js';
import type { App } from '../env.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import {
  budgetsQuery,
  parseInput,
  periodsQuery,
  quarantineQuery,
  statusQuery,
} from '../schemas.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { budgetStatusView, type StatusView } from '../views.js';

const STATUS_BUDGETS = 500;

/** Status, budgets, the periods a direct reporter needs, and the quarantine. */
export function addBudgetRoutes(app: App, gateway: Gateway, cache: ScopeCache): void {
  const { ledger } = gateway;
  app
    .get('/v1/status', async (c) => {
      const { agent } = parseInput(statusQuery, c.req.query());
      const { org } = c.get('key');
      const now = gateway.now();
      const whose = agent === undefined ? {} : { agent };
      const [budgets, stopped, usage, relay] = await Promise.all([
        ledger.budgets({ org, ...whose, openOnly: true, now, limit: STATUS_BUDGETS }),
        ledger.stopped(org),
        ledger.usage(org, agent),
        ledger.lag(now),
      ]);
      const status: StatusView = {
        ...{ now, usage, relay },
        stopped: stopped.filter((stop) => agent === undefined || stop.agent === agent),
        budgets: budgets.map((budget) => budgetStatusView(budget, now)),
      };
      return c.json(status);
    })
    .get('/v1/budgets', async (c) => {
      const { agent, open, limit } = parseInput(budgetsQuery, c.req.query());
      const { org } = c.get('key');
      const now = gateway.now();
      const whose = agent === undefined ? {} : { agent };
      const budgets = await ledger.budgets({ org, ...whose, openOnly: open, now, limit });
      return c.json({ budgets: budgets.map((budget) => budgetStatusView(budget, now)) });
    })
    .get('/v1/budgets/:id{.+}', async (c) => {
      const now = gateway.now();
      const id = c.req.param('id');
      const [budget] = await ledger.budgets({ org: c.get('key').org, id, now, limit: 1 });
      if (budget === undefined) throw unknown(id);
      return c.json(budgetStatusView(budget, now));
    })
    .get('/v1/periods', async (c) => {
      const { agent, run } = parseInput(periodsQuery, c.req.query());
      const { org } = c.get('key');
      const now = gateway.now();
      const own = agentScope(agent);
      const names: readonly Scope[] = ['org', own];
      // A direct reporter keeps what it is told for a while: it is told today's.
      cache.forget(org, names);
      const scopes = await cache.load(org, names);
      const seeds = [...scopes.values()].flatMap((scope) =>
        scope.cadences.map((cadence) => scope.slotAt(cadence, now).seed),
      );
      const runSeed = run === undefined ? undefined : scopes.get(own)?.runSeed(run, now);
      const periods = [...seeds, ...(runSeed === undefined ? [] : [runSeed])];
      return c.json({
        now,
        periods: periods.map((seed) => ({ ...seed, notify: initialNotify(seed.limits) })),
      });
    })
    .get('/v1/quarantine', async (c) => {
      const { limit } = parseInput(quarantineQuery, c.req.query());
      return c.json({ events: await ledger.quarantined(c.get('key').org, limit) });
    });
}

function unknown(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown budget',
    detail: `There is no budget period ${JSON.stringify(id.slice(0, 255))}.`,
  });
}
