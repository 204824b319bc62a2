/**
 * Email through Resend. A repeat of the same key and bytes within 24 h is answered with the first
 * one's id and sent once (A11). The package never throws for what the network does; its own
 * connection is replaced by ours, as it has no time-out, no size limit, and follows redirects.
 */
import { Resend, type CreateEmailRequestOptions } from 'resend';
import type { Outcome } from '../domain/alert/outcome.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { outcomeOfResendError } from './email-errors.js';
import { parseEmail, renderEmail } from './email-message.js';
import { outcomeOfFault, unsendable } from './errors.js';
import { ANSWER_LIMIT_BYTES, faultOf, openConnection } from './http.js';

export interface EmailOptions {
  /** The service's own key; a destination's own key wins over it. */
  readonly apiKey?: string;
  /** `Kavach <alerts@example.com>`. Must not change while deliveries are under way (A11). */
  readonly from: string;
  /** @default 'https://api.resend.com' */
  readonly baseUrl?: string;
}

const RESEND_URL = 'https://api.resend.com';

export function createEmailChannel(options: EmailOptions): Channel {
  return {
    name: 'email',
    idempotent: true,
    render: (view) => ({
      body: JSON.stringify(renderEmail(view)),
      contentType: 'application/json',
    }),
    deliver: (request) => deliver(request, options),
  };
}

async function deliver(request: DeliveryRequest, options: EmailOptions): Promise<Outcome> {
  const { destination, message, idempotencyKey, now } = request;
  const content = parseEmail(message.body);
  if (content === undefined) return unsendable('the stored message is not an email');
  // An empty key would make the package take one from the environment.
  const apiKey = [destination.secrets?.[0], options.apiKey].find(
    (key) => key !== undefined && key !== '',
  );
  if (apiKey === undefined) return unsendable('no Resend API key: set RESEND_API_KEY');

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
    const resend = new Resend(apiKey, { baseUrl: options.baseUrl ?? RESEND_URL });
    const mail = { from: options.from, to: destination.address, ...content };
    const { data, error, headers } = await resend.emails.send(mail, transport);
    if (error !== null) {
      if (!connection.isConnected()) return outcomeOfFault(faultOf(undefined, connection));
      const secrets = [apiKey, destination.address];
      return outcomeOfResendError(error, { retryAfter: headers?.['retry-after'], now, secrets });
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
