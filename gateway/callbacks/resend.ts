/**
 * Resend's webhooks, signed as Svix does: HMAC-SHA256 over `id.timestamp.body` in base64.
 * The id is signed with the rest and the same on every repeat; a stamp that is more than five
 * minutes away is refused, so nothing can be replayed later. The order of events is not promised.
 */
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

const TOLERANCE_MS = 300_000;
const PREFIX = 'whsec_';

/** `secrets` as Resend shows them, `whsec_<base64>`; several while one is being replaced. */
export function createResendReader(secrets: readonly string[]): CallbackReader {
  const keys = secrets.map((secret) => Buffer.from(secret.slice(PREFIX.length), 'base64'));
  return {
    provider: 'resend',
    isSigned: (received) => isSigned(received, keys),
    read,
  };
}

/** Svix writes each header under two names. */
function partsOf({ header }: ReceivedCallback) {
  const of = (name: string): string => header(`svix-${name}`) ?? header(`webhook-${name}`) ?? '';
  return { id: of('id'), timestamp: of('timestamp'), signature: of('signature') };
}

function isSigned(received: ReceivedCallback, keys: readonly Buffer[]): boolean {
  const { id, timestamp, signature } = partsOf(received);
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(received.now - Number(timestamp) * 1_000) > TOLERANCE_MS) return false;
  const expected = keys.map(
    (key) => `v1,${hmac('sha256', key, [`${id}.${timestamp}.`, received.body]).toString('base64')}`,
  );
  const given = signature.split(' ').slice(0, 20);
  return expected.some((each) => given.some((one) => isSame(one, each)));
}

function read(received: ReceivedCallback): Reading {
  const eventId = asId(partsOf(received).id, 200);
  const event = parseObject(received.body);
  const mail = asObject(event?.['data']);
  const type = event?.['type'];
  if (eventId === undefined || mail === undefined || typeof type !== 'string') return unreadable;
  const told = fateOf(type, mail);
  if (told === undefined) return ignored(type);
  const message = asId(mail['email_id'], 100);
  return message === undefined ? unreadable : { type: 'word', eventId, word: { ...told, message } };
}

type Fate =
  | { readonly what: 'delivered' }
  | { readonly what: 'undelivered'; readonly reason: string; readonly gone: boolean };

/** Undefined for what changes nothing: sent, delayed, opened, clicked and what is still to come. */
function fateOf(type: string, mail: Readonly<Record<string, unknown>>): Fate | undefined {
  const lost = (reason: string, gone: boolean): Fate => ({ what: 'undelivered', reason, gone });
  switch (type) {
    case 'email.delivered':
      return { what: 'delivered' };
    case 'email.bounced': {
      const { type: kind, subType } = asObject(mail['bounce']) ?? {};
      const words = [kind, subType].filter(isWord).join(', ');
      return lost(`Resend: it bounced${words === '' ? '' : ` (${words})`}`, kind === 'Permanent');
    }
    case 'email.complained':
      return lost('Resend: its reader marked it as spam', true);
    case 'email.suppressed':
      return lost('Resend: the address is on its suppression list', true);
    case 'email.failed':
      return lost('Resend: it could not be sent', false);
    default:
      return undefined;
  }
}

/** Its longer message may repeat the address. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z]{1,40}$/.test(value);
}
