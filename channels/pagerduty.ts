/**
 * PagerDuty's Events API v2. A repeat of a trigger meets the open incident of its `dedup_key`, so
 * nobody is paged twice (T9); after a resolve it would open a new one, so callers check first.
 * 202 says that the event was taken, and the API never says more.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import { OPERATORS_OWN } from './address-guard.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { outcomeOf, outcomeOfAnswer, outcomeOfFault, unsendable } from './errors.js';
import { post, type HttpAnswer } from './http.js';
import { parseJson } from './json.js';
import { parseEvent, renderPagerduty } from './pagerduty-message.js';
import { redact } from './redact.js';
import { parseTarget } from './target.js';

export interface PagerdutyOptions {
  /** Of the EU service region: `https://events.eu.pagerduty.com`. @default the US region's */
  readonly baseUrl?: string;
}

const EVENTS_URL = 'https://events.pagerduty.com';
/** PagerDuty's documents say 32 characters, and keys of rulesets are not hexadecimal. */
const ROUTING_KEY = /^[A-Za-z0-9]{32}$/;
const SHOWN_ERRORS = 3;

/** The address of a destination is the routing key of an integration. */
export function createPagerdutyChannel(options: PagerdutyOptions = {}): Channel {
  return {
    name: 'pagerduty',
    idempotent: true,
    render: (view) => ({ body: renderPagerduty(view), contentType: 'application/json' }),
    deliver: (request) => deliver(request, options.baseUrl ?? EVENTS_URL),
  };
}

async function deliver(request: DeliveryRequest, baseUrl: string): Promise<Outcome> {
  const { message, now, timeoutMs } = request;
  const routingKey = request.destination.address;
  if (!ROUTING_KEY.test(routingKey)) {
    return unsendable('the routing key is not 32 letters and digits: copy the integration key');
  }
  const event = parseEvent(message.body);
  if (event === undefined) return unsendable('the stored message is not a PagerDuty event');
  const url = parseTarget(`${baseUrl}/v2/enqueue`, OPERATORS_OWN);
  if (typeof url === 'string') return unsendable(url);
  const result = await post({
    url,
    headers: { 'content-type': message.contentType, 'user-agent': 'Kavach/1' },
    // C-2. Parsed and written again, the same text gives the same bytes.
    body: JSON.stringify({ routing_key: routingKey, ...event }),
    timeoutMs,
    guard: OPERATORS_OWN,
  });
  if (result.kind !== 'answer') return outcomeOfFault(result);
  return outcomeOfEvent(result, routingKey, now);
}

function outcomeOfEvent(answer: HttpAnswer, routingKey: string, now: number): Outcome {
  const { status } = answer;
  if (status === 202) return { kind: 'accepted', reason: 'taken by PagerDuty', status };
  if (status === 400) {
    const word = faultsOf(answer.body, routingKey);
    return outcomeOf({ kind: 'permanent_config', status, word, now });
  }
  const outcome = outcomeOfAnswer(answer, now);
  // Somebody in between has answered; the key makes a repeat safe.
  return outcome.kind === 'accepted'
    ? outcomeOf({ kind: 'ambiguous', status, word: 'where PagerDuty answers 202', now })
    : outcome;
}

/** An operator has to read what is wrong with an event; its key is never part of it (C-4). */
function faultsOf(body: string, routingKey: string): string {
  const answer = parseJson(body);
  const errors =
    typeof answer === 'object' && answer !== null && 'errors' in answer ? answer.errors : undefined;
  if (!Array.isArray(errors)) return '';
  const texts = errors.filter((error): error is string => typeof error === 'string');
  return redact(texts.slice(0, SHOWN_ERRORS).join('; '), [routingKey]);
}
