/**
 * Tickets for push. Whoever serves the people's app holds an API key and vouches for who they are;
 * their browsers hold a ticket that lets one socket in, once, and is worth nothing afterwards.
 */
import { randomBytes } from 'node:crypto';
import { pushTicketAnswer } from '../answers.js';
import { hashApiKey } from '../api-key.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway, PushTickets } from '../options.js';
import { Problem } from '../problem.js';
import { knownRecipient } from '../recipient.js';
import { pushQuery, pushTicketBody } from '../schemas.js';

const createPushTicket = {
  ...{ method: 'post', path: '/v1/push/tickets', id: 'createPushTicket' },
  summary: 'A ticket that lets one WebSocket of a person in',
  description: 'Open `GET /v1/push?ticket=…` with it: once, and within a minute.',
  scopes: ['operate'],
  body: pushTicketBody,
  shownOnce: ['ticket', 'path'],
  answers: { 201: { description: 'The ticket, shown this once', schema: pushTicketAnswer } },
  problems: [404],
} as const satisfies Operation;

const openPush = {
  ...{ method: 'get', path: '/v1/push', id: 'openPush' },
  summary: 'The WebSocket of a person: alerts come in, acknowledgements go out',
  description:
    'With a ticket of `POST /v1/push/tickets` instead of an API key. What is said over it is in ' +
    'the guide of push.',
  scopes: 'public',
  query: pushQuery,
  answers: { 204: { description: 'Never: it becomes a WebSocket (101)' } },
  problems: [426],
} as const satisfies Operation;

/** Before keys are asked for: the ticket takes their place. */
export function addPushSocketRoute(routes: Routes): void {
  routes.add(openPush, () => {
    throw new Problem({
      status: 426,
      title: 'Upgrade required',
      detail: 'This is a WebSocket: connect to it with one.',
      headers: { upgrade: 'websocket', connection: 'upgrade' },
    });
  });
}

export function addPushTicketRoute(routes: Routes, gateway: Gateway, push: PushTickets): void {
  routes.add(createPushTicket, async (c, { body: { user_id: recipient } }) => {
    const { org } = c.get('key');
    await knownRecipient(gateway.ledger, { org, id: recipient });
    const ticket = randomBytes(32).toString('base64url');
    const expiresAt = gateway.now() + push.ticketMs;
    await push.ledger.putPushTicket({ hash: hashApiKey(ticket), org, recipient, expiresAt });
    const path = `/v1/push?ticket=${ticket}`;
    return c.json({ ticket, path, expires_at: expiresAt }, 201);
  });
}
