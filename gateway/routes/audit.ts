/** GET /v1/audit: who changed what, the newest first. Names references, never an address. */
import type { App } from '../env.js';
import { auditQuery } from '../layer-schemas.js';
import type { Gateway } from '../options.js';
import { parseInput, unprocessable } from '../schemas.js';
import { agentScope } from '../scopes.js';

export function addAuditRoute(app: App, { ledger }: Gateway): void {
  app.get('/v1/audit', async (c) => {
    const { agent, subject, before, limit } = parseInput(auditQuery, c.req.query());
    if (agent !== undefined && subject !== undefined) {
      throw unprocessable('subject', 'give an agent or a subject, not both');
    }
    const about = agent === undefined ? subject : agentScope(agent);
    const entries = await ledger.audit({
      ...{ org: c.get('key').org, limit },
      ...(about === undefined ? {} : { subject: about }),
      ...(before === undefined ? {} : { before }),
    });
    const last = entries.length === limit ? entries.at(-1)?.id : undefined;
    return c.json({ entries, ...(last === undefined ? {} : { next: last }) });
  });
}
