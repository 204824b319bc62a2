/** GET /v1/audit: who changed what, the newest first. Names references, never an address. */
import { auditAnswer } from '../answers.js';
import { auditQuery } from '../layer-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { placeInNumbers, unprocessable } from '../schemas.js';
import { agentScope } from '../scopes.js';

const listAudit = {
  ...{ method: 'get', path: '/v1/audit', id: 'listAudit' },
  summary: 'Who changed what, newest first',
  scopes: ['operate'],
  query: auditQuery,
  answers: { 200: { description: 'One page', schema: auditAnswer } },
} as const satisfies Operation;

export function addAuditRoute(routes: Routes, { ledger }: Gateway): void {
  routes.add(listAudit, async (c, { query: { agent, subject, limit, cursor } }) => {
    if (agent !== undefined && subject !== undefined) {
      throw unprocessable('subject', 'give an agent or a subject, not both');
    }
    const about = agent === undefined ? subject : agentScope(agent);
    const [before] = readCursor(placeInNumbers, cursor) ?? [];
    const { entries, ...page } = await readPage(
      limit,
      (most) =>
        ledger.audit({
          ...{ org: c.get('key').org, limit: most },
          ...(about === undefined ? {} : { subject: about }),
          ...(before === undefined ? {} : { before }),
        }),
      ({ id }) => [id],
    );
    return c.json({ entries, ...page });
  });
}
