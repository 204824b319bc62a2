/** How a recipient is reached, over HTTP: an address counts once its code was read there. */
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import {
  changedRecipientAnswer,
  codeAnswer,
  codeBody,
  contactAnswer,
  contactBody,
  contactPath,
  removedAnswer,
  saidBody,
} from '../people-schemas.js';
import { knownRecipient, unknownRecipient } from '../recipient.js';
import { unprocessable } from '../schemas.js';
import type { SendCodeAnswer } from '../send-code.js';
import { expectedForm } from '../target.js';

const putContact = {
  ...{ method: 'put', path: '/v1/recipients/:id/contacts/:channel', id: 'putContact' },
  summary: 'Say where a recipient is reached on a channel; a code is sent there',
  description: 'Nothing else is sent there until the code was given to `verify`.',
  scopes: ['operate'],
  params: contactPath,
  body: contactBody,
  answers: { 200: { description: 'As it is now', schema: contactAnswer } },
  problems: [404],
} as const satisfies Operation;

const removeContact = {
  ...{ method: 'delete', path: '/v1/recipients/:id/contacts/:channel', id: 'removeContact' },
  summary: 'Forget an address of a recipient',
  scopes: ['operate'],
  params: contactPath,
  body: saidBody,
  answers: { 200: { description: 'It is gone', schema: removedAnswer } },
} as const satisfies Operation;

const sendContactCode = {
  ...{ method: 'post', path: '/v1/recipients/:id/contacts/:channel/code', id: 'sendContactCode' },
  summary: 'Send another code; the one before is void',
  scopes: ['operate'],
  params: contactPath,
  body: saidBody,
  answers: { 200: { description: 'What the provider said', schema: codeAnswer } },
  problems: [404, 409, 429],
} as const satisfies Operation;

const verifyContact = {
  ...{ method: 'post', path: '/v1/recipients/:id/contacts/:channel/verify', id: 'verifyContact' },
  summary: 'Give the code that was read at the address: from now on alerts go there',
  scopes: ['operate'],
  params: contactPath,
  body: codeBody,
  answers: { 200: { description: 'It is verified', schema: changedRecipientAnswer } },
  problems: [404, 409],
} as const satisfies Operation;

export function addContactRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, now, sendCode, refuseTarget } = gateway;

  routes.add(putContact, async (c, { params: { id, channel }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    const address = readAddress(channel, body.address);
    const refusal = refuseTarget(channel, address);
    if (refusal !== undefined) throw unprocessable('address', refusal);
    const contact = { org, id, channel };
    const answer = await ledger.putContact({ ...contact, address }, { by, now: now() });
    if (answer === undefined) throw unknownRecipient(id);
    const { changed } = answer;
    const sent = changed ? await sendCode?.(contact) : undefined;
    const requestId = c.get('requestId');
    log.info({ requestId, channel, changed, code: sent?.type ?? 'none' }, 'a contact was put');
    const code = changed ? { code: codeView(channel, sent) } : {};
    return c.json({ changed, recipient: await knownRecipient(ledger, { org, id }), ...code });
  });

  routes.add(removeContact, async (c, { params: { id, channel }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    const { changed } = await ledger.removeContact({ org, id, channel }, { by, now: now() });
    return c.json({ changed });
  });

  routes.add(sendContactCode, async (c, { params: { id, channel } }) => {
    const { org } = c.get('key');
    await knownRecipient(ledger, { org, id });
    const sent = await sendCode?.({ org, id, channel });
    if (sent?.type === 'unknown') throw unknownContact(channel);
    if (sent?.type === 'already_verified') {
      throw notNow('It is verified already: alerts go there.', 'already_verified');
    }
    if (sent?.type === 'too_many') throw tooManyCodes(sent.nextAt, now());
    return c.json({ code: codeView(channel, sent) });
  });

  routes.add(verifyContact, async (c, { params: { id, channel }, body }) => {
    const { org, name } = c.get('key');
    const { by = name, code } = body;
    const author = { by, now: now() };
    const answer = await ledger.verifyContact({ org, id, channel }, code, author);
    switch (answer.type) {
      case 'unknown':
        await knownRecipient(ledger, { org, id });
        throw unknownContact(channel);
      case 'no_code':
        throw notNow(
          'No code is open: its time is over, or its tries are used up. Send another one with ' +
            `POST /v1/recipients/{id}/contacts/${channel}/code.`,
          'no_code',
        );
      case 'wrong':
        throw unprocessable(
          'code',
          `is not the one that was sent last; ${String(answer.triesLeft)} tries are left`,
        );
      case 'verified': {
        const { changed } = answer;
        log.info({ requestId: c.get('requestId'), channel, changed }, 'a contact was verified');
        return c.json({ changed, recipient: await knownRecipient(ledger, { org, id }) });
      }
    }
  });
}

/** The address as it is stored; throws a `Problem` (422) that does not repeat it. */
function readAddress(channel: 'email' | 'sms', given: string): string {
  const address = channel === 'sms' ? given.replace(/[ ().-]/g, '') : given.trim();
  const expected =
    channel === 'email'
      ? expectedForm('email', address)
      : /^\+[1-9]\d{6,14}$/.test(address)
        ? undefined
        : 'a number with its country, as +15551234567';
  if (expected !== undefined) throw unprocessable('address', `expected ${expected}`);
  return address;
}

function codeView(channel: string, sent: SendCodeAnswer | undefined) {
  switch (sent?.type) {
    case 'sent':
      return { ...sent.outcome, until: sent.until };
    case 'too_many':
      return { kind: 'not_sent', reason: tooMany(sent.nextAt) };
    case 'already_verified':
    case 'unknown':
      return { kind: 'not_sent', reason: 'it was changed meanwhile' };
    case 'unsupported_channel':
    case undefined:
      return {
        kind: 'not_sent',
        reason: `this gateway does not send ${channel}: its credentials are missing in its environment`,
      };
  }
}

const tooMany = (nextAt: number): string =>
  'five codes were sent today to this address or for this contact, which is all: the next one ' +
  `from ${new Date(nextAt).toISOString()}`;

function tooManyCodes(nextAt: number, now: number): Problem {
  return new Problem({
    ...{ status: 429, title: 'Too many codes', detail: tooMany(nextAt) },
    headers: { 'retry-after': String(Math.max(1, Math.ceil((nextAt - now) / 1_000))) },
    more: { code: 'too_many' },
  });
}

function unknownContact(channel: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown contact',
    detail: `This recipient has no ${channel} address: PUT /v1/recipients/{id}/contacts/${channel} sets one.`,
  });
}

function notNow(detail: string, code: string): Problem {
  return new Problem({ status: 409, title: 'Not now', detail, more: { code } });
}
