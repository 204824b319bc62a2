/**
 * PagerDuty's V3 webhooks, signed by HMAC-SHA256 over the body, several signatures while a secret
 * is replaced. No header is signed, so a repeat is known by the event's id in the body; no time
 * is, so what happened long ago is refused by when the body says it did.
 */
import { onOneLine } from '../../domain/plain-text.js';
import {
  asId,
  asObject,
  ignored,
  parseObject,
  unreadable,
  type CallbackReader,
  type Reading,
} from './provider.js';
import { isSame } from '../same-text.js';
import { hmac, type ReceivedCallback } from './signature.js';

/** Below the time for which repeats are known (relay/callbacks.ts). */
const TOO_OLD_MS = 7 * 86_400_000;
const WORDS = {
  'incident.acknowledged': 'acknowledged',
  'incident.resolved': 'resolved',
} as const;

export function createPagerdutyReader(secrets: readonly string[]): CallbackReader {
  return {
    provider: 'pagerduty',
    isSigned: ({ header, body }) => {
      const given = (header('x-pagerduty-signature') ?? '').split(',').slice(0, 20);
      const expected = secrets.map((key) => `v1=${hmac('sha256', key, [body]).toString('hex')}`);
      return expected.some((each) => given.some((one) => isSame(one.trim(), each)));
    },
    read,
  };
}

function read({ body, now }: ReceivedCallback): Reading {
  const event = asObject(parseObject(body)?.['event']);
  const type = event?.['event_type'];
  if (event === undefined || typeof type !== 'string') return unreadable;
  const what = Object.hasOwn(WORDS, type) ? WORDS[type as keyof typeof WORDS] : undefined;
  if (what === undefined) return ignored(type);
  const incident = asId(asObject(event['data'])?.['incident_key'], 255);
  // Opened by hand or by somebody else's integration.
  if (incident === undefined) return ignored(`${type} without a key`);
  const eventId = asId(event['id'], 200);
  const occurredAt = Date.parse(String(event['occurred_at']));
  if (eventId === undefined || Number.isNaN(occurredAt)) return unreadable;
  if (now - occurredAt > TOO_OLD_MS) return ignored(`${type} of long ago`);
  const by = personOf(event['agent']);
  if (by === undefined) return ignored(`${type} by no person`);
  return { type: 'word', eventId, word: { what, incident, by, occurredAt } };
}

/**
 * Undefined where a service or an integration did it by itself: mostly that is the echo of what
 * Kavach has told PagerDuty, and the word of one alert must not be said for all others.
 */
function personOf(agent: unknown): string | undefined {
  const { type, summary } = asObject(agent) ?? {};
  if (typeof type === 'string' && !type.startsWith('user')) return undefined;
  const shown = onOneLine(typeof summary === 'string' ? summary : '')
    .slice(0, 180)
    .toWellFormed();
  return shown === '' ? 'PagerDuty' : `${shown} (PagerDuty)`;
}
