/** POST /v1/runs/{id}: one word about a run's life (B7). */
import type { App } from '../env.js';
import { readJson } from '../body.js';
import { deliverClaims } from '../claims.js';
import { withDeadline } from '../deadline.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { refusalProblem } from '../refusal.js';
import { parseInput, runBody, runId } from '../schemas.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { holdsAgent, refusalOfHold, refusalOfStop } from '../verdict.js';

/** The word is stored first; 429 where the agent or the run may not go on. An end is never refused. */
export function addRunRoute(app: App, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, policy } = gateway;
  app.post('/v1/runs/:id', async (c) => {
    const run = parseInput(runId, c.req.param('id'));
    const body = await readJson(c.env.incoming, policy.bodyLimit);
    const { agent_name: agent, what } = parseInput(runBody, body);
    const { org } = c.get('key');
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
