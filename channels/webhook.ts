/**
 * A JSON POST to a customer's endpoint, signed. Any 2xx with a whole answer is acceptance; what
 * the endpoint says besides is not read. Receivers drop repeats by `webhook-id`.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import { PUBLIC_ONLY, type Guard } from './address-guard.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { outcomeOfAnswer, outcomeOfFault, unsendable } from './errors.js';
import { post } from './http.js';
import { parseTarget } from './target.js';
import { renderWebhook } from './webhook-message.js';
import { signedHeaders } from './webhook-signature.js';

/** Nothing of an answer is used; this much is read, so that no honest endpoint is cut off. */
const ANSWER_BYTES = 20_480;

export interface WebhookOptions {
  /** Which addresses may be called. @default the public internet only */
  readonly guard?: Guard;
}

export function createWebhookChannel({ guard = PUBLIC_ONLY }: WebhookOptions = {}): Channel {
  return {
    name: 'webhook',
    idempotent: true,
    render: (view) => ({ body: renderWebhook(view), contentType: 'application/json' }),
    deliver: (request) => deliver(request, guard),
  };
}

async function deliver(request: DeliveryRequest, guard: Guard): Promise<Outcome> {
  const { destination, message, idempotencyKey, now, timeoutMs } = request;
  const url = parseTarget(destination.address, guard);
  if (typeof url === 'string') return unsendable(url);
  const headers = {
    'content-type': message.contentType,
    'user-agent': 'Kavach-Webhook/1',
    ...signedHeaders({
      id: idempotencyKey,
      now,
      body: message.body,
      secrets: destination.secrets ?? [],
    }),
  };
  const { body } = message;
  const result = await post({
    ...{ url, headers, body, timeoutMs, guard },
    answerLimitBytes: ANSWER_BYTES,
  });
  return result.kind === 'answer' ? outcomeOfAnswer(result, now) : outcomeOfFault(result);
}
