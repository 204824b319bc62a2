/**
 * `/alerts/{id}`: where the links in messages lead.
 *
 * G-L2. Data are shown to a signed link or an API key, and to nobody else: without one the page
 *       says nothing that its own address does not say.
 * G-L3. A GET changes nothing (link scanners follow links, A9). Only the POST of its form does, and
 *       only with the signature in it.
 */
import type { Context } from 'hono';
import { actOnAlert, ACTS, type Act } from '../act-on-alert.js';
import { alertDetailView, type AlertDetailView, type AlertStateView } from '../alert-state.js';
import { alertPage, expiredPage, noticePage, testPage } from '../alert-page.js';
import type { Authenticate } from '../auth.js';
import { readForm } from '../body.js';
import type { Env } from '../env.js';
import { cleaned } from '../form-text.js';
import { linkExpiresAt, orgOfAlert, TEST_ALERT_ID } from '../links.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { PAGE_HEADERS } from '../page.js';
import { Problem } from '../problem.js';
import { forbidden, mayDo, seesAlert } from '../rights.js';
import { alertForm, idPath, signedQuery } from '../schemas.js';

/** As `domain/ids.ts` builds them: nothing in it means anything to HTML or to a shell. */
const ALERT_ID = /^alert\/[\w%:./~-]{1,249}$/;
const FORM_LIMIT = 16 * 1024;
const DONE: Readonly<Record<Act, string>> = {
  acknowledge: 'Acknowledged. Nothing more is sent about it.',
  resolve: 'Resolved. It is over.',
};

const showPage = {
  ...{ method: 'get', path: '/alerts/:id{.+}', id: 'showAlertPage' },
  summary: "An alert's page, for a browser: a signed link or an API key opens it",
  scopes: 'public',
  params: idPath,
  query: signedQuery,
  answers: {
    200: { description: 'The page', type: 'text/html' },
    410: { description: 'The page without anything: the link has ended', type: 'text/html' },
  },
  problems: [404],
} as const satisfies Operation;

const takeWord = {
  ...{ method: 'post', path: '/alerts/:id{.+}', id: 'takeWordOfAlertPage' },
  summary: 'The form of that page: acknowledge or resolve',
  scopes: 'public',
  params: idPath,
  itself: { body: alertForm, type: 'application/x-www-form-urlencoded' },
  answers: {
    200: { description: 'The page, with what came of it', type: 'text/html' },
    403: { description: 'The page without anything: the link is not signed', type: 'text/html' },
    410: { description: 'The page without anything: the link has ended', type: 'text/html' },
    409: { description: 'The page: the alert is over', type: 'text/html' },
    422: { description: 'The page: the word was not taken', type: 'text/html' },
    503: { description: 'The page: try again', type: 'text/html' },
  },
  problems: [400, 404, 413],
} as const satisfies Operation;

export function addAlertPage(routes: Routes, gateway: Gateway, authenticate: Authenticate): void {
  const { ledger, links, log, now } = gateway;

  /** The organisation whose alert may be shown to who asks; undefined: nobody's. */
  const orgFor = (id: string, signature: string): string | undefined =>
    links?.isSigned(id, signature) === true ? orgOfAlert(id) : undefined;

  const detailOf = async (org: string, id: string): Promise<AlertDetailView | undefined> => {
    const found = await ledger.alert(org, id);
    return found === undefined ? undefined : alertDetailView(found);
  };

  /** Undefined: the page of nobody. `mayAct`: with the form that acknowledges. */
  const readerOf = async (c: Context<Env>, id: string, signature: string) => {
    const bearer = c.req.header('authorization');
    if (bearer === undefined) {
      const org = orgFor(id, signature);
      return org === undefined ? undefined : { org, mayAct: true, key: undefined };
    }
    const key = await authenticate(bearer);
    if (!mayDo(key, ['read'])) throw forbidden('This key has not the scope read.');
    return { org: key.org, mayAct: mayDo(key, ['operate']), key };
  };

  routes.add(showPage, async (c, { params: { id }, query: { t: signature = '' } }) => {
    if (!ALERT_ID.test(id)) return c.notFound();
    const reader = await readerOf(c, id, signature);
    if (reader === undefined) return show(c, 200, noticePage(id));
    const { org, mayAct, key } = reader;
    if (id === TEST_ALERT_ID) return show(c, 200, testPage());
    const detail = await detailOf(org, id);
    if (detail === undefined || (key !== undefined && !seesAlert(key, detail.alert))) {
      return show(c, 200, noticePage(id));
    }
    // Whoever may act anyhow has the form, too.
    const signed = links && mayAct ? { signature: links.sign(id) } : {};
    if (key !== undefined) return show(c, 200, alertPage(detail, signed));
    const expiresAt = linkExpiresAt(detail);
    if (now() >= expiresAt) return show(c, 410, expiredPage(id));
    return show(c, 200, alertPage(detail, { ...signed, expiresAt }));
  });

  routes.add(takeWord, async (c, { params: { id } }) => {
    if (!ALERT_ID.test(id)) return c.notFound();
    const form = await readForm(c.env.incoming, FORM_LIMIT);
    const signature = form.get('t') ?? '';
    const org = orgFor(id, signature);
    const act = ACTS.find((each) => each === form.get('act'));
    if (org === undefined || act === undefined) return show(c, 403, noticePage(id));
    const before = await detailOf(org, id);
    if (before !== undefined && now() >= linkExpiresAt(before)) {
      return show(c, 410, expiredPage(id));
    }
    const actor = actorOf(form);
    const said = await say(act, () => actOnAlert(gateway, { org, id }, act, actor));
    log.info({ alert: id, act, by: actor.by, status: said.status }, 'a word by link');
    const detail = await detailOf(org, id);
    if (detail === undefined) return show(c, 403, noticePage(id));
    // The book is a moment behind the workflow that has just answered.
    const shown = said.alert === undefined ? detail : { ...detail, alert: said.alert };
    const expiresAt = linkExpiresAt(detail);
    return show(c, said.status, alertPage(shown, { signature, expiresAt, said: said.words }));
  });
}

interface Said {
  readonly status: 200 | 403 | 409 | 422 | 503;
  readonly words: string;
  readonly alert?: AlertStateView;
}

async function say(act: Act, perform: () => Promise<AlertStateView>): Promise<Said> {
  try {
    return { status: 200, words: DONE[act], alert: await perform() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { status, detail } = error.init;
    if (status === 404) return { status: 403, words: detail };
    return { status: status === 409 || status === 503 ? status : 422, words: detail };
  }
}

/** A name typed at a link proves nothing, and the journal says where it came from. */
function actorOf(form: URLSearchParams): { by: string; note?: string } {
  const name = cleaned(form.get('by'), 190);
  const note = cleaned(form.get('note'), 500);
  return { by: name === '' ? 'link' : `${name} (link)`, ...(note === '' ? {} : { note }) };
}

function show(
  c: Context<Env>,
  status: Said['status'] | 410,
  page: ReturnType<typeof noticePage>,
): Response | Promise<Response> {
  for (const [name, value] of Object.entries(PAGE_HEADERS)) c.header(name, value);
  return c.html(page, status);
}
