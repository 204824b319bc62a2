/**
 * POST /callbacks/{provider}: what providers say later of what they took.
 *
 * CB-A. Nothing of a body is looked at before its signature is right; a wrong one is told nothing.
 * CB-B. A word is answered with 2xx once it is stored, and not before: a ledger that is away is a
 *       503, and the provider says it again. Carrying it out is the relay's (relay/callbacks.ts).
 */
import { readBytes } from '../body.js';
import type { CallbackReader } from '../callbacks/provider.js';
import type { ReceivedCallback } from '../callbacks/signature.js';
import { withDeadline } from '../deadline.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';

/** Theirs are a few KB. */
const LIMIT_BYTES = 256 * 1024;
/** PagerDuty waits for 5 s. */
const STORE_MS = 3_000;

/** A provider without a secret here has no route: there is nothing to believe it by. */
export function addCallbackRoutes(routes: Routes, gateway: Gateway): void {
  for (const reader of gateway.callbacks) addRoute(routes, gateway, reader);
}

const takeCallback = (provider: string) =>
  ({
    ...{
      method: 'post',
      path: `/callbacks/${provider}`,
      id: `takeCallbackOf${provider[0]?.toUpperCase() ?? ''}${provider.slice(1)}`,
    },
    summary: `What ${provider} says later of a message it took`,
    description: 'Signed by the provider; nothing else is believed.',
    scopes: 'public',
    itself: {},
    answers: { 204: { description: 'It is kept' } },
    problems: [400, 413, 503],
  }) as const satisfies Operation;

function addRoute(routes: Routes, { ledger, log, now }: Gateway, reader: CallbackReader): void {
  const { provider } = reader;
  routes.add(takeCallback(provider), async (c) => {
    const body = await readBytes(c.env.incoming, LIMIT_BYTES);
    const received: ReceivedCallback = {
      header: (name) => c.req.header(name) || undefined,
      body,
      search: new URL(c.req.url).search,
      now: now(),
    };
    const requestId = c.get('requestId');
    if (!reader.isSigned(received)) {
      log.warn({ requestId, provider }, 'a callback whose signature is wrong was refused');
      throw refused();
    }
    const reading = reader.read(received);
    if (reading.type === 'unreadable') {
      log.warn({ requestId, provider }, 'a callback could not be read');
      throw unreadable();
    }
    if (reading.type === 'ignored') {
      log.info({ requestId, provider, ignored: reading.why }, 'callback');
      return c.body(null, 204);
    }
    const { eventId, word } = reading;
    const putting = ledger.putCallback({ provider, eventId, word }, now());
    const put = await withDeadline(putting, STORE_MS, 'The ledger');
    log.info({ requestId, provider, what: word.what, put }, 'callback');
    return c.body(null, 204);
  });
}

function refused(): Problem {
  return new Problem({ status: 401, title: 'Unauthorized', detail: 'Not taken.' });
}

function unreadable(): Problem {
  return new Problem({ status: 400, title: 'Unreadable body', detail: 'Not taken.' });
}
