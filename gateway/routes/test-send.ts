/** POST /v1/test-send: one marked message through a channel, and what came of it. */
import { reasonInWords } from '../alert-words.js';
import { testSendAnswer } from '../answers.js';
import type { z } from 'zod';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { testSendBody, unprocessable } from '../schemas.js';
import { expectedForm } from '../target.js';
import type { TestSendAnswer, TestSendRequest } from '../test-send.js';

const sendTest = {
  ...{ method: 'post', path: '/v1/test-send', id: 'sendTest' },
  summary: 'Send one marked test message, and say what came of it',
  description:
    'To a `target`, to a `destination` by its reference, or to the default one of the channel.',
  scopes: ['admin'],
  body: testSendBody,
  answers: { 200: { description: 'What the provider said', schema: testSendAnswer } },
} as const satisfies Operation;

/** For admin keys: an address of one's own makes our senders write to anybody. */
export function addTestSendRoute(routes: Routes, gateway: Gateway): void {
  const { log, testSend } = gateway;
  routes.add(sendTest, async (c, { body }) => {
    const { org } = c.get('key');
    const request = { org, ...readRequest(body) };
    if (testSend === undefined) throw cannotSend('This gateway has no channels.');
    const answer = await testSend(request);
    const { channel } = request;
    const outcome = outcomeOf(channel, answer);
    log.info({ requestId: c.get('requestId'), channel, outcome: outcome.kind }, 'test message');
    return c.json({ channel, outcome });
  });
}

function readRequest(body: z.infer<typeof testSendBody>): Omit<TestSendRequest, 'org'> {
  const { channel, target, secret, destination } = body;
  if (destination !== undefined) {
    if (target === undefined) return { channel, to: { reference: destination } };
    throw unprocessable('target', 'stands beside `destination`: give one of them');
  }
  if (target === undefined) {
    if (secret === undefined) return { channel };
    throw unprocessable('target', 'is missing: a `secret` belongs to a target');
  }
  const address = target.trim();
  const expected = expectedForm(channel, address);
  if (address === '' || expected !== undefined) {
    throw unprocessable('target', `expected ${expected ?? 'an address'}`);
  }
  return { channel, to: { address, ...(secret === undefined ? {} : { secrets: [secret] }) } };
}

function outcomeOf(channel: string, answer: TestSendAnswer) {
  switch (answer.type) {
    case 'sent': {
      const { kind, reason } = answer.outcome;
      return { kind, reason };
    }
    case 'suppressed':
      throw cannotSend(
        `Not sent: ${reasonInWords(answer.reason)}. Give a target, set the default one, or restore ` +
          'it: `kavach destinations` shows them all.',
      );
    case 'unsupported_channel':
      throw cannotSend(
        `This Kavach does not send ${channel}: its credentials are missing in the environment of ` +
          'the service, or this version has no such channel.',
      );
  }
}

function cannotSend(detail: string): Problem {
  return new Problem({ status: 422, title: 'Cannot be sent', detail });
}
