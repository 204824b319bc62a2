/**
 * Routes with their description. What a route takes, who may call it and what it answers is
 * declared once, beside its handler: it is checked from there, and the OpenAPI document is made
 * from there (openapi.ts). A test finds routes that were not added this way.
 *
 * G-O1. Before a handler runs, the key may do it (rights.ts), the key's pace allows it (rate.ts),
 *       and path, query and body are what they are said to be.
 * G-O2. Every write with a key, but for those of `itself`, may carry an Idempotency-Key (idempotency.ts).
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import type { KeyScope } from '../domain/words.js';
import { readBody } from './body.js';
import type { App, Env } from './env.js';
import { createOnce, type Once } from './idempotency.js';
import type { Gateway } from './options.js';
import { createRateLimits, type RateName } from './rate.js';
import { requires, requiresOrganisation } from './rights.js';
import { parseInput } from './schemas.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type None = z.ZodUndefined;

export interface Answer {
  readonly description: string;
  /** Absent: it has no body, or one that is no JSON. */
  readonly schema?: z.ZodType;
  /** Default: `application/json`. */
  readonly type?: string;
}

export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: Method;
  /** As Hono has it: `/v1/alerts/:id{.+}`. */
  readonly path: `/${string}`;
  /** The name of it in generated clients: `listAlerts`. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** The key has to have one of them; `public`: no key is asked for. */
  readonly scopes: readonly [KeyScope, ...KeyScope[]] | 'public';
  /** G-K2. True: keys of one agent may come, and the handler sees to it what they touch. */
  readonly forAgentKeys?: boolean;
  /** Which pace it is bound by; default `other`. */
  readonly rate?: RateName;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** The handler reads the body itself, and is no write that could be repeated by its key. */
  readonly itself?: { readonly body?: z.ZodType; readonly type?: string };
  /** Members of the answer that are not kept for a repetition: secrets. */
  readonly shownOnce?: readonly string[];
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals beyond those that every route has. */
  readonly problems?: readonly (400 | 404 | 409 | 413 | 415 | 422 | 426 | 429 | 503)[];
}

export interface Input<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

export interface Routes {
  readonly app: App;
  /** All that were added, in order. */
  readonly operations: readonly Operation[];
  /** Keys are asked for by a middleware before: `/v1/*` has one. */
  add<
    Params extends z.ZodType = None,
    Query extends z.ZodType = None,
    Body extends z.ZodType = None,
  >(
    operation: Operation<Params, Query, Body>,
    handle: (c: Context<Env>, input: Input<Params, Query, Body>) => Response | Promise<Response>,
  ): void;
}

export function createRoutes(app: App, gateway: Gateway): Routes {
  const operations: Operation[] = [];
  const limitRate = createRateLimits(gateway.policy.rates, gateway.now);
  const once = createOnce(gateway);
  return {
    app,
    operations,
    add: (operation, handle) => {
      operations.push(operation);
      const guards = guardsOf(operation, limitRate);
      app.on(operation.method.toUpperCase(), operation.path, ...guards, (c) =>
        answer(c, gateway, once, operation as unknown as Operation, (input) => handle(c, input)),
      );
    },
  };
}

/** G-O2. Whether it takes an Idempotency-Key: such a key is an API key's. */
export function isRepeatable({ method, itself, scopes }: Operation): boolean {
  return method !== 'get' && itself === undefined && scopes !== 'public';
}

function guardsOf(
  { scopes, forAgentKeys = false, rate = 'other' }: Operation,
  limitRate: (name: RateName) => MiddlewareHandler<Env>,
): [MiddlewareHandler<Env>, ...MiddlewareHandler<Env>[]] {
  if (scopes === 'public') return [(_, next) => next()];
  const all = [limitRate(rate), requires(...scopes)] as const;
  return forAgentKeys ? [...all] : [...all, requiresOrganisation];
}

async function answer(
  c: Context<Env>,
  { policy }: Gateway,
  once: Once,
  operation: Operation,
  handle: (input: Input<z.ZodType, z.ZodType, z.ZodType>) => Response | Promise<Response>,
): Promise<Response> {
  const { params, query, body: schema, itself, method } = operation;
  const where = {
    params: params === undefined ? undefined : parseInput(params, c.req.param()),
    query: query === undefined ? undefined : parseInput(query, c.req.query()),
  };
  if (method === 'get' || itself !== undefined) return handle({ ...where, body: undefined });
  const read = await readBody(c.env.incoming, policy.bodyLimit);
  const given = read.json === undefined ? {} : read.json;
  const body = schema === undefined ? undefined : parseInput(schema, given);
  const work = () => handle({ ...where, body });
  return isRepeatable(operation) ? once(c, operation, read.bytes, work) : work();
}
