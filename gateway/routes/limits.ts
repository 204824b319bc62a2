/** The operator's layer over HTTP (C1): what holds, and limits set and removed. */
import { changeLayer, concernedBy } from '../change-layer.js';
import { readJson } from '../body.js';
import type { App } from '../env.js';
import { limitsBody, limitsQuery, removeBody } from '../layer-schemas.js';
import { readLimits } from '../limit-input.js';
import { scopeLimitsView } from '../limit-views.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput } from '../schemas.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { readUntil } from '../until.js';

const WHAT = 'set limits';

export function addLimitRoutes(app: App, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, policy, log } = gateway;
  app
    .get('/v1/limits', async (c) => {
      const { agent, limit } = parseInput(limitsQuery, c.req.query());
      const scope = agent === undefined ? undefined : agentScope(agent);
      const layers = await ledger.layers(c.get('key').org, scope, limit);
      const now = gateway.now();
      return c.json({ scopes: layers.map((each) => scopeLimitsView(each, now)) });
    })
    .post('/v1/limits', async (c) => {
      const key = requireAdmin(gateway, c, WHAT);
      const body = parseInput(limitsBody, await readJson(c.env.incoming, policy.bodyLimit));
      const { by = key.name, reason, until } = body;
      const now = gateway.now();
      const concerned = await concernedBy(gateway, key.org, body);
      const authored = {
        ...{ by, at: now },
        ...(reason === undefined ? {} : { reason }),
        ...(until === undefined ? {} : { until: readUntil(until, concerned.zone, now, 'until') }),
      };
      const whose = { org: key.org, isOrganisation: concerned.scope === 'org' };
      const limits = await readLimits(gateway, whose, body.limits, authored);
      const change = { type: 'setLimits', limits } as const;
      const { changed, layers } = await changeLayer(gateway, cache, concerned, change, { by, now });
      const { scope } = concerned;
      log.warn({ requestId: c.get('requestId'), scope, by, changed }, 'limits set');
      return c.json({ changed, ...scopeLimitsView(layers, now) });
    })
    .post('/v1/limits/remove', async (c) => {
      const key = requireAdmin(gateway, c, WHAT);
      const body = parseInput(removeBody, await readJson(c.env.incoming, policy.bodyLimit));
      const { by = key.name, reason, cadence, dimension } = body;
      const now = gateway.now();
      const concerned = await concernedBy(gateway, key.org, body);
      const change = {
        type: 'removeLimits' as const,
        ...(cadence === undefined ? {} : { cadence }),
        ...(dimension === undefined ? {} : { dimension }),
      };
      const author = { by, now, ...(reason === undefined ? {} : { reason }) };
      const { changed, layers } = await changeLayer(gateway, cache, concerned, change, author);
      const { scope } = concerned;
      log.warn({ requestId: c.get('requestId'), scope, by, changed }, 'limits removed');
      return c.json({ changed, ...scopeLimitsView(layers, now) });
    });
}
