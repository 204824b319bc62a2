/**
 * The HTTP face: request ids, keys, one line of log a request, and every failure told in one
 * place. Routes that SDKs speak use the wire's own words (snake_case); our own answer the views
 * of the domain and the ledger as they are.
 */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { createAuthenticate, requireKey } from './auth.js';
import type { App, Env } from './env.js';
import { allowedMethods } from './allowed-methods.js';
import { createRoutes } from './operation.js';
import { refuseWhileAway } from './ledger-watch.js';
import type { Gateway } from './options.js';
import { createTellRefused } from './refused-keys.js';
import { Problem, problemResponse, tryAgainLater, type ProblemInit } from './problem.js';
import { addAgentsPage } from './routes/agents-page.js';
import { addAgentRoutes } from './routes/agents.js';
import { addAlertPage } from './routes/alert-page.js';
import { addAlertRoutes } from './routes/alerts.js';
import { addAuditRoute } from './routes/audit.js';
import { addBudgetRoutes } from './routes/budgets.js';
import { addCallbackRoutes } from './routes/callbacks.js';
import { addCodecRoutes } from './routes/codec.js';
import { addContactRoutes } from './routes/contacts.js';
import { addDestinationRoutes } from './routes/destinations.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addExportRoutes } from './routes/export.js';
import { addGuardRoute } from './routes/guard.js';
import { addHealthRoutes } from './routes/health.js';
import { addDocumentRoutes } from './routes/openapi.js';
import { addIngestRoute } from './routes/ingest.js';
import { addKeyRoutes } from './routes/keys.js';
import { addNoticeRoute } from './routes/notices.js';
import { addLeaseRoutes } from './routes/leases.js';
import { addLimitRoutes } from './routes/limits.js';
import { addRaiseRoutes } from './routes/raises.js';
import { addDigestRoutes } from './routes/digests.js';
import { addUnsubscribeRoutes } from './routes/unsubscribe.js';
import { addSendNoticeRoute } from './routes/send-notice.js';
import { addPushSocketRoute, addPushTicketRoute } from './routes/push.js';
import { addResetRoute } from './routes/resets.js';
import { addLoginRoutes } from './routes/login.js';
import { addRecipientRoutes } from './routes/recipients.js';
import { addRuleRoutes } from './routes/rules.js';
import { addRunRoute } from './routes/runs.js';
import { addSettingRoutes } from './routes/settings.js';
import { addSilenceRoutes } from './routes/silences.js';
import { addSyncRoute } from './routes/sync-config.js';
import { addTestSendRoute } from './routes/test-send.js';
import { createRuleCache } from './rule-cache.js';
import { createScopeCache } from './scopes.js';

/** All routes; nothing listens yet. */
export function createApp(gateway: Gateway): App {
  const cache = createScopeCache(gateway.ledger, gateway.now);
  const app = new Hono<Env>();
  app.use(nameRequest(gateway));
  const routes = createRoutes(app, gateway);
  addHealthRoutes(routes, gateway);
  const authenticate = createAuthenticate(
    ...([gateway.ledger, gateway.now, gateway.policy.keyTtlMs] as const),
    createTellRefused(gateway),
  );
  addAlertPage(routes, gateway, authenticate);
  addUnsubscribeRoutes(routes, gateway);
  addDocumentRoutes(routes);
  const whileThere = refuseWhileAway(gateway.watch, gateway.policy.retryAfterS);
  for (const path of USAGE_PATHS) app.use(path, whileThere);
  addCallbackRoutes(routes, gateway);
  if (gateway.sessions !== undefined) {
    addLoginRoutes(routes, gateway, gateway.sessions);
    addAgentsPage(routes, gateway, gateway.sessions);
  }
  if (gateway.push !== undefined) addPushSocketRoute(routes);
  app.use('/v1/*', requireKey(authenticate));
  addIngestRoute(routes, gateway, cache);
  addSyncRoute(routes, gateway, cache);
  addRunRoute(routes, gateway, cache);
  addBudgetRoutes(routes, gateway, cache);
  addAlertRoutes(routes, gateway);
  addAgentRoutes(routes, gateway, cache);
  addNoticeRoute(routes, gateway);
  addSendNoticeRoute(routes, gateway);
  addDigestRoutes(routes, gateway);
  addSilenceRoutes(routes, gateway);
  addLimitRoutes(routes, gateway, cache);
  addRaiseRoutes(routes, gateway, cache);
  addResetRoute(routes, gateway, cache);
  addDestinationRoutes(routes, gateway);
  addSettingRoutes(routes, gateway);
  addRecipientRoutes(routes, gateway);
  addContactRoutes(routes, gateway);
  addAuditRoute(routes, gateway);
  addTestSendRoute(routes, gateway);
  addExportRoutes(routes, gateway);
  const rules = createRuleCache(gateway.ledger);
  addMetricsRoute(routes, gateway, rules);
  addRuleRoutes(routes, gateway);
  addKeyRoutes(routes, gateway);
  if (gateway.push !== undefined) addPushTicketRoute(routes, gateway, gateway.push);
  addLeaseRoutes(routes, gateway, cache);
  addGuardRoute(routes, gateway);
  addCodecRoutes(routes, gateway, requireKey(authenticate));
  app.notFound((c) => {
    const { method, path } = c.req;
    const allowed = allowedMethods(routes.operations, path);
    const init = allowed.includes(method) ? [] : allowed;
    return problemResponse(notFound(path, method, init), c.get('requestId'));
  });
  app.onError((error, c) => failed(gateway, error, c));
  return app;
}

