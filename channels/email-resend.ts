/**
 * Email through Resend. A repeat of the same key and bytes within 24 h is answered with the first
 * one's id and sent once (A11). The package never throws for what the network does; its own
 * connection is replaced by ours, as it has no time-out, no size limit, and follows redirects.
 */
import { Resend, type CreateEmailRequestOptions } from 'resend';
import type { Outcome } from '../domain/alert/outcome.js';
import type { DeliveryRequest } from './channel.js';
import { outcomeOfResendError } from './email-errors.js';
import { unsubscribeHeaders, type EmailContent } from './email-message.js';
import { outcomeOfFault, unsendable } from './errors.js';
import { ANSWER_LIMIT_BYTES, faultOf, openConnection } from './http.js';

export interface ResendSender {
  readonly apiKey: string;
  readonly from: string;
  readonly baseUrl?: string;
}

const RESEND_URL = 'https://api.resend.com';

export async function sendByResend(
  request: DeliveryRequest,
  content: EmailContent,
  sender: ResendSender,
): Promise<Outcome> {
  const { destination, idempotencyKey, now } = request;
  const { subject, html, text } = content;
  const headers = unsubscribeHeaders(content);
  const { apiKey, from, baseUrl = RESEND_URL } = sender;
  const connection = openConnection(request.timeoutMs, ANSWER_LIMIT_BYTES);
  // The package hands unknown options on to `fetch`, which takes these two.
  const transport: CreateEmailRequestOptions & { dispatcher: unknown; redirect: 'manual' } = {
    idempotencyKey,
    signal: connection.signal,
    headers: { 'accept-encoding': 'identity' },
    dispatcher: connection.dispatcher,
    redirect: 'manual',
  };
  try {
    const resend = new Resend(apiKey, { baseUrl });
    const mail = {
      ...{ from, to: destination.address, subject, html, text },
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
    };
    const { data, error, headers: answered } = await resend.emails.send(mail, transport);
    if (error !== null) {
      if (!connection.isConnected()) return outcomeOfFault(faultOf(undefined, connection));
      const secrets = [apiKey, destination.address];
      return outcomeOfResendError(error, { retryAfter: answered?.['retry-after'], now, secrets });
    }
    return outcomeOfData(data);
  } catch {
    // Not the network: a key with characters no header may hold, for one.
    return unsendable('the mail could not be built: check the API key and the sender');
  } finally {
    connection.close();
  }
}

/** A 200 without an id was not Resend: somebody in between has answered. */
function outcomeOfData(data: unknown): Outcome {
  const id = typeof data === 'object' && data !== null && 'id' in data ? data.id : undefined;
  if (typeof id !== 'string' || id === '') {
    return { kind: 'ambiguous', reason: 'an answer without an id' };
  }
  return { kind: 'accepted', reason: 'taken by Resend', status: 200, providerId: id.slice(0, 100) };
}
