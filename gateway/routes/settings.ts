/**
 * What operators set for the whole organisation. One setting a request, so that each is one
 * transaction with its audit entry.
 */
import { readJson } from '../body.js';
import type { App, Env } from '../env.js';
import type { Context } from 'hono';
import { emailDomainsBody, escalationBody, operatorsBody, type WayOut } from '../layer-schemas.js';
import type { Gateway } from '../options.js';
import { requireAdmin } from '../require-admin.js';
import { parseInput, unprocessable } from '../schemas.js';
import { storeWays } from '../ways-out.js';

const WHAT = 'change settings';

export function addSettingRoutes(app: App, gateway: Gateway): void {
  const { ledger, policy, log } = gateway;

  const allowed = async (c: Context<Env>) => {
    const key = requireAdmin(gateway, c, WHAT);
    return { key, body: await readJson(c.env.incoming, policy.bodyLimit) };
  };
  const answer = async (c: Context<Env>, org: string, by: string, setting: string) => {
    log.warn({ requestId: c.get('requestId'), by, setting }, 'setting changed');
    return c.json(await ledger.organisationSettings(org));
  };
  /** Nobody can be asked to look at "the default" when it is the default that failed (A5). */
  const routesOf = async (org: string, ways: readonly WayOut[], path: string) => {
    const asked = ways.map((way, index) => {
      const at = `${path}[${String(index)}]`;
      if (way.channel === 'kill') throw unprocessable(`${at}.channel`, 'a kill tells nobody');
      if ((way.target ?? way.destination) === undefined) {
        throw unprocessable(`${at}.target`, 'is missing: expected an address, or a destination');
      }
      return { way, path: at };
    });
    const stored = await storeWays(gateway, org, asked);
    return stored.flatMap(({ channel, destination }) =>
      destination === undefined ? [] : [{ channel, destination }],
    );
  };

  app
    .get('/v1/settings', async (c) => c.json(await ledger.organisationSettings(c.get('key').org)))
    .post('/v1/settings/email-domains', async (c) => {
      const { key, body } = await allowed(c);
      const { emailDomains, by = key.name } = parseInput(emailDomainsBody, body);
      const author = { by, now: gateway.now() };
      await ledger.setAllowedEmailDomains(key.org, emailDomains, author);
      return answer(c, key.org, by, 'email-domains');
    })
    .post('/v1/settings/operators', async (c) => {
      const { key, body } = await allowed(c);
      const { operators, by = key.name } = parseInput(operatorsBody, body);
      const routes = await routesOf(key.org, operators, 'operators');
      await ledger.setOperators(key.org, routes, { by, now: gateway.now() });
      return answer(c, key.org, by, 'operators');
    })
    .post('/v1/settings/escalation', async (c) => {
      const { key, body } = await allowed(c);
      const { escalation, by = key.name } = parseInput(escalationBody, body);
      const levels = [];
      for (const [index, { afterMs, routes }] of (escalation?.levels ?? []).entries()) {
        const path = `escalation.levels[${String(index)}].routes`;
        levels.push({ afterMs, routes: await routesOf(key.org, routes, path) });
      }
      const policyOf = escalation === null ? undefined : { levels, rounds: escalation.rounds };
      await ledger.setEscalation(key.org, policyOf, { by, now: gateway.now() });
      return answer(c, key.org, by, 'escalation');
    });
}
