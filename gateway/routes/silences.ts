/**
 * Silences over HTTP (A13): what is not told for a while, and why. They hold messages, never a
 * kill; whoever ends one lets go what still fires.
 */
import { concernedBy } from '../change-layer.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { readCursor, readPage } from '../paging.js';
import { Problem } from '../problem.js';
import { idPath, placeInTime, unprocessable } from '../schemas.js';
import {
  endSilenceBody,
  silenceAnswer,
  silenceBody,
  silencesAnswer,
  silencesQuery,
  type SilenceBody,
} from '../silence-schemas.js';
import { readUntil } from '../until.js';

const listSilences = {
  ...{ method: 'get', path: '/v1/silences', id: 'listSilences' },
  summary: 'Silences that hold something or will, the latest made first',
  description: 'With `all=true` those that are over, too.',
  scopes: ['read'],
  query: silencesQuery,
  answers: { 200: { description: 'One page', schema: silencesAnswer } },
} as const satisfies Operation;

const addSilence = {
  ...{ method: 'post', path: '/v1/silences', id: 'addSilence' },
  summary: 'Hold back what fires until a moment',
  description:
    'All that is named has to fit. Kills are never held. When it ends, what still fires is sent. ' +
    'With `id` a repeated request is the same silence.',
  scopes: ['operate'],
  body: silenceBody,
  answers: { 200: { description: 'It holds, or will', schema: silenceAnswer } },
} as const satisfies Operation;

const endSilence = {
  ...{ method: 'post', path: '/v1/silences/:id/end', id: 'endSilence' },
  summary: 'End a silence now: what still fires is sent',
  description: 'Twice is once.',
  scopes: ['operate'],
  params: idPath,
  body: endSilenceBody,
  answers: { 200: { description: 'It is over', schema: silenceAnswer } },
  problems: [404],
} as const satisfies Operation;

export function addSilenceRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log } = gateway;

  routes.add(listSilences, async (c, { query: { all, limit, cursor } }) => {
    const { org } = c.get('key');
    const [at, id] = readCursor(placeInTime, cursor) ?? [];
    const { entries, ...page } = await readPage(
      limit,
      (most) =>
        ledger.silences({
          ...{ org, limit: most },
          ...(all ? {} : { openAt: gateway.now() }),
          ...(at === undefined || id === undefined ? {} : { after: { at, id } }),
        }),
      (silence) => [silence.at, silence.id],
    );
    return c.json({ silences: entries, ...page });
  });

  routes.add(addSilence, async (c, { body }) => {
    const key = c.get('key');
    const { by = key.name, reason, id = gateway.newId() } = body;
    const now = gateway.now();
    const { changed, silence } = await ledger.addSilence({
      ...{ org: key.org, id, by, reason, now },
      ...(await whenOf(gateway, key.org, body, now)),
      ...matcherOf(body),
    });
    log.warn({ requestId: c.get('requestId'), silence: silence.id, by, changed }, 'silenced');
    return c.json({ changed, silence });
  });

  routes.add(endSilence, async (c, { params: { id }, body }) => {
    const key = c.get('key');
    const { by = key.name } = body;
    const answer = await ledger.endSilence(key.org, id, { by, now: gateway.now() });
    if (answer === undefined) throw unknownSilence(id);
    const { changed } = answer;
    log.warn({ requestId: c.get('requestId'), silence: id, by, changed }, 'a silence was ended');
    return c.json(answer);
  });
}

/** Local moments are told in the agent's zone, else in the organisation's (B2). */
async function whenOf(
  gateway: Pick<Gateway, 'ledger' | 'policy'>,
  org: string,
  { agent, from, until }: SilenceBody,
  now: number,
): Promise<{ from: number; until: number }> {
  const { zone } = await concernedBy(gateway, org, { agent });
  const begins = from === undefined ? now : readUntil(from, zone, now, 'from');
  const ends = readUntil(until, zone, now, 'until');
  if (ends <= begins) throw unprocessable('until', 'is not after `from`');
  return { from: begins, until: ends };
}

function matcherOf({ agent, organisation, budget, rule, severity }: SilenceBody) {
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
    ...(rule === undefined ? {} : { rule }),
    ...(severity === undefined ? {} : { severity }),
  };
}

function budgetOf({ cadence, dimension }: NonNullable<SilenceBody['budget']>) {
  return {
    ...(cadence === undefined ? {} : { cadence }),
    ...(dimension === undefined ? {} : { dimension }),
  };
}

function unknownSilence(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown silence',
    detail: `There is no silence with the id ${JSON.stringify(id.slice(0, 64))}: list them.`,
  });
}
