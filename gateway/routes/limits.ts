/** The operator's layer over HTTP (C1): what holds, and limits set and removed. */
import { changedLimitsAnswer, limitsAnswer } from '../answers.js';
import { changeLayer, concernedBy } from '../change-layer.js';
import { limitsBody, limitsQuery, removeBody } from '../layer-schemas.js';
import { readLimits } from '../limit-input.js';
import { lossesOf, lostWays } from '../limit-warnings.js';
import { scopeLimitsView } from '../limit-views.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { agentSeen, touchScope } from '../rights.js';
import { agentScope, type ScopeCache } from '../scopes.js';
import { readUntil } from '../until.js';

const listLimits = {
  ...{ method: 'get', path: '/v1/limits', id: 'listLimits' },
  summary: 'What holds for each agent and the organisation, and from which layer',
  scopes: ['read'],
  forAgentKeys: true,
  query: limitsQuery,
  answers: { 200: { description: 'As of now', schema: limitsAnswer } },
} as const satisfies Operation;

const setLimits = {
  ...{ method: 'post', path: '/v1/limits', id: 'setLimits' },
  summary: 'Set limits, ceilings and thresholds that no SDK can pass or take away',
  scopes: ['operate'],
  forAgentKeys: true,
  body: limitsBody,
  answers: { 200: { description: 'What holds now', schema: changedLimitsAnswer } },
} as const satisfies Operation;

const removeLimits = {
  ...{ method: 'post', path: '/v1/limits/remove', id: 'removeLimits' },
  summary: 'Remove what an operator set; what agents synced holds again',
  scopes: ['operate'],
  forAgentKeys: true,
  body: removeBody,
  answers: { 200: { description: 'What holds now', schema: changedLimitsAnswer } },
} as const satisfies Operation;

export function addLimitRoutes(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  const { ledger, log } = gateway;

  routes.add(listLimits, async (c, { query }) => {
    const key = c.get('key');
    const agent = agentSeen(key, query.agent);
    const scope = agent === undefined ? undefined : agentScope(agent);
    const layers = await ledger.layers(key.org, scope, query.limit);
    const now = gateway.now();
    return c.json({ scopes: layers.map((each) => scopeLimitsView(each, now)) });
  });

  routes.add(setLimits, async (c, { body }) => {
    const key = c.get('key');
    touchScope(key, body);
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
    const { scope } = concerned;
    // Asked before the change: what fails afterwards would deny what was done.
    const [known] = await ledger.layers(key.org, scope, 1);
    const { defaults } = await ledger.organisationSettings(key.org);
    const { changed, layers } = await changeLayer(gateway, cache, concerned, change, { by, now });
    log.warn({ requestId: c.get('requestId'), scope, by, changed }, 'limits set');
    const view = scopeLimitsView(layers, now);
    const warnings = [
      ...(known === undefined ? [] : lossesOf(scopeLimitsView(known, now), view)),
      ...lostWays(body.limits, {
        defaults: defaults.map(({ channel }) => channel),
        hasAccount: gateway.hasAccount,
      }),
    ];
    return c.json({ changed, ...view, ...(warnings.length === 0 ? {} : { warnings }) });
  });

  routes.add(removeLimits, async (c, { body }) => {
    const key = c.get('key');
    touchScope(key, body);
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
