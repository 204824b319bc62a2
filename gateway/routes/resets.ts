/** POST /v1/resets (C1): the current period's limits count from what it holds now. */
import { isRefusal } from '../../domain/refusal.js';
import { resetAnswer } from '../answers.js';
import { concernedBy, refused } from '../change-layer.js';
import { resetBody } from '../layer-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { touchScope } from '../rights.js';
import type { ScopeCache } from '../scopes.js';

const resetPeriod = {
  ...{ method: 'post', path: '/v1/resets', id: 'resetPeriod' },
  summary: 'Let the limits of the current period count from here; the book keeps everything',
  scopes: ['operate'],
  forAgentKeys: true,
  body: resetBody,
  answers: { 200: { description: 'What was reset', schema: resetAnswer } },
} as const satisfies Operation;

export function addResetRoute(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, log } = gateway;
  routes.add(resetPeriod, async (c, { body }) => {
    const key = c.get('key');
    touchScope(key, body);
    const { by = key.name, reason, cadence, dimension } = body;
    const concerned = await concernedBy(gateway, key.org, body);
    const { org, scope } = concerned;
    const answer = await ledger.resetPeriod({
      ...{ org, scope, by, reason, now: gateway.now() },
      ...(cadence === undefined ? {} : { cadence }),
      ...(dimension === undefined ? {} : { dimension }),
    });
    cache.forget(org, [scope]);
    if (isRefusal(answer)) throw refused(answer, concerned);
    const { changed } = answer;
    log.warn({ requestId: c.get('requestId'), scope, by, changed }, 'period reset');
    return c.json(answer);
  });
}
