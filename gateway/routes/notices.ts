/** What the service has told its operators of itself, or could not (A15). */
import type { App } from '../env.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { noticesQuery, parseInput } from '../schemas.js';

export function addNoticeRoute(app: App, gateway: Gateway): void {
  app.get('/v1/notices', async (c) => {
    const { org } = requireAdmin(gateway, c, 'read what operators are told');
    const { limit } = parseInput(noticesQuery, c.req.query());
    return c.json({ notices: await gateway.ledger.operatorNotices(org, limit) });
  });
}
