/** A person's Stop and its end (K2): committed in the ledger, so it holds while Temporal is away. */
import type { Context } from 'hono';
import { resumeAnswer, stopAnswer, stoppedAnswer } from '../answers.js';
import { resumeWarnings, stopWarnings } from '../agent-warnings.js';
import type { Env } from '../env.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { touchAgent } from '../rights.js';
import type { ScopeCache } from '../scopes.js';
import {
  agentPath,
  pageQuery,
  placeInTime,
  resumeAgentBody,
  resumeBody,
  stopAgentBody,
  stopBody,
} from '../schemas.js';

const listStopped = {
  ...{ method: 'get', path: '/v1/agents', id: 'listStoppedAgents' },
  summary: 'Who is stopped, longest first',
  scopes: ['read'],
  forAgentKeys: true,
  query: pageQuery,
  answers: { 200: { description: 'Each with who, when and why', schema: stoppedAnswer } },
} as const satisfies Operation;

const stopAgent = {
  ...{ method: 'post', path: '/v1/agents/:agent/stop', id: 'stopAgent' },
  summary: 'Stop an agent, over all its budgets, until it is resumed',
  description: 'Twice is once: the first reason stands.',
  scopes: ['operate'],
  forAgentKeys: true,
  params: agentPath,
  body: stopBody,
  answers: { 200: { description: 'It is stopped', schema: stopAnswer } },
} as const satisfies Operation;

const resumeAgent = {
  ...{ method: 'post', path: '/v1/agents/:agent/resume', id: 'resumeAgent' },
  summary: 'Let a stopped agent go on',
  scopes: ['operate'],
  forAgentKeys: true,
  params: agentPath,
  body: resumeBody,
  answers: { 200: { description: 'It is not stopped', schema: resumeAnswer } },
} as const satisfies Operation;

const byBody = 'For names that no path can carry: HTTP clients take `.` and `..` out of it.';

const stopNamedAgent = {
  ...{ method: 'post', path: '/v1/agents/stop', id: 'stopNamedAgent' },
  summary: 'Stop an agent that is named in the body',
  description: byBody,
  scopes: ['operate'],
  forAgentKeys: true,
  body: stopAgentBody,
  answers: { 200: { description: 'It is stopped', schema: stopAnswer } },
} as const satisfies Operation;

const resumeNamedAgent = {
  ...{ method: 'post', path: '/v1/agents/resume', id: 'resumeNamedAgent' },
  summary: 'Let a stopped agent go on that is named in the body',
  description: byBody,
  scopes: ['operate'],
  forAgentKeys: true,
  body: resumeAgentBody,
  answers: { 200: { description: 'It is not stopped', schema: resumeAnswer } },
} as const satisfies Operation;

export function addAgentRoutes(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, log } = gateway;

  async function stop(
    c: Context<Env>,
    agent: string,
    { reason, by = c.get('key').name }: { reason: string; by?: string | undefined },
  ): Promise<Response> {
    const key = c.get('key');
    touchAgent(key, agent);
    const word = { agent, at: gateway.now(), by, reason };
    const { changed } = await ledger.stop(key.org, word);
    log.warn({ requestId: c.get('requestId'), agent, by, changed }, 'agent stopped');
    const warnings = await stopWarnings(gateway, key, agent);
    return c.json({ changed, ...(changed ? { stopped: word } : {}), ...told(warnings) });
  }

  async function resume(
    c: Context<Env>,
    agent: string,
    { by = c.get('key').name, reason }: { by?: string | undefined; reason?: string | undefined },
  ): Promise<Response> {
    const key = c.get('key');
    touchAgent(key, agent);
    const now = gateway.now();
    const { changed } = await ledger.resume(key.org, agent, by, now, reason);
    log.warn({ requestId: c.get('requestId'), agent, by, changed }, 'agent resumed');
    return c.json({ changed, ...told(await resumeWarnings(gateway, cache, key.org, agent, now)) });
  }

  routes.add(listStopped, async (c, { query: { limit, cursor } }) => {
    const key = c.get('key');
    const after = readCursor(placeInTime, cursor);
    const all = await ledger.stopped(key.org);
    const seen = all
      .filter(({ agent }) => key.agent === undefined || agent === key.agent)
      .filter((each) => after === undefined || follows([each.at, each.agent], after));
    const { entries, ...page } = await readPage(
      limit,
      (most) => Promise.resolve(seen.slice(0, most)),
      ({ at, agent }) => [at, agent],
    );
    return c.json({ stopped: entries, ...page });
  });
  routes.add(stopNamedAgent, (c, { body }) => stop(c, body.agent, body));
  routes.add(resumeNamedAgent, (c, { body }) => resume(c, body.agent, body));
  routes.add(stopAgent, (c, { params, body }) => stop(c, params.agent, body));
  routes.add(resumeAgent, (c, { params, body }) => resume(c, params.agent, body));
}

const told = (warnings: readonly string[]) => (warnings.length === 0 ? {} : { warnings });

function follows([at, agent]: [number, string], [lastAt, lastAgent]: [number, string]): boolean {
  return at > lastAt || (at === lastAt && agent > lastAgent);
}
