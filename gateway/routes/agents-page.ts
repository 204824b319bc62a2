/**
 * `/agents`: what every agent may spend and has spent, and the buttons Stop and Resume (K2). It is
 * read from the ledger each time, so a Stop shows with the next request, wherever it was said.
 */
import type { Context } from 'hono';
import { agentsOf, agentsPage } from '../agents-page.js';
import { readForm } from '../body.js';
import type { App, Env } from '../env.js';
import { cleaned } from '../form-text.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { agentName, parseInput } from '../schemas.js';
import type { Sessions } from '../sessions.js';
import { isOwnOrigin, signedIn, type SignedIn } from '../signed-in.js';
import { budgetStatusView } from '../views.js';
import { FOREIGN, redirect, show } from './login.js';

const FORM_LIMIT = 16 * 1024;
const SHOWN_BUDGETS = 500;

export function addAgentsPage(app: App, gateway: Gateway, sessions: Sessions): void {
  const { ledger, log, now } = gateway;

  const render = async (
    c: Context<Env>,
    { key, session }: SignedIn,
    status: 200 | 403 | 422,
    said?: string,
  ): Promise<Response> => {
    const at = now();
    const query = { org: key.org, openOnly: true, now: at, limit: SHOWN_BUDGETS };
    const [found, stops] = await Promise.all([ledger.budgets(query), ledger.stopped(key.org)]);
    const budgets = found.map((budget) => budgetStatusView(budget, at));
    const view = {
      ...{ now: at, keyName: key.name, agents: agentsOf(budgets, stops) },
      organisation: budgets.filter((budget) => budget.key.scope === 'org'),
      isCut: found.length === SHOWN_BUDGETS,
      ...(gateway.admin(key) ? { formToken: session.formToken } : {}),
      ...(said === undefined ? {} : { said }),
    };
    return show(c, status, agentsPage(view));
  };

  app
    .get('/agents', async (c) => {
      const who = await signedIn(gateway, sessions, c);
      return who === undefined ? redirect(c, 'login') : render(c, who, 200);
    })
    .post('/agents', async (c) => {
      const who = await signedIn(gateway, sessions, c);
      if (who === undefined) return redirect(c, 'login');
      if (!isOwnOrigin(sessions, c)) return render(c, who, 403, FOREIGN);
      const form = await readForm(c.env.incoming, FORM_LIMIT);
      if (!sessions.isFormToken(who.session, form.get('token'))) {
        return render(c, who, 403, 'This form belongs to another session: nothing was done.');
      }
      const { key } = who;
      if (!gateway.admin(key)) return render(c, who, 403, 'This key may not stop agents.');
      const word = wordOf(form, key.name);
      if (typeof word === 'string') return render(c, who, 422, word);
      const { act, agent, by, reason } = word;
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
