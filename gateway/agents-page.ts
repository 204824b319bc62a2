/** `/agents` and `/login`: plain HTML; what came from outside is escaped by the template. */
import { html } from 'hono/html';
import { formatAmount } from '../domain/amount.js';
import { formatUtcMinute } from '../domain/civil.js';
import { pctUsed } from '../domain/ratio.js';
import type { Dimension } from '../domain/words.js';
import type { Stop } from '../ledger/ledger.js';
import { page, PAGE_HEADERS, type Html } from './page.js';
import type { BudgetStatusView, LimitStatus } from './views.js';

/** Browsers state the origin of a form only where its page lets them. */
export const SIGNED_IN_HEADERS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  'referrer-policy': 'same-origin',
};

export interface AgentState {
  readonly name: string;
  readonly stop?: Stop;
  readonly budgets: readonly BudgetStatusView[];
}

export interface AgentsView {
  readonly now: number;
  readonly keyName: string;
  /** Absent: this key may look and not act. */
  readonly formToken?: string;
  readonly agents: readonly AgentState[];
  /** Those in which all agents pool. */
  readonly organisation: readonly BudgetStatusView[];
  /** There are more budgets than are shown. */
  readonly isCut: boolean;
  /** What came of a word that was just said. */
  readonly said?: string;
}

/** Every agent that has a budget or is stopped, by name. */
export function agentsOf(
  budgets: readonly BudgetStatusView[],
  stops: readonly Stop[],
): readonly AgentState[] {
  const names = new Set(stops.map(({ agent }) => agent));
  for (const { key } of budgets) if (key.scope !== 'org') names.add(nameOf(key.scope));
  return [...names].sort().map((name) => {
    const stop = stops.find(({ agent }) => agent === name);
    return {
      name,
      ...(stop === undefined ? {} : { stop }),
      budgets: budgets.filter(({ key }) => key.scope !== 'org' && nameOf(key.scope) === name),
    };
  });
}

const nameOf = (scope: string): string => scope.slice('agent:'.length);

export function loginPage(said?: string): Html {
  return page(
    'Kavach: sign in',
    html`<h1>Sign in to Kavach</h1>
      ${said === undefined ? '' : html`<p class="word">${said}</p>`}
      <form method="post">
        <label>
          API key
          <input name="key" type="password" autocomplete="current-password" required />
        </label>
        <button>Sign in</button>
      </form>
      <p class="quiet">
        For eight hours, in this browser. The key of the first start is in the file
        <code>api-key</code> of the data folder.
      </p>`,
  );
}

export function agentsPage(view: AgentsView): Html {
  const { agents, organisation, now, formToken } = view;
  return page(
    'Kavach: agents',
    html`<nav>
        <h1>Agents</h1>
        <form method="post" action="logout"><button class="second">Sign out</button></form>
      </nav>
      <p class="quiet">As of ${formatUtcMinute(now)}. Signed in with the key ${view.keyName}.</p>
      ${view.said === undefined ? '' : html`<p class="word">${view.said}</p>`}
      ${agents.length === 0 ? html`<p>No agent has a budget yet.</p>` : ''}
      ${agents.map((agent) => agentSection(agent, formToken, now))}
      ${
        organisation.length === 0
          ? ''
          : html`<h2>All agents together</h2>
              <ul>
                ${organisation.map((budget) => budgetItem(budget, now))}
              </ul>`
      }
      ${view.isCut ? html`<p>There are more budgets than are shown here: <code>kavach status</code>.</p>` : ''}
      ${formToken === undefined ? html`<p class="quiet">This key may not stop agents.</p>` : otherForm(formToken)}`,
  );
}

