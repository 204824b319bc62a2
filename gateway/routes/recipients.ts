/** People whom alerts are told to, over HTTP: who they are and what they want (P1, P2). */
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import {
  changedPreferencesAnswer,
  changedRecipientAnswer,
  placeInNames,
  preferencesAnswer,
  preferencesBody,
  recipientAnswer,
  recipientBody,
  recipientPath,
  recipientsAnswer,
  recipientsQuery,
  removedAnswer,
  saidBody,
} from '../people-schemas.js';
import { knownRecipient, unknownRecipient } from '../recipient.js';

const listRecipients = {
  ...{ method: 'get', path: '/v1/recipients', id: 'listRecipients' },
  summary: 'People whom alerts may be told to, by id; their addresses are masked',
  scopes: ['operate'],
  query: recipientsQuery,
  answers: { 200: { description: 'One page', schema: recipientsAnswer } },
} as const satisfies Operation;

const readRecipient = {
  ...{ method: 'get', path: '/v1/recipients/:id', id: 'readRecipient' },
  summary: 'One of them: contacts and preferences',
  scopes: ['operate'],
  params: recipientPath,
  answers: { 200: { description: 'As it is now', schema: recipientAnswer } },
  problems: [404],
} as const satisfies Operation;

const putRecipient = {
  ...{ method: 'put', path: '/v1/recipients/:id', id: 'putRecipient' },
  summary: 'Add one, or give it another name',
  scopes: ['operate'],
  params: recipientPath,
  body: recipientBody,
  answers: { 200: { description: 'As it is now', schema: changedRecipientAnswer } },
} as const satisfies Operation;

const removeRecipient = {
  ...{ method: 'delete', path: '/v1/recipients/:id', id: 'removeRecipient' },
  summary: 'Remove one, with contacts, preferences and what waits for a digest',
  description: 'What was decided before stays in the records of the alerts. Twice is once.',
  scopes: ['operate'],
  params: recipientPath,
  body: saidBody,
  answers: { 200: { description: 'It is gone', schema: removedAnswer } },
} as const satisfies Operation;

const readPreferences = {
  ...{ method: 'get', path: '/v1/recipients/:id/preferences', id: 'readPreferences' },
  summary: 'What a recipient wants to be told, and how',
  scopes: ['operate'],
  params: recipientPath,
  answers: { 200: { description: 'The whole document', schema: preferencesAnswer } },
  problems: [404],
} as const satisfies Operation;

const setPreferences = {
  ...{ method: 'put', path: '/v1/recipients/:id/preferences', id: 'setPreferences' },
  summary: 'Set all of what a recipient wants',
  description:
    'The whole document: what it leaves out has its default, but for `unsubscribed`, which stays. ' +
    'It holds for alerts that start from now on.',
  scopes: ['operate'],
  params: recipientPath,
  body: preferencesBody,
  answers: { 200: { description: 'As it is now', schema: changedPreferencesAnswer } },
  problems: [404],
} as const satisfies Operation;

export function addRecipientRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, now } = gateway;

  routes.add(listRecipients, async (c, { query }) => {
    const { org } = c.get('key');
    const [after] = readCursor(placeInNames, query.cursor) ?? [];
    const { entries, ...page } = await readPage(
      query.limit,
      (limit) => ledger.recipients({ org, limit, ...(after === undefined ? {} : { after }) }),
      ({ id }) => [id],
    );
    return c.json({ recipients: entries, ...page });
  });

  routes.add(readRecipient, async (c, { params: { id } }) =>
    c.json({ recipient: await knownRecipient(ledger, { org: c.get('key').org, id }) }),
  );

  routes.add(putRecipient, async (c, { params: { id }, body }) => {
    const { org, name: keyName } = c.get('key');
    const { by = keyName, name } = body;
    const given = { org, id, ...(name === undefined ? {} : { name }) };
    const { changed } = await ledger.putRecipient(given, { by, now: now() });
    log.info({ requestId: c.get('requestId'), changed }, 'a recipient was put');
    return c.json({ changed, recipient: await knownRecipient(ledger, { org, id }) });
  });

  routes.add(removeRecipient, async (c, { params: { id }, body }) => {
    const { org, name: keyName } = c.get('key');
    const { by = keyName } = body;
    const { changed } = await ledger.removeRecipient({ org, id }, { by, now: now() });
    log.warn({ requestId: c.get('requestId'), changed }, 'a recipient was removed');
    return c.json({ changed });
  });

  routes.add(readPreferences, async (c, { params: { id } }) => {
    const { preferences } = await knownRecipient(ledger, { org: c.get('key').org, id });
    return c.json({ preferences });
  });

  routes.add(setPreferences, async (c, { params: { id }, body }) => {
    const { org, name: keyName } = c.get('key');
    const { by = keyName, quietHours, unsubscribed, ...document } = body;
    const answer = await ledger.setPreferences(
      { org, id },
      {
        ...{ ...document, default: known(document.default) },
        agents: Object.fromEntries(
          Object.entries(document.agents).map(([agent, switches]) => [agent, known(switches)]),
        ),
        minimumPriority: known(document.minimumPriority),
        ...(quietHours === undefined ? {} : { quietHours }),
        ...(unsubscribed === undefined ? {} : { unsubscribed }),
      },
      { by, now: now() },
    );
    if (answer === undefined) throw unknownRecipient(id);
    const { preferences } = await knownRecipient(ledger, { org, id });
    return c.json({ changed: answer.changed, preferences });
  });
}

/** What was given as nothing is not given. */
function known<Value>(given: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}
