/**
 * The HTTP face: request ids, keys, one line of log a request, and every failure told in one
 * place. Routes that SDKs speak use the wire's own words (snake_case); our own answer the views
 * of the domain and the ledger as they are.
 */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { createAuthenticate, type Authenticate } from './auth.js';
import type { App, Env } from './env.js';
import type { Gateway } from './options.js';
import { Problem, problemResponse, tryAgainLater, type ProblemInit } from './problem.js';
import { addAgentRoutes } from './routes/agents.js';
import { addAlertPage } from './routes/alert-page.js';
import { addAlertRoutes } from './routes/alerts.js';
import { addBudgetRoutes } from './routes/budgets.js';
import { addCodecRoutes } from './routes/codec.js';
import { addExportRoutes } from './routes/export.js';
import { addHealthRoutes } from './routes/health.js';
import { addIngestRoute } from './routes/ingest.js';
import { addRunRoute } from './routes/runs.js';
import { addSyncRoute } from './routes/sync-config.js';
import { addTestSendRoute } from './routes/test-send.js';
import { createScopeCache } from './scopes.js';

/** All routes; nothing listens yet. */
export function createApp(gateway: Gateway): App {
  const cache = createScopeCache(gateway.ledger);
  const app = new Hono<Env>();
  app.use(nameRequest(gateway));
  addHealthRoutes(app, gateway);
  const authenticate = createAuthenticate(gateway.ledger, gateway.now, gateway.policy.keyTtlMs);
  addAlertPage(app, gateway, authenticate);
  app.use('/v1/*', requireKey(authenticate));
  addIngestRoute(app, gateway, cache);
  addSyncRoute(app, gateway, cache);
  addRunRoute(app, gateway, cache);
  addBudgetRoutes(app, gateway, cache);
  addAlertRoutes(app, gateway);
  addAgentRoutes(app, gateway);
  addTestSendRoute(app, gateway);
  addExportRoutes(app, gateway);
  addCodecRoutes(app, gateway, requireKey(authenticate));
  app.notFound((c) => problemResponse(notFound(c.req.path), c.get('requestId')));
  app.onError((error, c) => failed(gateway, error, c));
  return app;
}

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
    if (!c.req.path.startsWith('/v1/')) return;
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

function requireKey(authenticate: Authenticate): MiddlewareHandler<Env> {
  return async (c, next) => {
    c.set('key', await authenticate(c.req.header('authorization')));
    await next();
  };
}

/** A failure that nobody made a problem of is the ledger's or ours: said without its details. */
function failed(gateway: Gateway, error: unknown, c: Context<Env>): Response {
  const requestId = c.get('requestId');
  if (error instanceof Problem) return problemResponse(error.init, requestId);
  gateway.log.error({ requestId, path: c.req.path.slice(0, 200), cause: causeOf(error) }, 'failed');
  const isUsage = c.req.path === '/v1/ingest' || c.req.path.startsWith('/v1/runs/');
  const { retryAfterS } = gateway.policy;
  return problemResponse(
    isUsage ? tryAgainLater(retryAfterS) : unavailable(retryAfterS),
    requestId,
  );
}

function unavailable(retryAfterS: number): ProblemInit {
  return {
    status: 503,
    title: 'Unavailable',
    detail: 'The request could not be carried out right now: try again.',
    headers: { 'retry-after': String(retryAfterS) },
  };
}

function notFound(path: string): ProblemInit {
  return {
    status: 404,
    title: 'Not found',
    detail: `There is nothing at ${path.slice(0, 200)} for this method.`,
  };
}

/** Name and first line: a database's error may go on with the values of a row. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name}: ${error.message.split('\n')[0]?.slice(0, 200) ?? ''}`;
}
