/** POST /v1/sync-config: what an SDK was constructed with (C1). */
import type { App } from '../env.js';
import { applySync } from '../apply-sync.js';
import { readJson } from '../body.js';
import type { Gateway } from '../options.js';
import { parseInput, syncDocument } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';
import { standingOf } from '../standing.js';
import { readDocument } from '../sync.js';
import { warningsOf } from '../sync-warnings.js';

/** Answers `{status: 'ok', changed, stopped?, killed?, warnings}`; the Python SDK reads the status. */
export function addSyncRoute(app: App, gateway: Gateway, cache: ScopeCache): void {
  app.post('/v1/sync-config', async (c) => {
    const body = await readJson(c.env.incoming, gateway.policy.bodyLimit);
    const synced = parseInput(syncDocument, body);
    const document = readDocument(synced);
    const { org, name } = c.get('key');
    const { changed, warnings: conflicts } = await applySync(gateway, cache, org, document, name);
    const warnings = [...warningsOf(synced, gateway.refuseTarget), ...conflicts];
    for (const warning of warnings) {
      gateway.log.warn({ org, agent: document.agent, warning }, 'synced with a warning');
    }
    const standing = await standingOf(gateway, cache, org, document.agent, gateway.now());
    return c.json({ status: 'ok', changed, warnings, ...standing });
  });
}
