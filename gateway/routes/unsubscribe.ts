/**
 * `/unsubscribe`: where the link in a digest leads.
 *
 * G-U1. A GET changes nothing (link scanners follow links): it shows a button. The POST of that
 *       button, and the one that a mail program makes (RFC 8058), ends the digests at once: no key,
 *       no cookie, no redirect, only the signature in the address.
 * G-U2. What is answered says nothing of whether there is such a person.
 */
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { z } from 'zod';
import { readForm } from '../body.js';
import type { Env } from '../env.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { page, PAGE_HEADERS, type Html } from '../page.js';
import { oneClickForm, unsubscribeQuery } from '../schemas.js';

const FORM_LIMIT = 16 * 1024;

const showUnsubscribe = {
  ...{ method: 'get', path: '/unsubscribe', id: 'showUnsubscribe' },
  summary: 'The page of the link in a digest, for a browser',
  scopes: 'public',
  query: unsubscribeQuery,
  answers: {
    200: { description: 'The page with its button', type: 'text/html' },
    403: { description: 'The page without it: the link is not signed', type: 'text/html' },
  },
} as const satisfies Operation;

const unsubscribe = {
  ...{ method: 'post', path: '/unsubscribe', id: 'unsubscribe' },
  summary: 'One click: no more digests (RFC 8058)',
  scopes: 'public',
  query: unsubscribeQuery,
  itself: { body: oneClickForm, type: 'application/x-www-form-urlencoded' },
  answers: {
    200: { description: 'It is done; twice is once', type: 'text/html' },
    403: { description: 'Nothing was done: the link is not signed', type: 'text/html' },
  },
  problems: [400, 413],
} as const satisfies Operation;

export function addUnsubscribeRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, unsubscribeLinks, now, log } = gateway;
  const isSigned = (query: z.output<typeof unsubscribeQuery>): boolean =>
    unsubscribeLinks?.isSigned(query.org ?? '', query.user ?? '', query.t ?? '') === true;

  routes.add(showUnsubscribe, (c, { query }) =>
    isSigned(query) ? show(c, 200, askPage()) : show(c, 403, strangePage()),
  );

  routes.add(unsubscribe, async (c, { query }) => {
    const form = await readForm(c.env.incoming, FORM_LIMIT);
    const { org = '', user = '' } = query;
    if (!isSigned(query) || form.get('List-Unsubscribe') !== 'One-Click') {
      return show(c, 403, strangePage());
    }
    const by = `${user} (link)`;
    const done = await ledger.unsubscribe({ org, id: user }, { by, now: now() });
    log.info({ requestId: c.get('requestId'), org, changed: done?.changed }, 'unsubscribed');
    return show(c, 200, donePage());
  });
}

function show(c: Context<Env>, status: 200 | 403, shown: Html): Response | Promise<Response> {
  for (const [name, value] of Object.entries(PAGE_HEADERS)) c.header(name, value);
  return c.html(shown, status);
}

function askPage(): Html {
  return page(
    'Kavach: digests',
    html`<h1>Have no more digests?</h1>
      <p>Alerts of low priority are then not told to you at all. Every other alert still is.</p>
      <form method="post">
        <button name="List-Unsubscribe" value="One-Click">Unsubscribe</button>
      </form>`,
  );
}

function donePage(): Html {
  return page(
    'Kavach: digests',
    html`<h1>You will have no more digests</h1>
      <p>Whoever runs Kavach can turn them on again: <code>kavach prefs</code>.</p>`,
  );
}

function strangePage(): Html {
  return page(
    'Kavach: digests',
    html`<h1>This link is not whole</h1>
      <p>Nothing was changed. Open it from the mail again: it ends in <code>t=…</code>.</p>`,
  );
}
