/** For load balancers and supervisors: no key, no details that matter. */
import { healthAnswer } from '../answers.js';
import { withDeadline } from '../deadline.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';

const PING_MS = 1_500;

const live = {
  ...{ method: 'get', path: '/healthz', id: 'live' },
  summary: 'The process answers',
  scopes: 'public',
  answers: { 200: { description: 'It does', schema: healthAnswer } },
} as const satisfies Operation;

const ready = {
  ...{ method: 'get', path: '/readyz', id: 'ready' },
  summary: 'Usage can be taken; says whether Temporal answers',
  scopes: 'public',
  answers: {
    200: { description: 'It can', schema: healthAnswer },
    503: { description: 'It cannot', schema: healthAnswer },
  },
} as const satisfies Operation;

/**
 * `/healthz`: the process answers. `/readyz`: usage can be taken. Without Temporal it can (K3), so
 * that is told and no reason to be taken out of rotation.
 */
export function addHealthRoutes(routes: Routes, gateway: Gateway): void {
  const isUp = async (ping: () => Promise<void>): Promise<boolean> => {
    try {
      await withDeadline(ping(), PING_MS, 'The ping');
      return true;
    } catch {
      return false;
    }
  };
  routes.add(live, (c) => c.json({ status: 'ok' }));
  routes.add(ready, async (c) => {
    const { temporal, ledger } = gateway;
    const [isLedgerUp, isTemporalUp] = await Promise.all([
      isUp(() => ledger.ping()),
      temporal === undefined ? true : isUp(() => temporal.ping()),
    ]);
    const isReady = isLedgerUp && !gateway.isDraining();
    return c.json(
      {
        status: isReady ? 'ready' : 'not_ready',
        ledger: isLedgerUp ? 'up' : 'down',
        temporal: isTemporalUp ? 'up' : 'down',
      },
      isReady ? 200 : 503,
    );
  });
}
