/** POST /v1/sync-config: what an SDK was constructed with (C1). */
import { syncAnswer } from '../answers.js';
import { applySync } from '../apply-sync.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { forbidden, touchAgent } from '../rights.js';
import { syncDocument } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';
import { standingOf } from '../standing.js';
import { readDocument } from '../sync.js';
import { warningsOf } from '../sync-warnings.js';

const syncConfig = {
  ...{ method: 'post', path: '/v1/sync-config', id: 'syncConfig' },
  summary: 'Say what an agent may spend, and who is told',
  description:
    "Replaces the agent's own layer whole; the same document changes nothing. A key of one agent " +
    'may not set the budget of the organisation.',
  scopes: ['sync'],
  forAgentKeys: true,
  rate: 'usage',
  body: syncDocument,
  answers: { 200: { description: 'It holds', schema: syncAnswer } },
} as const satisfies Operation;

/** Answers `{status: 'ok', changed, stopped?, killed?, warnings}`; the Python SDK reads the status. */
export function addSyncRoute(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  routes.add(syncConfig, async (c, { body: synced }) => {
    const key = c.get('key');
    const { org, name } = key;
    touchAgent(key, synced.agent_name);
    if (key.agent !== undefined && synced.org_budget != null) {
      throw forbidden('A key of one agent may not set `org_budget`: it is shared by all agents.');
    }
    const document = readDocument(synced);
    const { changed, warnings: conflicts } = await applySync(gateway, cache, org, document, name);
    const warnings = [...warningsOf(synced, gateway.refuseTarget), ...conflicts];
    for (const warning of warnings) {
      gateway.log.warn({ org, agent: document.agent, warning }, 'synced with a warning');
    }
    const standing = await standingOf(gateway, cache, org, document.agent, gateway.now());
    return c.json({ status: 'ok', changed, warnings, ...standing });
  });
}
