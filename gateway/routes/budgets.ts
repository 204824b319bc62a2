/** Reading what is spent and what it is held to. */
import { initialNotify } from '../../domain/budget/notify.js';
import type { Scope } from '../../domain/budget/period-key.js';
import {
  budgetsAnswer,
  budgetView,
  periodsAnswer,
  quarantineAnswer,
  statusAnswer,
} from '../answers.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { Problem } from '../problem.js';
import { agentSeen, touchAgent } from '../rights.js';
import {
  budgetsQuery,
  idPath,
  pageQuery,
  periodsQuery,
  placeInBudgets,
  placeInNumbers,
  statusQuery,
} from '../schemas.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { budgetStatusView, type StatusView } from '../views.js';

const STATUS_BUDGETS = 500;

const readStatus = {
  ...{ method: 'get', path: '/v1/status', id: 'readStatus' },
  summary: 'What is spent against what, how fast, and who is stopped',
  scopes: ['read'],
  forAgentKeys: true,
  query: statusQuery,
  answers: { 200: { description: 'As of now', schema: statusAnswer } },
} as const satisfies Operation;

const listBudgets = {
  ...{ method: 'get', path: '/v1/budgets', id: 'listBudgets' },
  summary: 'Budget periods, latest first, runs last',
  scopes: ['read'],
  forAgentKeys: true,
  query: budgetsQuery,
  answers: { 200: { description: 'One page', schema: budgetsAnswer } },
} as const satisfies Operation;

const readBudget = {
  ...{ method: 'get', path: '/v1/budgets/:id{.+}', id: 'readBudget' },
  summary: 'One budget period',
  scopes: ['read'],
  forAgentKeys: true,
  params: idPath,
  answers: { 200: { description: 'As of now', schema: budgetView } },
  problems: [404],
} as const satisfies Operation;

const listPeriods = {
  ...{ method: 'get', path: '/v1/periods', id: 'listPeriods' },
  summary: 'The periods of now, for senders that signal Temporal themselves',
  scopes: ['read', 'ingest'],
  forAgentKeys: true,
  rate: 'usage',
  query: periodsQuery,
  answers: {
    200: { description: 'Those of the agent and its organisation', schema: periodsAnswer },
  },
} as const satisfies Operation;

const listQuarantine = {
  ...{ method: 'get', path: '/v1/quarantine', id: 'listQuarantine' },
  summary: 'Events that could not be read, newest first',
  scopes: ['read'],
  query: pageQuery,
  answers: { 200: { description: 'One page', schema: quarantineAnswer } },
} as const satisfies Operation;

/** Status, budgets, the periods a direct reporter needs, and the quarantine. */
export function addBudgetRoutes(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger } = gateway;

  routes.add(readStatus, async (c, { query }) => {
    const key = c.get('key');
    const { org } = key;
    const agent = agentSeen(key, query.agent);
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
  });

  routes.add(listBudgets, async (c, { query }) => {
    const key = c.get('key');
    const agent = agentSeen(key, query.agent);
    const now = gateway.now();
    const [isRun, startsAt, id] = readCursor(placeInBudgets, query.cursor) ?? [];
    const isFirst = isRun === undefined || startsAt === undefined || id === undefined;
    const { entries, ...page } = await readPage(
      query.limit,
      (limit) =>
        ledger.budgets({
          ...{ org: key.org, openOnly: query.open, now, limit },
          ...(agent === undefined ? {} : { agent }),
          ...(isFirst ? {} : { after: { isRun, startsAt, id } }),
        }),
      (budget) => [budget.key.cadence === 'run', budget.window.startsAt, budget.id],
    );
    return c.json({ budgets: entries.map((budget) => budgetStatusView(budget, now)), ...page });
  });

  routes.add(readBudget, async (c, { params: { id } }) => {
    const key = c.get('key');
    const now = gateway.now();
    const [budget] = await ledger.budgets({ org: key.org, id, now, limit: 1 });
    const isSeen = key.agent === undefined || budget?.key.scope === agentScope(key.agent);
    if (budget === undefined || !isSeen) throw unknown(id);
    return c.json(budgetStatusView(budget, now));
  });

  routes.add(listPeriods, async (c, { query: { agent, run } }) => {
    const key = c.get('key');
    touchAgent(key, agent);
    const now = gateway.now();
    const own = agentScope(agent);
    const names: readonly Scope[] = ['org', own];
    // A direct reporter keeps what it is told for a while: it is told today's.
    cache.forget(key.org, names);
    const scopes = await cache.load(key.org, names);
    const seeds = [...scopes.values()].flatMap((scope) =>
      scope.cadences.map((cadence) => scope.slotAt(cadence, now).seed),
    );
    const runSeed = run === undefined ? undefined : scopes.get(own)?.runSeed(run, now);
    const periods = [...seeds, ...(runSeed === undefined ? [] : [runSeed])];
    return c.json({
      now,
      periods: periods.map((seed) => ({ ...seed, notify: initialNotify(seed.limits) })),
    });
  });

  routes.add(listQuarantine, async (c, { query: { limit, cursor } }) => {
    const [before] = readCursor(placeInNumbers, cursor) ?? [];
    const { entries, ...page } = await readPage(
      limit,
      (most) => ledger.quarantined(c.get('key').org, most, before),
      (event) => [event.id],
    );
    return c.json({ events: entries, ...page });
  });
}

function unknown(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown budget',
    detail: `There is no budget period ${JSON.stringify(id.slice(0, 255))}.`,
  });
}
