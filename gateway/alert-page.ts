/**
 * The page of an alert: plain HTML that needs no script and loads nothing (its policy allows one
 * style sheet, by its hash). Everything that came from outside is escaped by the template.
 */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { formatUtcMinute } from '../domain/civil.js';
import { templateVariables } from '../domain/template.js';
import type { Act } from './act-on-alert.js';
import { LINK_DAYS } from './links.js';
import type { AlertDetailView, DeliveryView } from './alert-state.js';
import {
  alertSentence,
  deliveryInWords,
  entryInWords,
  phaseInWords,
  receiptInWords,
} from './alert-words.js';

/** As the template makes it: what is put into another one is not escaped again. */
type Html = ReturnType<typeof html>;

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;color:#1c2430;background:#fff}
h1{font-size:1.25rem;line-height:1.3}h2{font-size:1rem;margin:1.75rem 0 .5rem}
.state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;background:#e6e9ef;font-weight:600}
.critical,.error{background:#fbdcdc}.warning{background:#fdefcf}.resolved{background:#d9f0df}
.word{border-left:4px solid #6b7a90;background:#f1f3f7;padding:.5rem .75rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}dt{color:#5c6675}dd{margin:0}
ul{padding:0;margin:0;list-style:none}li{padding:.4rem 0;border-top:1px solid #e6e9ef;overflow-wrap:anywhere}
.quiet{color:#5c6675;font-size:.875rem}code,pre{white-space:pre-wrap;overflow-wrap:anywhere}pre{background:#f1f3f7;padding:.75rem}
label{display:block;margin:.5rem 0}input{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.4rem}
button{font:inherit;font-weight:600;padding:.6rem 1.1rem;margin:.5rem .5rem 0 0;border:0;border-radius:.4rem;background:#1f4fa3;color:#fff}
button.second{background:#5c6675}`;

/** Strict: no script, no image, no frame; forms only to where the page came from. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
  // The signature in the address is told to nobody else.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
};

function page(title: string, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        ${content}
      </body>
    </html> `;
}

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
  const variables = templateVariables(facts, '');
  const tone = phase === 'resolved' ? 'resolved' : facts.severity;
  const killed = facts.kills === true && phase !== 'resolved';
  return page(
    `${facts.agentName}: ${phase}`,
    html`<p><span class="state ${tone}">${phase}</span> ${facts.severity}, ${code}</p>
      <h1>${alertSentence(alert)}</h1>
      ${options.said === undefined ? '' : html`<p class="word">${options.said}</p>`}
      <p>${phaseInWords(alert)}.</p>
      ${killed ? html`<p>Killed by this budget: calls are refused until its period ends.</p>` : ''}
      ${exhausted ? html`<p>Nobody was reached by the message itself.</p>` : ''}
      <dl>
        ${amount('Spent', `${variables['spent_fmt'] ?? ''} (${variables['pct'] ?? ''}%)`)}
        ${amount('Budget', variables['budget_fmt'])}
        ${amount('Remaining', variables['remaining_fmt'])}
        ${amount('Resets', variables['resets_at'])}
      </dl>
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

function amount(name: string, value: string | undefined): Html {
  return html`<dt>${name}</dt>
    <dd>${value ?? ''}</dd>`;
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
