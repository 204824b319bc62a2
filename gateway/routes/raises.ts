/** Temporary raises over HTTP (C1): so much more until a moment, and why. */
import { readAmount } from '../amount.js';
import { readJson } from '../body.js';
import { changeLayer, concernedBy } from '../change-layer.js';
import type { App } from '../env.js';
import { endRaiseBody, raiseBody } from '../layer-schemas.js';
import { scopeLimitsView } from '../limit-views.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';
import { readUntil } from '../until.js';

const WHAT = 'raise limits';

export function addRaiseRoutes(app: App, gateway: Gateway, cache: ScopeCache): void {
  const { policy, log } = gateway;
  app
    .post('/v1/raises', async (c) => {
      const key = requireAdmin(gateway, c, WHAT);
      const body = parseInput(raiseBody, await readJson(c.env.incoming, policy.bodyLimit));
      const { by = key.name, reason, cadence, dimension = 'cost', id = gateway.newId() } = body;
      const now = gateway.now();
      const concerned = await concernedBy(gateway, key.org, body);
      const raise = {
        ...{ id, dimension, reason, by, at: now },
        amount: readAmount(dimension, body.amount, 'amount'),
        until: readUntil(body.until, concerned.zone, now, 'until'),
        ...(cadence === undefined ? {} : { cadence }),
      };
      const change = { type: 'raise', raise } as const;
      const { changed, layers } = await changeLayer(gateway, cache, concerned, change, { by, now });
      const { scope } = concerned;
      log.warn({ requestId: c.get('requestId'), scope, by, raise: id, changed }, 'limit raised');
      const view = scopeLimitsView(layers, now);
      return c.json({ changed, raise: view.raises.find((each) => each.id === id), ...view });
    })
    .post('/v1/raises/:id/end', async (c) => {
      const key = requireAdmin(gateway, c, WHAT);
      const body = parseInput(endRaiseBody, await readJson(c.env.incoming, policy.bodyLimit));
      const { by = key.name, reason } = body;
      const now = gateway.now();
      const concerned = await concernedBy(gateway, key.org, body);
      const id = c.req.param('id');
      const author = { by, now, ...(reason === undefined ? {} : { reason }) };
      const change = { type: 'endRaise', id } as const;
      const { changed, layers } = await changeLayer(gateway, cache, concerned, change, author);
      const { scope } = concerned;
      log.warn({ requestId: c.get('requestId'), scope, by, raise: id, changed }, 'raise ended');
      return c.json({ changed, ...scopeLimitsView(layers, now) });
    });
}
