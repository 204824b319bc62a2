/**
 * Text messages through Twilio, which drops no repeats. So what an earlier attempt may have sent is
 * looked for first, by the code in the text (A4), and only what is not found is sent again.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import { OPERATORS_OWN } from './address-guard.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { outcomeOf, unsendable } from './errors.js';
import { startClock, type HttpResult } from './http.js';
import { connectSms, type SmsConnection } from './sms-connection.js';
import {
  failureOf,
  hasFailed,
  isCallbackRefused,
  isSid,
  outcomeOfResult,
  type Message,
} from './sms-errors.js';
import { codeOf, renderSms } from './sms-message.js';
import { parseTarget } from './target.js';

export interface SmsOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** A number or name of the account's; else `messagingServiceSid`, which picks one. */
  readonly from?: string;
  readonly messagingServiceSid?: string;
  /** @default 'https://api.twilio.com' */
  readonly baseUrl?: string;
  /**
   * How long Twilio may hold a message back: a page must not arrive hours later. 1 to 36,000.
   * @default 900
   */
  readonly validitySeconds?: number;
  /** Where Twilio says what became of a message; absent: nobody is told. */
  readonly statusCallback?: string;
}

const TWILIO_URL = 'https://api.twilio.com';
const VALIDITY_SECONDS = 900;
/** E.164. */
const NUMBER = /^\+[1-9]\d{6,14}$/;
/** Newest first; about 1 KB each, so that they fit into what is read of an answer (C-3). */
const LOOKED_AT = 30;
/** Twilio's clock and ours differ, and its filter knows whole seconds. */
const SKEW_MS = 5_000;

/** What the package offers of it; loaded late, as it takes long and few need it. */
interface Messages {
  create(message: object): Promise<Message>;
  list(filter: object): Promise<readonly Message[]>;
}

interface Attempt {
  readonly messages: Messages;
  readonly connection: SmsConnection;
  readonly text: string;
  readonly request: DeliveryRequest;
}

/** The address of a destination is a number in E.164 form. */
export function createSmsChannel(options: SmsOptions): Channel {
  return {
    name: 'sms',
    idempotent: false,
    render: (view) => ({ body: renderSms(view), contentType: 'text/plain; charset=utf-8' }),
    deliver: (request) => deliver(request, options),
  };
}

async function deliver(request: DeliveryRequest, options: SmsOptions): Promise<Outcome> {
  const text = request.message.body;
  if (!NUMBER.test(request.destination.address)) {
    return { kind: 'permanent_recipient', reason: 'not a number in E.164 form, as +<country>…' };
  }
  if (text === '') return unsendable('the stored message is empty');
  const target = parseTarget(options.baseUrl ?? TWILIO_URL, OPERATORS_OWN);
  if (typeof target === 'string') return unsendable(`TWILIO_BASE_URL: ${target}`);
  const clock = startClock(request.timeoutMs);
  const connection = connectSms(target.href, () => clock.leftMs());
  const messages = await openMessages(options, connection);
  if (messages === undefined) return unsendable('the account SID or auth token is none');
  const attempt = { messages, connection, text, request };
  const earlier = await findEarlier(attempt);
  if (earlier !== undefined) return earlier;
  if (clock.leftMs() < 1) return { kind: 'transient', reason: 'no time was left to send' };
  return send(attempt, options);
}

async function openMessages(
  options: SmsOptions,
  { httpClient }: SmsConnection,
): Promise<Messages | undefined> {
  const { default: createClient } = await import('twilio');
  try {
    // Empty, so that no host name is made of the environment's TWILIO_EDGE and TWILIO_REGION.
    const where = { edge: '', region: '' };
    return createClient(options.accountSid, options.authToken, { httpClient, ...where }).messages;
  } catch {
    // Its text repeats what it was given.
    return undefined;
  }
}

async function send(attempt: Attempt, options: SmsOptions): Promise<Outcome> {
  const { messages, connection, text, request } = attempt;
  const { from, messagingServiceSid, validitySeconds = VALIDITY_SECONDS } = options;
  const { statusCallback } = options;
  if (from === undefined && messagingServiceSid === undefined) {
    return unsendable('no sender: set TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID');
  }
  const message = {
    to: request.destination.address,
    body: text,
    smartEncoded: true,
    validityPeriod: validitySeconds,
    ...(from === undefined ? {} : { from }),
    ...(messagingServiceSid === undefined ? {} : { messagingServiceSid }),
  };
  const create = async (callback: object): Promise<Message | undefined> => {
    try {
      return await messages.create({ ...message, ...callback });
    } catch {
      return undefined;
    }
  };
  let sent = await create(statusCallback === undefined ? {} : { statusCallback });
  // Nothing was sent, and what became of a message matters less than the message.
  if (sent === undefined && statusCallback !== undefined && isCallbackRefused(connection.last())) {
    sent = await create({});
  }
  if (sent === undefined) return outcomeOfResult(connection.last(), request.now);
  const status = statusOf(connection.last());
  if (!isSid(sent.sid)) {
    return outcomeOf({ kind: 'ambiguous', status, word: 'without a message', now: request.now });
  }
  const failed = hasFailed(sent) ? failureOf(sent) : undefined;
  return failed ?? { kind: 'accepted', reason: 'taken by Twilio', status, providerId: sent.sid };
}

/** A4. What is known of an earlier attempt; undefined where there is nothing, and so to be sent. */
async function findEarlier(attempt: Attempt): Promise<Outcome | undefined> {
  const { messages, connection, text, request } = attempt;
  const code = codeOf(text);
  if (request.repeatsSince === undefined || code === undefined) return undefined;
  let listed: readonly Message[];
  try {
    listed = await messages.list({
      to: request.destination.address,
      dateSentAfter: new Date(request.repeatsSince - SKEW_MS),
      limit: LOOKED_AT,
      pageSize: LOOKED_AT,
    });
  } catch {
    return withoutList(outcomeOfResult(connection.last(), request.now));
  }
  const ours = listed.filter(({ sid, body }) => isSid(sid) && isOurs(body, text, code));
  const taken = ours.find((message) => !hasFailed(message));
  if (taken !== undefined) {
    const providerId = String(taken.sid);
    return { kind: 'accepted', reason: 'an earlier attempt had got through', providerId };
  }
  const failures = ours.map(failureOf);
  return failures.find(({ kind }) => kind.startsWith('permanent_'));
}

/** Firing and resolved carry the same code. A trial account writes a sentence before the text. */
function isOurs(body: unknown, text: string, code: string): boolean {
  return typeof body === 'string' && codeOf(body) === code && body.endsWith(text);
}

/** Sending without having looked might send twice; what keeps us from looking mostly passes. */
function withoutList(outcome: Outcome): Outcome {
  const kind =
    outcome.kind === 'accepted' || outcome.kind === 'ambiguous' ? 'transient' : undefined;
  const reason = `could not look for an earlier attempt: ${outcome.reason}`;
  return { ...outcome, ...(kind === undefined ? {} : { kind }), reason };
}

function statusOf(result: HttpResult | undefined): number {
  return result?.kind === 'answer' ? result.status : 0;
}
