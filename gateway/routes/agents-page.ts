/**
 * `/agents`: what every agent may spend and has spent, and the buttons Stop and Resume (K2). It is
 * read from the ledger each time, so a Stop shows with the next request, wherever it was said.
 */
import type { Context } from 'hono';
import { agentsOf, agentsPage, loginPage } from '../agents-page.js';
import { readForm } from '../body.js';
import type { Env } from '../env.js';
import { cleaned } from '../form-text.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { mayDo, touchAgent } from '../rights.js';
import { name as agentName, parseInput } from '../schemas.js';
import type { Sessions } from '../sessions.js';
import { isOwnOrigin, signedIn, type SignedIn } from '../signed-in.js';
import { budgetStatusView } from '../views.js';
import { FOREIGN, redirect, show } from './login.js';

const FORM_LIMIT = 16 * 1024;
const SHOWN_BUDGETS = 500;

const html = (description: string) => ({ description, type: 'text/html' });

const showAgents = {
  ...{ method: 'get', path: '/agents', id: 'showAgents' },
  summary: 'Agents and their budgets, for a browser that has signed in',
  scopes: 'public',
  answers: {
    200: html('The page'),
    303: { description: 'Nobody has signed in: to /login' },
    403: html('The page: this key may not read'),
  },
} as const satisfies Operation;

const stopOrResume = {
  ...{ method: 'post', path: '/agents', id: 'stopOrResumeOnPage' },
  summary: 'The forms of that page',
  scopes: 'public',
  itself: { type: 'application/x-www-form-urlencoded' },
  answers: {
    200: html('The page, with what came of it'),
    303: { description: 'Nobody has signed in: to /login' },
    403: html('The page: not with this key, this form, or from there'),
    422: html('The page: the word was not taken'),
  },
  problems: [400, 413],
} as const satisfies Operation;

export function addAgentsPage(routes: Routes, gateway: Gateway, sessions: Sessions): void {
  const { ledger, log, now } = gateway;

  const render = async (
    c: Context<Env>,
    { key, session }: SignedIn,
    status: 200 | 403 | 422,
    said?: string,
  ): Promise<Response> => {
    const at = now();
    if (!mayDo(key, ['read', 'operate'])) return show(c, 403, loginPage('This key may not read.'));
    const whose = key.agent === undefined ? {} : { agent: key.agent };
    const query = { org: key.org, ...whose, openOnly: true, now: at, limit: SHOWN_BUDGETS };
    const [found, all] = await Promise.all([ledger.budgets(query), ledger.stopped(key.org)]);
    const stops = all.filter(({ agent }) => key.agent === undefined || key.agent === agent);
    const budgets = found.map((budget) => budgetStatusView(budget, at));
    const view = {
      ...{ now: at, keyName: key.name, agents: agentsOf(budgets, stops) },
      organisation: budgets.filter((budget) => budget.key.scope === 'org'),
      isCut: found.length === SHOWN_BUDGETS,
      ...(mayDo(key, ['operate']) ? { formToken: session.formToken } : {}),
      ...(said === undefined ? {} : { said }),
    };
    return show(c, status, agentsPage(view));
  };

  routes.add(showAgents, async (c) => {
    const who = await signedIn(gateway, sessions, c);
    return who === undefined ? redirect(c, 'login') : render(c, who, 200);
  });

  routes.add(stopOrResume, async (c) => {
    const who = await signedIn(gateway, sessions, c);
    if (who === undefined) return redirect(c, 'login');
    if (!isOwnOrigin(sessions, c)) return render(c, who, 403, FOREIGN);
    const form = await readForm(c.env.incoming, FORM_LIMIT);
    if (!sessions.isFormToken(who.session, form.get('token'))) {
      return render(c, who, 403, 'This form belongs to another session: nothing was done.');
    }
    const { key } = who;
    if (!mayDo(key, ['operate'])) return render(c, who, 403, 'This key may not stop agents.');
    const word = wordOf(form, key.name);
    if (typeof word === 'string') return render(c, who, 422, word);
    const { act, agent, by, reason } = word;
    touchAgent(key, agent);
    const { changed } =
      act === 'stop'
        ? await ledger.stop(key.org, { agent, at: now(), by, reason })
        : await ledger.resume(key.org, agent, by, now(), reason === '' ? undefined : reason);
    const done = act === 'stop' ? 'stopped' : 'resumed';
    log.warn({ requestId: c.get('requestId'), agent, by, changed }, `agent ${done}`);
    return render(c, who, 200, sentenceOf(act, agent, changed));
  });
}

interface Word {
  readonly act: 'stop' | 'resume';
  readonly agent: string;
  readonly by: string;
  readonly reason: string;
}

/** What the form says, or what is wrong with it. A typed name proves nothing: the key's is there. */
function wordOf(form: URLSearchParams, keyName: string): Word | string {
  const act = form.get('act');
  if (act !== 'stop' && act !== 'resume') return 'Neither Stop nor Resume: nothing was done.';
  const agent = readAgent(form.get('agent'));
  if (agent === undefined) return 'Whom? The name of an agent has 1 to 200 characters.';
  const reason = cleaned(form.get('reason'), 500);
  if (act === 'stop' && reason === '') return 'Why? A Stop needs a reason: people will read it.';
  const name = cleaned(form.get('by'), 100);
  return { act, agent, reason, by: name === '' ? keyName : `${name} (${keyName})`.slice(0, 200) };
}

/** As the API takes it: a name is never changed, as another one is another agent. */
function readAgent(given: string | null): string | undefined {
  try {
    return parseInput(agentName, given);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function sentenceOf(act: Word['act'], agent: string, changed: boolean): string {
  if (act === 'stop') {
    return changed
      ? `${agent} is stopped: its calls are refused from now on.`
      : `${agent} was stopped before; the first reason stands.`;
  }
  return changed ? `${agent} may go on.` : `${agent} was not stopped.`;
}
