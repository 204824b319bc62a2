/**
 * What a person's browser or app is sent: one JSON frame. No request leaves from here: the ledger
 * knows who is connected, and the gateways send (ledger/push.ts).
 */
import type { AlertFacts } from '../domain/alert/facts.js';
import type { AlertView, RenderedMessage } from './channel.js';
import { describeAlert, type AlertText } from './alert-title.js';

/**
 * A frame is held in the memory of every gateway that sends it. An agent's own words are bounded
 * where they are taken (10,000 characters and 8 KB), and come whole.
 */
const BODY_LIMIT = 4_000;

/** `id` is what the client acknowledges: the same on every attempt of one delivery. */
export function renderPush(view: AlertView, id: string): RenderedMessage {
  const { facts, words } = view;
  const text = describeAlert(view);
  const body = JSON.stringify({
    ...{ type: 'notification', id, title: text.title },
    ...(words === undefined
      ? { body: bodyOf(text) }
      : { body: words.body, metadata: words.metadata ?? {} }),
    ...{ priority: facts.priority, severity: facts.severity, agent_id: agentOf(facts) },
    ...{ kind: facts.kind ?? 'threshold', state: view.state, timestamp: timeOf(facts) },
    ...{ alert_id: view.alertId, dashboard_url: text.link },
  });
  return { body, contentType: 'application/json' };
}

function bodyOf({ lines, notes }: AlertText): string {
  const facts = lines.map(({ label, value }) => `${label}: ${value}`);
  const text = [...facts, ...notes].join('\n');
  const points = Array.from(text);
  return points.length <= BODY_LIMIT ? text : `${points.slice(0, BODY_LIMIT - 1).join('')}…`;
}

/** As it is called everywhere else; what is longer than a name may be is cut. */
function agentOf({ agentName }: AlertFacts): string {
  return agentName.slice(0, 200).toWellFormed();
}

function timeOf({ at }: AlertFacts): string {
  return new Date(at).toISOString();
}