/** What is asked to come again where it could not be stored. */
const USAGE = /^\/v1\/(?:ingest$|events$|runs\/|leases(?:$|\/)|guard$)/;
const USAGE_PATHS = ['/v1/ingest', '/v1/runs/*', '/v1/events', '/v1/leases/*', '/v1/guard'];

/** Asked every few seconds by whoever balances the load: no line of log each. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

function nameRequest(gateway: Gateway): MiddlewareHandler<Env> {
  return async (c, next) => {
    const began = performance.now();
    const given = c.req.header('x-request-id') ?? '';
    const requestId = /^[\w-]{8,64}$/.test(given) ? given : gateway.newId();
    c.set('requestId', requestId);
    c.set('facts', {});
    await next();
    c.header('x-request-id', requestId);
    if (gateway.isDraining()) c.header('connection', 'close');
    if (PROBES.has(c.req.path)) return;
    gateway.log.info(
      {
        requestId,
        method: c.req.method,
        path: c.req.path.slice(0, 200),
        status: c.res.status,
        ms: Math.round((performance.now() - began) * 10) / 10,
        ...c.get('facts'),
      },
      'request',
    );
  };
}

/** A failure that nobody made a problem of is the ledger's or ours: said without its details. */
function failed(gateway: Gateway, error: unknown, c: Context<Env>): Response {
  const requestId = c.get('requestId');
  if (error instanceof Problem) return problemResponse(error.init, requestId);
  gateway.log.error({ requestId, path: c.req.path.slice(0, 200), cause: causeOf(error) }, 'failed');
  const isUsage = USAGE.test(c.req.path);
  const { retryAfterS } = gateway.policy;
  return problemResponse(
    isUsage ? tryAgainLater(retryAfterS) : unavailable(retryAfterS, isLedgers(gateway, error)),
    requestId,
  );
}

/** The database is away, as far as can be told from what its driver says. */
function isLedgers({ watch }: Gateway, error: unknown): boolean {
  return watch.isAway() || /ECONN|ENOTFOUND|EPIPE|connect|terminat|time-?out/i.test(causeOf(error));
}

function unavailable(retryAfterS: number, isLedgerAway: boolean): ProblemInit {
  const cause = isLedgerAway ? 'the database of the ledger does not answer' : 'the service failed';
  return {
    status: 503,
    title: 'Unavailable',
    detail:
      `The request could not be carried out right now: ${cause}. Try again; ` +
      '`kavach doctor` says what is not well, and the log has more under this request id.',
    headers: { 'retry-after': String(retryAfterS) },
  };
}

/** `allowed`: methods that would do; none: there is nothing at all. */
function notFound(path: string, method: string, allowed: readonly string[]): ProblemInit {
  const where = path.slice(0, 200);
  if (allowed.length === 0) {
    return { status: 404, title: 'Not found', detail: `There is nothing at ${where}.` };
  }
  const allow = allowed.join(', ');
  return {
    status: 405,
    title: 'Method not allowed',
    detail: `${method} is not for ${where}: use ${allow}.`,
    headers: { allow },
  };
}

/** Name and first line: a database's error may go on with the values of a row. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name}: ${error.message.split('\n')[0]?.slice(0, 200) ?? ''}`;
}
