/** GET /v1/guard: what a running guard has to know at once, as server-sent events (K1, K2, L3). */
import { guardQuery } from '../lease-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { touchAgent } from '../rights.js';

const watchGuard = {
  ...{ method: 'get', path: '/v1/guard', id: 'watchGuard' },
  summary: 'What a guard has to know at once: Stop, kill, limits, recalls',
  description:
    '`event: standing` first, and when it changes: {stopped, killed}, each null or as the answer ' +
    'to a sync has it. `event: limits` {rev}: limits changed, or it has just come: ask again. ' +
    '`event: recall` {period_id, why}: give back what is not reserved. A comment every 10 s. ' +
    'It ends when the gateway does, and after a while: come again.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  query: guardQuery,
  answers: { 200: { description: 'Until one of both ends it', type: 'text/event-stream' } },
} as const satisfies Operation;

export function addGuardRoute(routes: Routes, gateway: Gateway): void {
  routes.add(watchGuard, async (c, { query: { agent_name: agent, run_id: run } }) => {
    const key = c.get('key');
    touchAgent(key, agent);
    const guard = { org: key.org, agent, ...(run === undefined ? {} : { run }) };
    const body = await gateway.guards.open(guard, key.id, () => {
      c.env.outgoing.destroy();
    });
    return c.body(body, 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // A stream that has ended leaves nothing behind that would keep a gateway from ending.
      connection: 'close',
      'x-accel-buffering': 'no',
    });
  });
}
