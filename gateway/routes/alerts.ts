/**
 * Alerts: what was decided, every attempt and decision not to send (A10), and a person's word to
 * one (A9). Ids are percent-encoded in the path; their slashes may stand as they are.
 */
import { actOnAlert, unknownAlert, type Act } from '../act-on-alert.js';
import { alertDetailView } from '../alert-state.js';
import { actAnswer, alertAnswer, alertsAnswer } from '../answers.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { agentSeen, seesAlert } from '../rights.js';
import { actorBody, alertsQuery, idPath, placeInTime } from '../schemas.js';

const listAlerts = {
  ...{ method: 'get', path: '/v1/alerts', id: 'listAlerts' },
  summary: 'Alerts, newest first',
  scopes: ['read'],
  forAgentKeys: true,
  query: alertsQuery,
  answers: { 200: { description: 'One page', schema: alertsAnswer } },
} as const satisfies Operation;

const readAlert = {
  ...{ method: 'get', path: '/v1/alerts/:id{.+}', id: 'readAlert' },
  summary: 'One alert: every decision, every attempt, with reasons',
  scopes: ['read'],
  forAgentKeys: true,
  params: idPath,
  answers: { 200: { description: 'As the book has it', schema: alertAnswer } },
  problems: [404],
} as const satisfies Operation;

const acting = <Name extends Act>(act: Name, summary: string) =>
  ({
    ...{ method: 'post', path: `/v1/alerts/:id{.+}/${act}`, id: `${act}Alert` },
    summary,
    description: 'Twice is once: the first word stands.',
    scopes: ['operate'],
    forAgentKeys: true,
    params: idPath,
    body: actorBody,
    answers: { 200: { description: 'How it stands now', schema: actAnswer } },
    problems: [404, 409, 503],
  }) as const satisfies Operation;

export function addAlertRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log } = gateway;

  routes.add(listAlerts, async (c, { query }) => {
    const key = c.get('key');
    const agent = agentSeen(key, query.agent);
    const [raisedAt, id] = readCursor(placeInTime, query.cursor) ?? [];
    const { entries, ...page } = await readPage(
      query.limit,
      (limit) =>
        ledger.alerts({
          ...{ org: key.org, limit },
          ...(agent === undefined ? {} : { agent }),
          ...(query.subject === undefined ? {} : { subject: query.subject }),
          ...(raisedAt === undefined || id === undefined ? {} : { after: { raisedAt, id } }),
        }),
      (alert) => [alert.raisedAt, alert.id],
    );
    return c.json({ alerts: entries.filter((alert) => seesAlert(key, alert)), ...page });
  });

  routes.add(readAlert, async (c, { params: { id } }) => {
    const key = c.get('key');
    const found = await ledger.alert(key.org, id);
    if (found === undefined || !seesAlert(key, found.alert)) throw unknownAlert(id);
    const routing = await ledger.routing(key.org, id);
    // What people want is their own: a key of one agent sees what became of it.
    const shown = routing.map(({ preferences, ...decision }) =>
      key.agent === undefined && preferences !== undefined
        ? { ...decision, preferences }
        : decision,
    );
    return c.json({ ...alertDetailView(found), routing: shown });
  });

  const add = (act: Act, summary: string): void => {
    routes.add(acting(act, summary), async (c, { params: { id }, body }) => {
      const key = c.get('key');
      if (key.agent !== undefined) {
        const found = await ledger.alert(key.org, id);
        if (found === undefined || !seesAlert(key, found.alert)) throw unknownAlert(id);
      }
      const { by = key.name, note } = body;
      const actor = { by, ...(note === undefined ? {} : { note }) };
      const alert = await actOnAlert(gateway, { org: key.org, id }, act, actor);
      const requestId = c.get('requestId');
      log.info({ requestId, alert: id, act, by }, 'a word to an alert was taken');
      return c.json({ alert });
    });
  };
  add('acknowledge', 'Take an alert: nothing more is sent about it');
  add('resolve', 'End an alert: whoever wants to know is told');
}
