/**
 * Alerts: what was decided, every attempt and decision not to send (A10), and a person's word to
 * one (A9). Ids are percent-encoded in the path; their slashes may stand as they are.
 */
import { actOnAlert, ACTS, unknownAlert, type Act } from '../act-on-alert.js';
import { alertDetailView } from '../alert-state.js';
import { readJson } from '../body.js';
import type { App } from '../env.js';
import type { Gateway } from '../options.js';
import { actorBody, alertsQuery, parseInput } from '../schemas.js';

export function addAlertRoutes(app: App, gateway: Gateway): void {
  const { ledger, policy, log } = gateway;
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
      if (found === undefined) throw unknownAlert(id);
      return c.json(alertDetailView(found));
    })
    .post('/v1/alerts/:word{.+}', async (c) => {
      const said = readWord(c.req.param('word'));
      if (said === undefined) return c.notFound();
      const { id, act } = said;
      const key = c.get('key');
      const body = await readJson(c.env.incoming, policy.bodyLimit);
      const { by = key.name, note } = parseInput(actorBody, body ?? {});
      const actor = { by, ...(note === undefined ? {} : { note }) };
      const alert = await actOnAlert(gateway, { org: key.org, id }, act, actor);
      log.info(
        { requestId: c.get('requestId'), alert: id, act, by },
        'a word to an alert was taken',
      );
      return c.json({ alert });
    });
}

/** `alert/…/acknowledge`. No alert's own id ends so. */
function readWord(path: string): { readonly id: string; readonly act: Act } | undefined {
  const act = ACTS.find((each) => path.endsWith(`/${each}`));
  return act === undefined ? undefined : { id: path.slice(0, -act.length - 1), act };
}
