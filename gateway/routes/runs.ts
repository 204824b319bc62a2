/** POST /v1/runs/{id}: one word about a run's life (B7). */
import { runAnswer } from '../answers.js';
import { deliverClaims } from '../claims.js';
import { withDeadline } from '../deadline.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { refusalProblem } from '../refusal.js';
import { touchAgent } from '../rights.js';
import { runBody, runPath } from '../schemas.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { holdsAgent, refusalOfHold, refusalOfStop } from '../verdict.js';

const reportRun = {
  ...{ method: 'post', path: '/v1/runs/:id', id: 'reportRun' },
  summary: 'A run has begun, lives, has ended',
  description: 'A 429 with a `reason`: the agent or the run may not go on; the word was stored.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  params: runPath,
  body: runBody,
  answers: { 202: { description: 'Stored', schema: runAnswer } },
} as const satisfies Operation;

/** The word is stored first; 429 where the agent or the run may not go on. An end is never refused. */
export function addRunRoute(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, policy } = gateway;
  routes.add(reportRun, async (c, { params: { id: run }, body }) => {
    const { agent_name: agent, what } = body;
    const key = c.get('key');
    touchAgent(key, agent);
    const { org } = key;
    const now = gateway.now();
    const scope = agentScope(agent);
    // The first word makes the run's row, and freezes its limits: they must be today's.
    if (what === 'started') cache.forget(org, [scope]);
    const slot = (await cache.load(org, [scope])).get(scope);
    if (slot === undefined) throw new Error(`The ledger has no configuration row for ${scope}.`);
    const seed = slot.runSeed(run, now);
    const { period, stopped } = await withDeadline(
      ledger.reportRun({ seed, what, now, claimMs: policy.claimMs }),
      policy.ledgerTimeoutMs,
      'The ledger',
    );
    deliverClaims(gateway, [period]);
    if (what !== 'ended') {
      const stop = stopped.find((each) => each.agent === agent);
      if (stop !== undefined) throw new Problem(refusalProblem(refusalOfStop(stop)));
      const hold = { ...period, limits: seed.limits, window: seed.window, run, name: slot.name };
      if (holdsAgent(hold, agent, now))
        throw new Problem(refusalProblem(refusalOfHold(hold, agent)));
    }
    return c.json({ status: 'ok', period_id: period.id, request_id: c.get('requestId') }, 202);
  });
}
