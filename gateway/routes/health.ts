/** For load balancers and supervisors: no key, no details that matter. */
import type { App } from '../env.js';
import { withDeadline } from '../deadline.js';
import type { Gateway } from '../options.js';

const PING_MS = 1_500;

/**
 * `/healthz`: the process answers. `/readyz`: usage can be taken. Without Temporal it can (K3), so
 * that is told and no reason to be taken out of rotation.
 */
export function addHealthRoutes(app: App, gateway: Gateway): void {
  const isUp = async (ping: () => Promise<void>): Promise<boolean> => {
    try {
      await withDeadline(ping(), PING_MS, 'The ping');
      return true;
    } catch {
      return false;
    }
  };
  app
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
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
