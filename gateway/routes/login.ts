/** `/login` and `/logout`: from an API key, given once, to a session of some hours (SE-1). */
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { loginPage, SIGNED_IN_HEADERS } from '../agents-page.js';
import { hashApiKey } from '../auth.js';
import { readForm } from '../body.js';
import type { App, Env } from '../env.js';
import type { Gateway } from '../options.js';
import type { Html } from '../page.js';
import type { Sessions } from '../sessions.js';
import { isOwnOrigin } from '../signed-in.js';

const FORM_LIMIT = 4 * 1024;

export function addLoginRoutes(app: App, gateway: Gateway, sessions: Sessions): void {
  const { ledger, log, now } = gateway;
  const { name, isSecure, maxAgeS } = sessions.cookie;
  const cookie = { httpOnly: true, sameSite: 'Strict', path: '/', secure: isSecure } as const;
  app
    .get('/login', (c) => show(c, 200, loginPage()))
    .post('/login', async (c) => {
      if (!isOwnOrigin(sessions, c)) return show(c, 403, loginPage(FOREIGN));
      const form = await readForm(c.env.incoming, FORM_LIMIT);
      const keyHash = hashApiKey((form.get('key') ?? '').trim());
      const key = await ledger.apiKey(keyHash);
      if (key === undefined) return show(c, 401, loginPage('This key is unknown or revoked.'));
      const { token } = sessions.open(keyHash, now());
      setCookie(c, name, token, { ...cookie, maxAge: maxAgeS });
      log.info({ requestId: c.get('requestId'), org: key.org, key: key.name }, 'signed in');
      return redirect(c, 'agents');
    })
    .post('/logout', (c) => {
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
