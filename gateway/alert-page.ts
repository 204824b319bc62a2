/** The page of an alert. Everything that came from outside is escaped by the template. */
import { html, raw } from 'hono/html';
import { formatUtcMinute } from '../domain/civil.js';
import { renderTemplate, templateVariables } from '../domain/template.js';
import type { Act } from './act-on-alert.js';
import type { SentNoticeView } from '../ledger/ledger.js';
import { isWorded, type AlertFacts, type NoticeLine } from '../domain/alert/facts.js';
import { LINK_DAYS } from './links.js';
import { page, type Html } from './page.js';
import type { AlertDetailView, DeliveryView } from './alert-state.js';
import {
  alertSentence,
  deliveryInWords,
  entryInWords,
  phaseInWords,
  receiptInWords,
  repeatsInWords,
} from './alert-words.js';

/** What anybody may see: nothing that the address does not say itself. */
export function noticePage(id: string): Html {
  return page(
    'Kavach: alert',
    html`<h1>An alert of Kavach</h1>
      <p>Every decision about it and every attempt to tell someone, each with its reason:</p>
      <pre>kavach alert ${raw("'")}${id}${raw("'")}</pre>
      <p>or, with an API key, <code>GET /v1/alerts/${encodeURIComponent(id)}</code>.</p>
      <p class="quiet">The link in the message shows it here: it ends in <code>?t=…</code>.</p>`,
  );
}

/** G-L4. */
export function expiredPage(id: string): Html {
  return page(
    'Kavach: alert',
    html`<h1>This link has expired</h1>
      <p>
        It worked for ${String(LINK_DAYS)} days after the last thing that happened to its alert.
        With an API key the alert is still there:
      </p>
      <pre>kavach alert ${raw("'")}${id}${raw("'")}</pre>`,
  );
}

export function testPage(): Html {
  return page(
    'Kavach: test',
    html`<h1>This was a test message</h1>
      <p>Nothing is wrong. It arrived, and its link works.</p>`,
  );
}

export interface AlertPageOptions {
  /** Of the form; absent: the page only shows. */
  readonly signature?: string;
  /** When the link that led here ends, epoch ms; absent: it was no link. */
  readonly expiresAt?: number;
  /** What came of a word that was just said. */
  readonly said?: string;
}

export function alertPage(detail: AlertDetailView, options: AlertPageOptions): Html {
  const { alert, deliveries, journal } = detail;
  const { facts, phase, exhausted, code } = alert;
  const tone = phase === 'resolved' ? 'resolved' : facts.severity;
  const killed = !isWorded(facts) && facts.kills === true && phase !== 'resolved';
  return page(
    `${facts.agentName}: ${phase}`,
    html`<p><span class="state ${tone}">${phase}</span> ${facts.severity}, ${code}</p>
      <h1>${detail.notice?.title ?? alertSentence(alert)}</h1>
      ${options.said === undefined ? '' : html`<p class="word">${options.said}</p>`}
      <p>${phaseInWords(alert)}.</p>
      ${killed ? html`<p>Killed by this budget: calls are refused until its period ends.</p>` : ''}
      ${exhausted ? html`<p>Nobody was reached by the message itself.</p>` : ''}
      ${detail.notice === undefined ? '' : noticePart(detail.notice)}
      <dl>${linesOf(facts).map(({ label, value }) => factLine(label, value))}</dl>
      ${options.signature === undefined ? '' : form(phase, options.signature)}
      <h2>Who was told</h2>
      <ul>
        ${deliveries.length === 0 ? html`<li>Nobody yet.</li>` : deliveries.map(deliveryItem)}
      </ul>
      <h2>Journal</h2>
      <ul>
        ${journal.map(
          (entry) =>
            html`<li>
              <span class="quiet">${formatUtcMinute(entry.at)}</span> ${entryInWords(entry)}
            </li>`,
        )}
      </ul>
      ${
        options.expiresAt === undefined
          ? ''
          : html`<p class="quiet">
              Whoever has this link sees this page and may act until
              ${formatUtcMinute(options.expiresAt)}.
            </p>`
      }
      <p class="quiet">${alert.id}</p>`,
  );
}

function linesOf(facts: AlertFacts): readonly NoticeLine[] {
  if (isWorded(facts)) return facts.lines;
  const variables = templateVariables(facts, '');
  const line = (label: string, template: string): NoticeLine => ({
    label,
    value: renderTemplate(template, variables, (value) => value),
  });
  return [
    line('Spent', '{spent_fmt} ({pct}%)'),
    line('Budget', '{budget_fmt}'),
    line('Remaining', '{remaining_fmt}'),
    line('Resets', '{resets_at}'),
  ];
}

/** What an agent said: its lines stay, and nothing of it is markup. */
function noticePart({ body = '', metadata = {}, repeats }: SentNoticeView): Html {
  const lines = Object.entries(metadata).map(([label, value]) =>
    factLine(label, typeof value === 'string' ? value : JSON.stringify(value)),
  );
  return html`${body === '' ? '' : html`<pre>${body}</pre>`}
    ${repeats === 0 ? '' : html`<p>${repeatsInWords(repeats)}</p>`}
    <dl>${lines}</dl>`;
}

function factLine(label: string, value: string): Html {
  return html`<dt>${label}</dt>
    <dd>${value}</dd>`;
}

function deliveryItem(delivery: DeliveryView): Html {
  return html`<li>
    <strong>${delivery.channel}</strong> ${deliveryInWords(delivery)}
    ${delivery.attempts.map(
      ({ attempt, startedAt, outcome, receipt }) =>
        html`<div class="quiet">
          Attempt ${String(attempt)}, ${formatUtcMinute(startedAt)}:
          ${
            outcome === undefined
              ? 'no word of its end; it may have arrived'
              : `${outcome.kind} (${outcome.reason})`
          }${receipt === undefined ? '' : `; ${receiptInWords({ receipt })}`}
        </div>`,
    )}
  </li>`;
}

/** Without an action it goes to its own address, wherever a proxy has put that. */
function form(phase: AlertDetailView['alert']['phase'], signature: string): Html {
  if (phase === 'resolved') return html``;
  const acknowledge = phase === 'firing' ? button('acknowledge', 'Acknowledge', 'first') : html``;
  return html`<h2>Your word</h2>
    <form method="post">
      <input type="hidden" name="t" value="${signature}" />
      <label>Your name <input name="by" maxlength="200" autocomplete="name" /></label>
      <label>A note <input name="note" maxlength="500" autocomplete="off" /></label>
      ${acknowledge} ${button('resolve', 'Resolve', 'second')}
    </form>
    <p class="quiet">Acknowledge: nothing more is sent about it. Resolve: it is over.</p>`;
}

function button(act: Act, label: string, look: string): Html {
  return html`<button class="${look}" name="act" value="${act}">${label}</button>`;
}
