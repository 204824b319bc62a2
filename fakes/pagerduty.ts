/**
 * PagerDuty's Events API v2 as far as Kavach can see: incidents by routing key and `dedup_key`. An
 * acknowledge or resolve of one that is not open is dropped, and yet answered with 202.
 */
import { pagerdutyBody, sendCallback, signedByPagerduty } from './callbacks.js';
import { json, parseObject, type Answer, type Provider, type Received } from './sink-providers.js';

export interface Incident {
  readonly routingKey: string;
  readonly dedupKey: string;
  readonly state: 'triggered' | 'acknowledged' | 'resolved';
  readonly severity: string;
  readonly summary: string;
  /** Triggers it took, the first one included. */
  readonly triggers: number;
}

export interface Pagerduty extends Provider {
  incidents(): readonly Incident[];
  /** A person's click on every open incident; answers the statuses its webhook was answered with. */
  readonly click: (
    webhook: { readonly url: string; readonly secret: string },
    what: 'acknowledged' | 'resolved',
  ) => Promise<readonly number[]>;
}

interface Event {
  readonly routingKey: string;
  readonly dedupKey: string;
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const SEVERITIES: readonly unknown[] = ['critical', 'error', 'warning', 'info'];
const LIMIT_BYTES = 512_000;

export function createPagerduty(): Pagerduty {
  const incidents = new Map<string, Incident & { readonly body: string }>();
  return {
    channel: 'pagerduty',
    keyOf({ body }) {
      const key = parseObject(body)?.['dedup_key'];
      return typeof key === 'string' ? key : undefined;
    },
    answer(received) {
      const event = readEvent(received);
      if ('refusal' in event) return { answer: event.refusal, repeat: false };
      const before = incidents.get(idOf(event));
      const answer = json(202, {
        status: 'success',
        message: 'Event processed',
        dedup_key: event.dedupKey,
      });
      return { answer, repeat: isDropped(event, before, received.body) };
    },
    take(received) {
      const event = readEvent(received);
      if ('refusal' in event) return;
      const before = incidents.get(idOf(event));
      const next = nextIncident(event, before);
      if (next !== undefined) incidents.set(idOf(event), { ...next, body: received.body });
    },
    async click({ url, secret }, what) {
      const open = [...incidents].filter(([, { state }]) => state !== 'resolved');
      for (const [id, incident] of open) incidents.set(id, { ...incident, state: what });
      const keys = open.map(([, { dedupKey }]) => dedupKey);
      return Promise.all(
        keys.map((incidentKey) => {
          const body = pagerdutyBody({ type: `incident.${what}`, incidentKey });
          return sendCallback(url, signedByPagerduty([secret], body));
        }),
      );
    },
    incidents: () => [...incidents.values()].map(({ body: _body, ...incident }) => incident),
  };
}

const idOf = ({ routingKey, dedupKey }: Event): string => `${routingKey} ${dedupKey}`;

function isDropped(
  { action }: Event,
  before: (Incident & { readonly body: string }) | undefined,
  body: string,
): boolean {
  const isOpen = before !== undefined && before.state !== 'resolved';
  if (action === 'trigger') return isOpen && before.body === body;
  return !isOpen || (action === 'acknowledge' && before.state === 'acknowledged');
}

function nextIncident(event: Event, before: Incident | undefined): Incident | undefined {
  const { routingKey, dedupKey, action, payload } = event;
  if (action === 'trigger') {
    const isOpen = before !== undefined && before.state !== 'resolved';
    return {
      ...{ routingKey, dedupKey },
      state: isOpen ? before.state : 'triggered',
      severity: String(payload['severity']),
      summary: String(payload['summary']),
      triggers: isOpen ? before.triggers + 1 : 1,
    };
  }
  if (before === undefined) return undefined;
  return { ...before, state: action === 'resolve' ? 'resolved' : 'acknowledged' };
}

function readEvent({ body, method, path }: Received): Event | { readonly refusal: Answer } {
  if (method !== 'POST' || !path.endsWith('/v2/enqueue')) {
    return { refusal: json(404, { status: 'not found' }) };
  }
  if (Buffer.byteLength(body) > LIMIT_BYTES) return { refusal: json(413, { status: 'too large' }) };
  const fields = parseObject(body);
  const payload = asObject(fields?.['payload']);
  const faults = faultsOf(fields, payload);
  if (fields === undefined || faults.length > 0) {
    const message = 'Event object is invalid';
    return { refusal: json(400, { status: 'invalid event', message, errors: faults }) };
  }
  const { dedup_key: key } = fields;
  return {
    routingKey: String(fields['routing_key']),
    // PagerDuty makes one up where there is none.
    dedupKey: typeof key === 'string' ? key : `made-up-${String(body.length)}`,
    action: String(fields['event_action']),
    payload,
  };
}

function faultsOf(
  fields: Readonly<Record<string, unknown>> | undefined,
  payload: Readonly<Record<string, unknown>>,
): string[] {
  if (fields === undefined) return ['the body is not a JSON object'];
  const { routing_key: routingKey, event_action: action, dedup_key: key } = fields;
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string): void => {
    if (!isRight) faults.push(fault);
  };
  check(typeof routingKey === 'string' && routingKey.length === 32, "'routing_key' is invalid");
  check(
    action === 'trigger' || action === 'acknowledge' || action === 'resolve',
    "'event_action' is invalid",
  );
  check(action === 'trigger' || typeof key === 'string', "'dedup_key' is missing");
  check(typeof key !== 'string' || key.length <= 255, "'dedup_key' is too long");
  if (action !== 'trigger') return faults;
  const { summary, source, severity } = payload;
  check(
    typeof summary === 'string' && summary !== '' && Array.from(summary).length <= 1_024,
    "'payload.summary' is missing, blank or too long",
  );
  check(typeof source === 'string' && source !== '', "'payload.source' is missing or blank");
  check(SEVERITIES.includes(severity), "'payload.severity' is invalid (must be one of …)");
  return faults;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
