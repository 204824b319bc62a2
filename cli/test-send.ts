/**
 * One marked test message through the very channels that alerts take: the facts are an example's,
 * and its name says so. Nothing of it is an alert: no workflow, no journal.
 */
import type { AlertView, Channel } from '../channels/channel.js';
import type { Channels } from '../channels/index.js';
import type { OpenDestination } from '../domain/alert/message.js';
import type { Outcome } from '../domain/alert/outcome.js';
import { alertCode, idempotencyKey } from '../domain/ids.js';
import { NANOS_PER_USD } from '../domain/money.js';
import { TEST_ALERT_ID } from '../gateway/links.js';
import type { TestSend, TestSendRequest } from '../gateway/test-send.js';
import type { DeliveryRef, Ledger, OpenedDelivery } from '../ledger/ledger.js';

export interface TestSendDependencies {
  readonly ledger: Pick<Ledger, 'openDelivery'>;
  readonly channels: Channels;
  /** The address of an alert's page. */
  readonly alertUrl: (alertId: string) => string;
  readonly now: () => number;
  /** Never the same twice: each test is a message of its own. */
  readonly newId: () => string;
  /** Of one request, ms. */
  readonly timeoutMs: number;
}

const HOUR_MS = 3_600_000;

export function createTestSend(dependencies: TestSendDependencies): TestSend {
  return async (request) => {
    const channel = dependencies.channels[request.channel];
    if (channel === undefined) return { type: 'unsupported_channel' };
    const opened = await open(dependencies, request);
    if (opened.type === 'suppressed') return opened;
    // It is about nothing that could be silenced.
    if (opened.type === 'held') throw new Error('A test message was held by a silence');
    if (opened.type === 'delivered') return { type: 'sent', outcome: opened.outcome };
    const { destination } = opened;
    const id = dependencies.newId();
    const send = (state: AlertView['state']): Promise<Outcome> =>
      deliver(dependencies, channel, destination, testView(dependencies, request.org, id, state));
    const outcome = await send('firing');
    // An incident that nobody closes would stay open: a test ends what it began.
    if (request.channel === 'pagerduty' && outcome.kind === 'accepted') await send('resolved');
    return { type: 'sent', outcome };
  };
}

/** Asked for as a word that is no firing: it is counted against no pace and opens no incident. */
async function open(
  { ledger, now }: TestSendDependencies,
  { org, channel, to }: TestSendRequest,
): Promise<OpenedDelivery> {
  if (to !== undefined && 'address' in to) return { type: 'open', destination: to };
  const ref: DeliveryRef = {
    ...{ org, channel, alertId: TEST_ALERT_ID, deliveryId: TEST_ALERT_ID, purpose: 'acknowledge' },
    ...(to === undefined ? {} : { destination: to.reference }),
  };
  return ledger.openDelivery(ref, now());
}

function deliver(
  { now, timeoutMs }: TestSendDependencies,
  channel: Channel,
  destination: OpenDestination,
  view: AlertView,
): Promise<Outcome> {
  return channel.deliver({
    message: channel.render(view, destination.template),
    destination,
    idempotencyKey: idempotencyKey(`${view.incidentKey}/${view.state}`),
    now: now(),
    timeoutMs,
  });
}

function testView(
  { alertUrl, now }: TestSendDependencies,
  org: string,
  id: string,
  state: AlertView['state'],
): AlertView {
  const at = now();
  return {
    ...{ alertId: TEST_ALERT_ID, state },
    incidentKey: `kavach-test-${id}`,
    code: alertCode(id),
    facts: {
      ...{ org, agentName: 'TEST (no real agent)', dimension: 'cost', cadence: 'daily' },
      ...{ thresholdBps: 9_000, spent: 4.6 * NANOS_PER_USD, limit: 5 * NANOS_PER_USD },
      // A7. The lowest priority that every channel takes.
      ...{ severity: 'error', priority: 'high', zone: 'UTC', at, resetsAt: at + HOUR_MS },
    },
    dashboardUrl: alertUrl(TEST_ALERT_ID),
  };
}
