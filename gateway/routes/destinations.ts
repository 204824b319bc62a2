/** Destinations over HTTP: listed without their addresses, restored, confirmed, made the default. */
import { changedDestinationAnswer, destinationAnswer, destinationsAnswer } from '../answers.js';
import { defaultDestinationBody, destinationBody, referencePath } from '../layer-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { unprocessable } from '../schemas.js';
import { storeWays } from '../ways-out.js';

const listDestinations = {
  ...{ method: 'get', path: '/v1/destinations', id: 'listDestinations' },
  summary: 'Where alerts may go, and how each fares; addresses are masked',
  scopes: ['operate'],
  answers: { 200: { description: 'All of them', schema: destinationsAnswer } },
} as const satisfies Operation;

const setDefaultDestination = {
  ...{ method: 'post', path: '/v1/destinations/default', id: 'setDefaultDestination' },
  summary: 'Where alerts of a channel go that name no target',
  scopes: ['admin'],
  body: defaultDestinationBody,
  answers: { 200: { description: 'It is the default', schema: destinationAnswer } },
} as const satisfies Operation;

const restoreDestination = {
  ...{ method: 'post', path: '/v1/destinations/:reference/restore', id: 'restoreDestination' },
  summary: 'Send again to a destination that was gone or failing',
  scopes: ['operate'],
  params: referencePath,
  body: destinationBody,
  answers: { 200: { description: 'As it is now', schema: changedDestinationAnswer } },
  problems: [404],
} as const satisfies Operation;

const confirmDestination = {
  ...{ method: 'post', path: '/v1/destinations/:reference/confirm', id: 'confirmDestination' },
  summary: 'Stand by an email address that an agent named',
  scopes: ['admin'],
  params: referencePath,
  body: destinationBody,
  answers: { 200: { description: 'As it is now', schema: changedDestinationAnswer } },
  problems: [404],
} as const satisfies Operation;

export function addDestinationRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, now } = gateway;

  /** Throws a `Problem` (404) where there is none. */
  async function known(org: string, reference: string) {
    const [found] = await ledger.knownDestinations(org, reference);
    if (found === undefined) throw unknown(reference);
    return found;
  }

  routes.add(listDestinations, async (c) =>
    c.json({ destinations: await ledger.knownDestinations(c.get('key').org) }),
  );

  routes.add(setDefaultDestination, async (c, { body }) => {
    const key = c.get('key');
    const { by = key.name, sendResolved, ...way } = body;
    if (way.channel === 'kill') throw unprocessable('channel', 'a kill goes nowhere');
    if ((way.target ?? way.destination) === undefined) {
      throw unprocessable('target', 'is missing: expected an address, or a destination');
    }
    const [stored] = await storeWays(gateway, key.org, [{ way, path: '' }], sendResolved);
    const reference = stored?.destination ?? '';
    await ledger.setDefaultDestination(key.org, way.channel, reference, { by, now: now() });
    log.warn({ requestId: c.get('requestId'), channel: way.channel, by }, 'default set');
    return c.json({ destination: await known(key.org, reference) });
  });

  routes.add(restoreDestination, async (c, { params: { reference }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    await known(org, reference);
    const { changed } = await ledger.restoreDestination(org, reference, by, now());
    return c.json({ changed, destination: await known(org, reference) });
  });

  routes.add(confirmDestination, async (c, { params: { reference }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    await known(org, reference);
    const { changed } = await ledger.confirmDestination(org, reference, by, now());
    return c.json({ changed, destination: await known(org, reference) });
  });
}

function unknown(reference: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown destination',
    detail: `There is no destination ${JSON.stringify(reference.slice(0, 64))}: /v1/destinations lists them.`,
  });
}
