/** POST /v1/resets (C1): the current period's limits count from what it holds now. */
import { isRefusal } from '../../domain/refusal.js';
import { readJson } from '../body.js';
import { concernedBy, refused } from '../change-layer.js';
import type { App } from '../env.js';
import { resetBody } from '../layer-schemas.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';

export function addResetRoute(app: App, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, policy, log } = gateway;
  app.post('/v1/resets', async (c) => {
    const key = requireAdmin(gateway, c, 'reset periods');
    const body = parseInput(resetBody, await readJson(c.env.incoming, policy.bodyLimit));
    const { by = key.name, reason, cadence, dimension } = body;
    const { org, scope } = await concernedBy(gateway, key.org, body);
    const answer = await ledger.resetPeriod({
      ...{ org, scope, by, reason, now: gateway.now() },
      ...(cadence === undefined ? {} : { cadence }),
      ...(dimension === undefined ? {} : { dimension }),
    });
    cache.forget(org, [scope]);
    if (isRefusal(answer)) throw refused(answer);
    const { changed } = answer;
    log.warn({ requestId: c.get('requestId'), scope, by, changed }, 'period reset');
    return c.json(answer);
  });
}
