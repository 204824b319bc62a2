/**
 * What a key may do. `requires(scope)` stands before every route with a key.
 *
 * G-K1. `admin` may do everything in its organisation; every other scope does only what it names:
 *       who may ingest can neither raise a limit nor remove a kill.
 * G-K2. A key of one agent touches that agent and sees no other. A route says whether such keys
 *       may come at all; one that says nothing is closed to them.
 */
import type { MiddlewareHandler } from 'hono';
import { agentWorkflowId, budgetIdPrefix, noticeSubject } from '../domain/ids.js';
import type { KeyScope } from '../domain/words.js';
import type { AlertView, ApiKey } from '../ledger/ledger.js';
import type { Env } from './env.js';
import { Problem } from './problem.js';
import { agentScope } from './scopes.js';

/** Lets a request by whose key has one of these scopes; throws a `Problem` (403) otherwise. */
export function requires(...scopes: readonly KeyScope[]): MiddlewareHandler<Env> {
  return async (c, next) => {
    const key = c.get('key');
    if (!mayDo(key, scopes)) {
      throw forbidden(`${named(key)} has not the scope ${scopes.join(' or ')}.`);
    }
    await next();
  };
}

export function mayDo(key: ApiKey, scopes: readonly KeyScope[]): boolean {
  return key.scopes.includes('admin') || scopes.some((scope) => key.scopes.includes(scope));
}

/** For what concerns the whole organisation: keys of one agent are refused. */
export const requiresOrganisation: MiddlewareHandler<Env> = async (c, next) => {
  const key = c.get('key');
  if (key.agent !== undefined) {
    throw forbidden(`${named(key)} is a key of one agent, and this concerns all of them.`);
  }
  await next();
};

/** Throws a `Problem` (403) where the key is another agent's. */
export function touchAgent(key: ApiKey, agent: string): void {
  if (key.agent === undefined || key.agent === agent) return;
  throw forbidden(`${named(key)} is a key of the agent ${JSON.stringify(key.agent)} only.`);
}

/** Of a body that names an agent, or means the organisation. */
export function touchScope(key: ApiKey, { agent }: { readonly agent?: string | undefined }): void {
  if (agent !== undefined) touchAgent(key, agent);
  else if (key.agent !== undefined) {
    throw forbidden(`${named(key)} is a key of one agent, and this concerns all of them.`);
  }
}

/** Whom a reader sees: all (undefined), or one agent. Throws where a key asks for another's. */
export function agentSeen(key: ApiKey, asked: string | undefined): string | undefined {
  if (asked !== undefined) touchAgent(key, asked);
  return asked ?? key.agent;
}

/** Whether an alert is about a budget, a rule or a notice of the agent that the key may see. */
export function seesAlert(key: ApiKey, alert: Pick<AlertView, 'subject'>): boolean {
  if (key.agent === undefined) return true;
  const { subject } = alert;
  return (
    subject.startsWith(budgetIdPrefix(key.org, agentScope(key.agent))) ||
    subject === agentWorkflowId(key.org, key.agent) ||
    subject === noticeSubject(key.agent)
  );
}

export function forbidden(detail: string): Problem {
  return new Problem({ status: 403, title: 'Not allowed', detail });
}

function named({ name, id }: ApiKey): string {
  return `The key ${JSON.stringify(name)} (${id})`;
}
