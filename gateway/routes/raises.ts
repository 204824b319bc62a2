/** Temporary raises over HTTP (C1): so much more until a moment, and why. */
import { readAmount } from '../amount.js';
import { changedLimitsAnswer } from '../answers.js';
import { changeLayer, concernedBy } from '../change-layer.js';
import { endRaiseBody, raiseBody } from '../layer-schemas.js';
import { scopeLimitsView } from '../limit-views.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { touchScope } from '../rights.js';
import { idPath } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';
import { readUntil } from '../until.js';

const raiseLimit = {
  ...{ method: 'post', path: '/v1/raises', id: 'raiseLimit' },
  summary: 'Allow so much more until a moment',
  description: 'With `id` a repeated request is the same raise.',
  scopes: ['operate'],
  forAgentKeys: true,
  body: raiseBody,
  answers: { 200: { description: 'What holds now', schema: changedLimitsAnswer } },
} as const satisfies Operation;

const endRaise = {
  ...{ method: 'post', path: '/v1/raises/:id/end', id: 'endRaise' },
  summary: 'End a raise before its moment',
  scopes: ['operate'],
  forAgentKeys: true,
  params: idPath,
  body: endRaiseBody,
  answers: { 200: { description: 'What holds now', schema: changedLimitsAnswer } },
} as const satisfies Operation;

export function addRaiseRoutes(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { log } = gateway;

  routes.add(raiseLimit, async (c, { body }) => {
    const key = c.get('key');
    touchScope(key, body);
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
  });

  routes.add(endRaise, async (c, { params: { id }, body }) => {
    const key = c.get('key');
    touchScope(key, body);
    const { by = key.name, reason } = body;
    const now = gateway.now();
    const concerned = await concernedBy(gateway, key.org, body);
    const author = { by, now, ...(reason === undefined ? {} : { reason }) };
    const change = { type: 'endRaise', id } as const;
    const { changed, layers } = await changeLayer(gateway, cache, concerned, change, author);
    const { scope } = concerned;
    log.warn({ requestId: c.get('requestId'), scope, by, raise: id, changed }, 'raise ended');
    return c.json({ changed, ...scopeLimitsView(layers, now) });
  });
}
