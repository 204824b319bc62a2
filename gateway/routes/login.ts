/** `/login` and `/logout`: from an API key, given once, to a session of some hours (SE-1). */
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { loginPage, SIGNED_IN_HEADERS } from '../agents-page.js';
import { hashApiKey } from '../auth.js';
import { readForm } from '../body.js';
import type { Env } from '../env.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import type { Html } from '../page.js';
import type { Sessions } from '../sessions.js';
import { isOwnOrigin } from '../signed-in.js';

const FORM_LIMIT = 4 * 1024;

const FORM = 'application/x-www-form-urlencoded';
const html = (description: string) => ({ description, type: 'text/html' });

const showLogin = {
  ...{ method: 'get', path: '/login', id: 'showLogin' },
  summary: 'Where people sign in, for a browser',
  scopes: 'public',
  answers: { 200: html('The page') },
} as const satisfies Operation;

const signIn = {
  ...{ method: 'post', path: '/login', id: 'signIn' },
  summary: 'The form of that page: an API key becomes a session of some hours',
  scopes: 'public',
  itself: { type: FORM },
  answers: {
    303: { description: 'Signed in: to /agents' },
    401: html('The page: this key is unknown'),
    403: html('The page: the form came from elsewhere'),
  },
  problems: [400, 413],
} as const satisfies Operation;

const signOut = {
  ...{ method: 'post', path: '/logout', id: 'signOut' },
  summary: 'The form that ends a session',
  scopes: 'public',
  itself: { type: FORM },
  answers: {
    303: { description: 'To /login' },
    403: html('The page: the form came from elsewhere'),
  },
} as const satisfies Operation;

export function addLoginRoutes(routes: Routes, gateway: Gateway, sessions: Sessions): void {
  const { ledger, log, now } = gateway;
  const { name, isSecure, maxAgeS } = sessions.cookie;
  const cookie = { httpOnly: true, sameSite: 'Strict', path: '/', secure: isSecure } as const;

  routes.add(showLogin, (c) => show(c, 200, loginPage()));

  routes.add(signIn, async (c) => {
    if (!isOwnOrigin(sessions, c)) return show(c, 403, loginPage(FOREIGN));
    const form = await readForm(c.env.incoming, FORM_LIMIT);
    const keyHash = hashApiKey((form.get('key') ?? '').trim());
    const key = await ledger.apiKey(keyHash);
    if (key === undefined) return show(c, 401, loginPage('This key is unknown or revoked.'));
    const { token } = sessions.open(keyHash, now());
    setCookie(c, name, token, { ...cookie, maxAge: maxAgeS });
    log.info({ requestId: c.get('requestId'), org: key.org, key: key.name }, 'signed in');
    return redirect(c, 'agents');
  });

  routes.add(signOut, (c) => {
    if (!isOwnOrigin(sessions, c)) return show(c, 403, loginPage(FOREIGN));
    deleteCookie(c, name, cookie);
    return redirect(c, 'login');
  });
}

export const FOREIGN = 'This did not come from a page of Kavach: nothing was done.';

/** Relative, so that it holds behind a proxy, too; with GET, whatever came before. */
export function redirect(c: Context<Env>, to: 'agents' | 'login'): Response {
  for (const [name, value] of Object.entries(SIGNED_IN_HEADERS)) c.header(name, value);
  return c.body(null, 303, { location: to });
}

export function show(
  c: Context<Env>,
  status: 200 | 401 | 403 | 422,
  page: Html,
): Response | Promise<Response> {
  for (const [name, value] of Object.entries(SIGNED_IN_HEADERS)) c.header(name, value);
  return c.html(page, status);
}
