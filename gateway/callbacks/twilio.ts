/**
 * Twilio's status callbacks, signed by HMAC-SHA1 over the address it was told and the form's
 * fields in order. There is no id and no time in them: a message has each status once, so both
 * together are the id, and a replay says nothing new.
 */
import { asId, ignored, unreadable, type CallbackReader, type Reading } from './provider.js';
import { isSame } from '../same-text.js';
import { hmac, type ReceivedCallback } from './signature.js';

export interface TwilioCallbacks {
  readonly authToken: string;
  /** As Twilio was told it; a proxy may have changed what arrives here. */
  readonly url: string;
  /** What an error code says of the number, in our words. */
  readonly explain: (code: number | undefined) => {
    readonly reason: string;
    readonly gone: boolean;
  };
}

export function createTwilioReader({ authToken, url, explain }: TwilioCallbacks): CallbackReader {
  return {
    provider: 'twilio',
    isSigned: ({ header, body, search }) => {
      const given = header('x-twilio-signature');
      if (given === undefined) return false;
      const fields = fieldsInOrder(formOf(body));
      // Twilio writes the standard port or leaves it out, as it was told or not.
      return spellings(url).some((each) =>
        isSame(given, hmac('sha1', authToken, [each, search, fields]).toString('base64')),
      );
    },
    read: (received) => read(received, explain),
  };
}

function formOf(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'));
}

/** Each name followed by its values, by name; a value that comes twice counts once. */
function fieldsInOrder(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  return names
    .flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value))
    .join('');
}

/** `https://host/x -> https://host/x, https://host:443/x` */
function spellings(url: string): readonly string[] {
  const [, scheme = '', host = '', rest = ''] = /^(https?:\/\/)([^/]+)(.*)$/.exec(url) ?? [];
  const standard = scheme === 'https://' ? ':443' : ':80';
  if (host.endsWith(standard)) return [url, scheme + host.slice(0, -standard.length) + rest];
  return /:\d+$/.test(host) ? [url] : [url, scheme + host + standard + rest];
}

function read(received: ReceivedCallback, explain: TwilioCallbacks['explain']): Reading {
  const form = formOf(received.body);
  const message = asId(form.get('MessageSid') ?? form.get('SmsSid'), 100);
  const status = form.get('MessageStatus') ?? form.get('SmsStatus') ?? '';
  if (message === undefined || status === '') return unreadable;
  const eventId = `${message}:${status}`;
  switch (status) {
    case 'delivered':
    case 'read':
      return { type: 'word', eventId, word: { what: 'delivered', message } };
    case 'undelivered':
    case 'failed':
    case 'canceled': {
      const text = form.get('ErrorCode') ?? '';
      const told = explain(/^\d{1,6}$/.test(text) ? Number(text) : undefined);
      return { type: 'word', eventId, word: { what: 'undelivered', message, ...told } };
    }
    default:
      return ignored(status);
  }
}
