/**
 * Silences over HTTP (A13): what is not told for a while, and why. They hold messages, never a
 * kill; whoever ends one lets go what still fires.
 */
import type { RuleView, Silence } from '../../ledger/ledger.js';
import { canonicalJson } from '../../ledger/canonical.js';
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
import { ruleIdOf, withRuleName } from '../silenced-rule.js';
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
    'With `id` a repeated request is the same silence; `rule` is the name or the id of one.',
  scopes: ['operate'],
  body: silenceBody,
  answers: { 200: { description: 'It holds, or will', schema: silenceAnswer } },
  problems: [409],
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
    const rules = await rulesOf(ledger, org, entries);
    return c.json({ silences: entries.map((each) => withRuleName(each, rules)), ...page });
  });

  routes.add(addSilence, async (c, { body }) => {
    const key = c.get('key');
    const { by = key.name, reason, id = gateway.newId() } = body;
    const now = gateway.now();
    const rules = await rulesOf(ledger, key.org, [body]);
    const [known] = await ledger.silences({ org: key.org, id, limit: 1 });
    const { changed, silence } =
      known === undefined
        ? await ledger.addSilence({
            ...{ org: key.org, id, by, reason, now },
            ...(await whenOf(gateway, key.org, body, now)),
            ...matcherOf(body, rules),
          })
        : { changed: false, silence: known };
    if (!changed) await refuseOther(gateway, key.org, { known: silence, body, rules });
    log.warn({ requestId: c.get('requestId'), silence: silence.id, by, changed }, 'silenced');
    return c.json({ changed, silence: withRuleName(silence, rules) });
  });

  routes.add(endSilence, async (c, { params: { id }, body }) => {
    const key = c.get('key');
    const { by = key.name } = body;
    const answer = await ledger.endSilence(key.org, id, { by, now: gateway.now() });
    if (answer === undefined) throw unknownSilence(id);
    const { changed, silence } = answer;
    log.warn({ requestId: c.get('requestId'), silence: id, by, changed }, 'a silence was ended');
    const rules = await rulesOf(ledger, key.org, [silence]);
    return c.json({ changed, silence: withRuleName(silence, rules) });
  });
}

/** Those there are, where any silence names one. */
async function rulesOf(
  ledger: Gateway['ledger'],
  org: string,
  silences: readonly { readonly rule?: string | undefined }[],
): Promise<readonly RuleView[]> {
  const isAsked = silences.some(({ rule }) => rule !== undefined);
  return isAsked ? (await ledger.rules(org)).rules : [];
}

/**
 * The same request again is the same silence; another one of the same id is refused (409), as
 * nobody would hear that it holds nothing. Moments are read as they were the first time: `2h` of a
 * repeated request is no later than it was.
 */
async function refuseOther(
  gateway: Pick<Gateway, 'ledger' | 'policy'>,
  org: string,
  { known, body, rules }: { known: Silence; body: SilenceBody; rules: readonly RuleView[] },
): Promise<void> {
  const { agent, organisation, budget, rule, severity, from, until, reason } = known;
  const stands = { agent, organisation, budget, rule, severity, from, until, reason, by: known.by };
  // Its rule may have been removed since.
  const named = body.rule === rule ? { ...body, rule: undefined } : body;
  const given = {
    ...(await whenOf(gateway, org, body, known.at).catch(noMoment)),
    ...{ ...matcherOf(named, rules), ...(body.rule === rule && { rule }) },
    ...{ reason: body.reason, by: body.by ?? known.by },
  };
  if (canonicalJson(stands) === canonicalJson(given)) return;
  throw new Problem({
    ...{ status: 409, title: 'Another silence', path: 'id' },
    detail: `There is a silence ${JSON.stringify(known.id.slice(0, 64))} already, and it says something else: choose another id, or leave it out.`,
  });
}

/** What was no moment then is another one now. */
function noMoment(error: unknown): Record<string, never> {
  if (error instanceof Problem) return {};
  throw error;
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

function matcherOf(
  { agent, organisation, budget, rule, severity }: SilenceBody,
  rules: readonly RuleView[],
) {
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
    ...(rule === undefined ? {} : { rule: ruleIdOf(rules, rule) }),
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
