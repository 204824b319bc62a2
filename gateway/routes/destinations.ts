/** Destinations over HTTP: listed without their addresses, restored, confirmed, made the default. */
import { readJson } from '../body.js';
import type { App, Env } from '../env.js';
import type { Context } from 'hono';
import { defaultDestinationBody, destinationBody } from '../layer-schemas.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput, unprocessable } from '../schemas.js';
import { storeWays } from '../ways-out.js';

const WHAT = 'change destinations';

export function addDestinationRoutes(app: App, gateway: Gateway): void {
  const { ledger, policy, log } = gateway;

  /** Names one that is there, else throws a `Problem` (404). */
  const said = async (c: Context<Env>, reference: string) => {
    const key = requireAdmin(gateway, c, WHAT);
    const body = await readJson(c.env.incoming, policy.bodyLimit);
    const { by = key.name } = parseInput(destinationBody, body ?? {});
    const [known] = await ledger.knownDestinations(key.org, reference);
    if (known === undefined) throw unknown(reference);
    return { org: key.org, by };
  };

  app
    .get('/v1/destinations', async (c) =>
      c.json({ destinations: await ledger.knownDestinations(c.get('key').org) }),
    )
    .post('/v1/destinations/default', async (c) => {
      const key = requireAdmin(gateway, c, WHAT);
      const body = await readJson(c.env.incoming, policy.bodyLimit);
      const { by = key.name, sendResolved, ...way } = parseInput(defaultDestinationBody, body);
      if (way.channel === 'kill') throw unprocessable('channel', 'a kill goes nowhere');
      if ((way.target ?? way.destination) === undefined) {
        throw unprocessable('target', 'is missing: expected an address, or a destination');
      }
      const [stored] = await storeWays(gateway, key.org, [{ way, path: '' }], sendResolved);
      const reference = stored?.destination ?? '';
      const author = { by, now: gateway.now() };
      await ledger.setDefaultDestination(key.org, way.channel, reference, author);
      const [destination] = await ledger.knownDestinations(key.org, reference);
      log.warn({ requestId: c.get('requestId'), channel: way.channel, by }, 'default set');
      return c.json({ destination });
    })
    .post('/v1/destinations/:reference/restore', async (c) => {
      const reference = c.req.param('reference');
      const { org, by } = await said(c, reference);
      const { changed } = await ledger.restoreDestination(org, reference, by, gateway.now());
      const [destination] = await ledger.knownDestinations(org, reference);
      return c.json({ changed, destination });
    })
    .post('/v1/destinations/:reference/confirm', async (c) => {
      const reference = c.req.param('reference');
      const { org, by } = await said(c, reference);
      const { changed } = await ledger.confirmDestination(org, reference, by, gateway.now());
      const [destination] = await ledger.knownDestinations(org, reference);
      return c.json({ changed, destination });
    });
}

function unknown(reference: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown destination',
    detail: `There is no destination ${JSON.stringify(reference.slice(0, 64))}: /v1/destinations lists them.`,
  });
}
