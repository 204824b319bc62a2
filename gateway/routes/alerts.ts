/** Reading alerts: what was decided, and every attempt and decision not to send (A10). */
import type { App } from '../env.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { alertsQuery, parseInput } from '../schemas.js';

export function addAlertRoutes(app: App, { ledger }: Gateway): void {
  app
    .get('/v1/alerts', async (c) => {
      const { agent, subject, limit } = parseInput(alertsQuery, c.req.query());
      const alerts = await ledger.alerts({
        org: c.get('key').org,
        ...(agent === undefined ? {} : { agent }),
        ...(subject === undefined ? {} : { subject }),
        limit,
      });
      return c.json({ alerts });
    })
    .get('/v1/alerts/:id{.+}', async (c) => {
      const id = c.req.param('id');
      const found = await ledger.alert(c.get('key').org, id);
      if (found !== undefined) return c.json(found);
      throw new Problem({
        status: 404,
        title: 'Unknown alert',
        detail: `There is no alert ${JSON.stringify(id.slice(0, 255))}.`,
      });
    });
}
