/**
 * Twilio's Messages as far as Kavach can see: `POST` takes one, `GET` lists what was taken, newest
 * first. Nothing is deduplicated, and a key is not known.
 */
import { sendCallback, signedByTwilio, twilioBody } from './callbacks.js';
import { json, type Answer, type Provider, type Received } from './sink-providers.js';

interface Message {
  readonly sid: string;
  readonly to: string;
  readonly from: string | null;
  readonly body: string;
  readonly sentAt: number;
  readonly status: string;
  readonly errorCode: number | null;
  /** Where it was asked to say what became of it, and what signs that word. */
  readonly callback: string | null;
  readonly authToken: string;
}

export interface Twilio extends Provider {
  /** What became of all messages that were taken: `failed` with a code, or `delivered`. */
  settle(status: string, errorCode?: number): void;
  /** The same, and says so to all who asked; answers the statuses it was answered with. */
  readonly callBack: (status: string, errorCode?: number) => Promise<readonly number[]>;
}

const E164 = /^\+[1-9]\d{6,14}$/;
const PATH = /^\/twilio\/2010-04-01\/Accounts\/(AC\w+)\/Messages\.json$/;

export function createTwilio(): Twilio {
  let taken: Message[] = [];
  const settle: Twilio['settle'] = (status, errorCode) => {
    taken = taken.map((message) => ({ ...message, status, errorCode: errorCode ?? null }));
  };
  const sidOf = (no: number): string => `SM${String(no).padStart(32, '0')}`;
  return {
    channel: 'sms',
    keyOf: () => undefined,
    answer(received) {
      const refusal = refusalOf(received);
      if (refusal !== undefined) return { answer: refusal, repeat: false };
      if (received.method === 'GET') {
        return { answer: listing(taken, received), repeat: false, reads: true };
      }
      const message = readMessage(received, sidOf(taken.length + 1));
      const status = message.from === null ? 'accepted' : 'queued';
      return { answer: json(201, resourceOf({ ...message, status })), repeat: false };
    },
    take(received) {
      taken.push({ ...readMessage(received, sidOf(taken.length + 1)), status: 'sent' });
    },
    settle,
    async callBack(status, errorCode) {
      settle(status, errorCode);
      const told = taken.filter(({ callback }) => callback !== null);
      return Promise.all(
        told.map(({ sid, callback, authToken }) => {
          const url = callback ?? '';
          const body = twilioBody(sid, status, errorCode);
          return sendCallback(url, signedByTwilio(authToken, url, body));
        }),
      );
    },
  };
}

/** An error in Twilio's own form. */
export function twilioRefusal(status: number, code: number, message: string): Answer {
  const more = `https://www.twilio.com/docs/errors/${String(code)}`;
  return json(status, { code, message, more_info: more, status });
}

function refusalOf({ method, path, headers, body }: Received): Answer | undefined {
  const account = PATH.exec(path)?.[1];
  if (account === undefined || (method !== 'GET' && method !== 'POST')) {
    return twilioRefusal(404, 20404, 'The requested resource was not found');
  }
  const login = loginOf(headers.authorization);
  if (!login.startsWith(`${account}:`) || login.length < account.length + 2) {
    return twilioRefusal(401, 20003, 'Authenticate');
  }
  return method === 'POST' ? formFault(new URLSearchParams(body)) : undefined;
}

function loginOf(authorization = ''): string {
  return Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8');
}

function formFault(form: URLSearchParams): Answer | undefined {
  const to = form.get('To') ?? '';
  const text = form.get('Body') ?? '';
  const validity = Number(form.get('ValidityPeriod') ?? '36000');
  if (to === '') return twilioRefusal(400, 21604, "A 'To' phone number is required.");
  if (!E164.test(to)) return twilioRefusal(400, 21211, `The 'To' number ${to} is not valid.`);
  if (!form.get('From') && !form.get('MessagingServiceSid')) {
    return twilioRefusal(400, 21603, "A 'From' phone number is required.");
  }
  if (text === '') return twilioRefusal(400, 21602, 'Message body is required.');
  if (text.length > 1_600) return twilioRefusal(400, 21617, 'The body exceeds 1600 characters.');
  if (!(validity >= 1 && validity <= 36_000)) {
    return twilioRefusal(400, 21624, 'ValidityPeriod is out of range');
  }
  return undefined;
}

function readMessage({ body, headers }: Received, sid: string): Message {
  const form = new URLSearchParams(body);
  return {
    sid,
    to: form.get('To') ?? '',
    from: form.get('From'),
    body: form.get('Body') ?? '',
    sentAt: Date.now(),
    status: 'queued',
    errorCode: null,
    callback: form.get('StatusCallback'),
    authToken: loginOf(headers.authorization).split(':')[1] ?? '',
  };
}

function resourceOf(message: Message): Record<string, unknown> {
  const { sid, to, from, body, sentAt, status, errorCode } = message;
  const date = new Date(sentAt).toUTCString();
  return {
    ...{ sid, to, from, body, status },
    ...{ direction: 'outbound-api', num_segments: '1', error_code: errorCode, error_message: null },
    ...{ date_created: date, date_updated: date, date_sent: status === 'queued' ? null : date },
  };
}

/** `To`, `From`, `DateSent>`, `DateSent<` and `PageSize`, as the real one filters. */
function listing(taken: readonly Message[], { path, search }: Received): Answer {
  const query = new URLSearchParams(search);
  const momentOf = (name: string, otherwise: number): number =>
    query.has(name) ? Date.parse(query.get(name) ?? '') : otherwise;
  const after = momentOf('DateSent>', 0);
  const before = momentOf('DateSent<', Number.MAX_SAFE_INTEGER);
  const found = taken.filter(
    ({ to, from, sentAt }) =>
      (query.get('To') ?? to) === to &&
      (query.get('From') ?? from) === from &&
      sentAt >= after &&
      sentAt <= before,
  );
  const size = Number(query.get('PageSize') ?? '50');
  const messages = found.toReversed().slice(0, size).map(resourceOf);
  return json(200, { messages, page: 0, page_size: size, uri: path, next_page_uri: null });
}
