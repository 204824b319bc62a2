/** What a request carries through the routes. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ApiKey } from '../ledger/ledger.js';

export interface Env {
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    key: ApiKey;
    /** Counts and the like for the request's line of log. */
    facts: Record<string, string | number | boolean>;
  };
}

export type App = Hono<Env>;
