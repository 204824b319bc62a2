/** A person's Stop and its end (K2): committed in the ledger, so it holds while Temporal is away. */
import type { App } from '../env.js';
import { readJson } from '../body.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { agentName, parseInput, resumeBody, stopBody } from '../schemas.js';

export function addAgentRoutes(app: App, gateway: Gateway): void {
  const { ledger, policy, log } = gateway;
  app
    .get('/v1/agents', async (c) => c.json({ stopped: await ledger.stopped(c.get('key').org) }))
    .post('/v1/agents/:agent/stop', async (c) => {
      const key = requireAdmin(gateway, c, 'stop or resume agents');
      const agent = parseInput(agentName, c.req.param('agent'));
      const body = await readJson(c.env.incoming, policy.bodyLimit);
      const { reason, by = key.name } = parseInput(stopBody, body);
      const stop = { agent, at: gateway.now(), by, reason };
      const { changed } = await ledger.stop(key.org, stop);
      log.warn({ requestId: c.get('requestId'), agent, by, changed }, 'agent stopped');
      return c.json({ changed, ...(changed ? { stopped: stop } : {}) });
    })
    .post('/v1/agents/:agent/resume', async (c) => {
      const key = requireAdmin(gateway, c, 'stop or resume agents');
      const agent = parseInput(agentName, c.req.param('agent'));
      const body = await readJson(c.env.incoming, policy.bodyLimit);
      const { by = key.name } = parseInput(resumeBody, body ?? {});
      const { changed } = await ledger.resume(key.org, agent, by, gateway.now());
      log.warn({ requestId: c.get('requestId'), agent, by, changed }, 'agent resumed');
      return c.json({ changed });
    });
}
