/**
 * What operators set for the whole organisation. One setting a request, so that each is one
 * transaction with its audit entry.
 */
import type { Context } from 'hono';
import { settingsAnswer } from '../answers.js';
import type { Env } from '../env.js';
import { emailDomainsBody, escalationBody, operatorsBody, type WayOut } from '../layer-schemas.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { unprocessable } from '../schemas.js';
import { storeWays } from '../ways-out.js';

const answers = { 200: { description: 'All settings as they are now', schema: settingsAnswer } };

const readSettings = {
  ...{ method: 'get', path: '/v1/settings', id: 'readSettings' },
  summary: 'Operators, escalation and email domains of the organisation',
  scopes: ['operate'],
  answers,
} as const satisfies Operation;

const setEmailDomains = {
  ...{ method: 'post', path: '/v1/settings/email-domains', id: 'setEmailDomains' },
  summary: 'Domains whose addresses agents may name (C3)',
  scopes: ['admin'],
  body: emailDomainsBody,
  answers,
} as const satisfies Operation;

const setOperators = {
  ...{ method: 'post', path: '/v1/settings/operators', id: 'setOperators' },
  summary: 'Who is told where an alert reaches nobody else, in the order they are tried (A5)',
  scopes: ['admin'],
  body: operatorsBody,
  answers,
} as const satisfies Operation;

const setEscalation = {
  ...{ method: 'post', path: '/v1/settings/escalation', id: 'setEscalation' },
  summary: 'Who is told when nobody takes an alert (A8); null is the default again',
  scopes: ['admin'],
  body: escalationBody,
  answers,
} as const satisfies Operation;

export function addSettingRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, now } = gateway;

  const told = async (c: Context<Env>, by: string, setting: string): Promise<Response> => {
    log.warn({ requestId: c.get('requestId'), by, setting }, 'setting changed');
    return c.json(await ledger.organisationSettings(c.get('key').org));
  };

  routes.add(readSettings, async (c) =>
    c.json(await ledger.organisationSettings(c.get('key').org)),
  );

  routes.add(setEmailDomains, async (c, { body }) => {
    const key = c.get('key');
    const { emailDomains, by = key.name } = body;
    await ledger.setAllowedEmailDomains(key.org, emailDomains, { by, now: now() });
    return told(c, by, 'email-domains');
  });

  routes.add(setOperators, async (c, { body }) => {
    const key = c.get('key');
    const { operators, by = key.name } = body;
    const stored = await routesOf(gateway, key.org, operators, 'operators');
    await ledger.setOperators(key.org, stored, { by, now: now() });
    return told(c, by, 'operators');
  });

  routes.add(setEscalation, async (c, { body }) => {
    const key = c.get('key');
    const { escalation, by = key.name } = body;
    const levels = [];
    for (const [index, level] of (escalation?.levels ?? []).entries()) {
      const path = `escalation.levels[${String(index)}].routes`;
      const stored = await routesOf(gateway, key.org, level.routes, path);
      levels.push({ afterMs: level.afterMs, routes: stored });
    }
    const whole = escalation === null ? undefined : { levels, rounds: escalation.rounds };
    await ledger.setEscalation(key.org, whole, { by, now: now() });
    return told(c, by, 'escalation');
  });
}

/** Nobody can be asked to look at "the default" when it is the default that failed (A5). */
async function routesOf(gateway: Gateway, org: string, ways: readonly WayOut[], path: string) {
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
}
