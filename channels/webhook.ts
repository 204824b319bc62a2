/**
 * A JSON POST to a customer's endpoint, signed. Any 2xx with a whole answer is acceptance; what
 * the endpoint says besides is not read. Receivers drop repeats by `webhook-id`.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { outcomeOfAnswer, outcomeOfFault, unsendable } from './errors.js';
import { parseTarget, post } from './http.js';
import { renderWebhook } from './webhook-message.js';
import { signedHeaders } from './webhook-signature.js';

export function createWebhookChannel(): Channel {
  return {
    name: 'webhook',
    idempotent: true,
    render: (view) => ({ body: renderWebhook(view), contentType: 'application/json' }),
    deliver,
  };
}

async function deliver(request: DeliveryRequest): Promise<Outcome> {
  const { destination, message, idempotencyKey, now, timeoutMs } = request;
  const url = parseTarget(destination.address);
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
  const result = await post({ url, headers, body: message.body, timeoutMs });
  return result.kind === 'answer' ? outcomeOfAnswer(result, now) : outcomeOfFault(result);
}