function agentSection(
  { name, stop, budgets }: AgentState,
  formToken: string | undefined,
  now: number,
): Html {
  const isKilled = budgets.some((budget) => isHeld(budget, now));
  const state = stop !== undefined ? 'stopped' : isKilled ? 'killed' : undefined;
  return html`<h2>
      ${name} ${state === undefined ? '' : html`<span class="state critical">${state}</span>`}
    </h2>
    ${
      stop === undefined
        ? ''
        : html`<p>Stopped by ${stop.by} at ${formatUtcMinute(stop.at)}: ${stop.reason}</p>`
    }
    <ul>
      ${budgets.map((budget) => budgetItem(budget, now))}
    </ul>
    ${formToken === undefined ? '' : actForm(name, stop === undefined ? 'stop' : 'resume', formToken)}`;
}

function isHeld({ killed, blocked, window }: BudgetStatusView, now: number): boolean {
  return (killed !== undefined || blocked) && (window.endsAt === undefined || now < window.endsAt);
}

const NAMES: Readonly<Record<Dimension, string>> = {
  cost: 'cost',
  tokens_total: 'tokens',
  calls: 'calls',
  duration: 'time',
};

function budgetItem(budget: BudgetStatusView, now: number): Html {
  const { key, window, status } = budget;
  const cadence = key.cadence === 'run' ? `run ${key.period}` : key.cadence;
  const resets =
    window.endsAt === undefined ? 'does not reset' : `resets ${formatUtcMinute(window.endsAt)}`;
  const limits =
    status.length === 0 ? html`<div>no limit</div>` : status.map((limit) => limitLine(limit));
  return html`<li>
    <strong>${cadence}</strong> <span class="quiet">${resets}</span> ${limits}
    ${isHeld(budget, now) ? html`<div>${heldSentence(budget)}</div>` : ''}
  </li>`;
}

function limitLine({ dimension, spent, limit }: LimitStatus): Html {
  const pct = pctUsed(spent, limit);
  return html`<div>
    <meter min="0" max="100" value="${String(Math.min(pct, 100))}"></meter>
    ${NAMES[dimension]}: ${formatAmount(dimension, spent)} of ${formatAmount(dimension, limit)}
    (${String(pct)}%)
  </div>`;
}

/** By what, when, why, and until when. */
function heldSentence({ killed, key }: BudgetStatusView): string {
  if (killed === undefined) return 'At its limit: calls are refused until it resets or is raised.';
  const { at, bps, dimension, limit, agents } = killed;
  const whom = agents === undefined ? '' : ` Holds for ${agents.join(', ')}.`;
  return (
    `Killed by this ${key.cadence} budget at ${formatUtcMinute(at)}: it passed ` +
    `${String(bps / 100)}% of ${formatAmount(dimension, limit)}.${whom}`
  );
}

function hidden(formToken: string): Html {
  return html`<input type="hidden" name="token" value="${formToken}" />`;
}

/** Without an action it goes to its own address, wherever a proxy has put that. */
function actForm(agent: string, act: 'stop' | 'resume', formToken: string): Html {
  const isStop = act === 'stop';
  return html`<details>
    <summary>${isStop ? 'Stop' : 'Resume'}</summary>
    <form method="post">
      ${hidden(formToken)}
      <input type="hidden" name="agent" value="${agent}" />
      ${who(isStop)}
      <button class="${isStop ? 'stop' : 'first'}" name="act" value="${act}">
        ${isStop ? 'Stop' : 'Resume'} ${agent}
      </button>
    </form>
  </details>`;
}

/** One that is not listed: it has no budget, or has not been heard of yet. */
function otherForm(formToken: string): Html {
  return html`<h2>Another agent</h2>
    <details>
      <summary>Stop</summary>
      <form method="post">
        ${hidden(formToken)}
        <label>Its name <input name="agent" maxlength="200" autocomplete="off" required /></label>
        ${who(true)}
        <button class="stop" name="act" value="stop">Stop it</button>
      </form>
    </details>`;
}

function who(isReasonNeeded: boolean): Html {
  return html`<label>
      Why ${isReasonNeeded ? '' : '(if you like)'}
      <input name="reason" maxlength="500" autocomplete="off" ${isReasonNeeded ? 'required' : ''} />
    </label>
    <label>Your name <input name="by" maxlength="200" autocomplete="name" /></label>`;
}
