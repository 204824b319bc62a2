/** Test messages take the way of alerts: the channels render and send them, the ledger opens. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createChannels } from '../../channels/index.js';
import type { Channel, DeliveryRequest } from '../../channels/channel.js';
import { createTestSend, type TestSendDependencies } from '../../cli/test-send.js';
import { startSink } from '../../fakes/sink.js';
import type { DeliveryRef } from '../../ledger/ledger.js';
import { NOON } from './gateway-kit.js';

let made = 0;

function stage(more: Partial<TestSendDependencies> = {}) {
  const opened: DeliveryRef[] = [];
  const dependencies: TestSendDependencies = {
    ledger: {
      openDelivery: (ref) => {
        opened.push(ref);
        return Promise.resolve({ type: 'suppressed', reason: 'no_destination' });
      },
    },
    channels: {},
    alertUrl: (id) => `https://kavach.test/alerts/${id}`,
    ...{ now: () => NOON, newId: () => `id-${String((made += 1))}`, timeoutMs: 1_000 },
    ...more,
  };
  return { send: createTestSend(dependencies), opened };
}

describe('a test message', () => {
  test('arrives, says TEST, and each one is a message of its own', async () => {
    const sink = await startSink();
    onTestFinished(() => sink.stop());
    const email = { apiKey: 're_1', from: 'Kavach <k@example.com>', baseUrl: `${sink.url}/resend` };
    const { send } = stage({ channels: createChannels({ email }) });
    for (let time = 0; time < 2; time += 1) {
      const to = { address: 'ada@acme.com' };
      const answer = await send({ org: 'default', channel: 'email', to });
      expect(answer).toMatchObject({ type: 'sent', outcome: { kind: 'accepted' } });
    }
    const [first, second, ...more] = sink.messages();
    expect(more).toEqual([]);
    expect(first?.body).toContain('[HIGH] TEST (no real agent) passed 90%');
    expect(first?.body).toContain('https://kavach.test/alerts/alert/test');
    expect(first?.key).not.toBe(second?.key);
  });

  test('without an address the ledger opens the default one, or that of a reference', async () => {
    const { send, opened } = stage({ channels: { slack: recording([]) } });
    const held = { type: 'suppressed', reason: 'no_destination' };
    expect(await send({ org: 'o', channel: 'slack' })).toEqual(held);
    await send({ org: 'o', channel: 'slack', to: { reference: 'ref-1' } });
    expect(opened[0]).toMatchObject({ org: 'o', channel: 'slack', alertId: 'alert/test' });
    expect(opened[0]).not.toHaveProperty('destination');
    // Neither a crossing nor a pace is used up by it.
    expect(opened[0]).toMatchObject({ purpose: 'acknowledge' });
    expect(opened[0]).not.toHaveProperty('firing');
    expect(opened[1]).toMatchObject({ destination: 'ref-1' });
  });

  test('a channel that is not there is said, and nothing is opened', async () => {
    const { send, opened } = stage();
    const request = { org: 'o', channel: 'sms', to: { address: '+15005550006' } } as const;
    expect(await send(request)).toEqual({ type: 'unsupported_channel' });
    expect(opened).toEqual([]);
  });

  test('an incident of PagerDuty is closed again, under the same key', async () => {
    const requests: DeliveryRequest[] = [];
    const { send } = stage({ channels: { pagerduty: recording(requests) } });
    await send({ org: 'o', channel: 'pagerduty', to: { address: 'r'.repeat(32) } });
    const views = requests.map(({ message }) => JSON.parse(message.body) as Record<string, string>);
    expect(views.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    expect(views[0]?.['incidentKey']).toBe(views[1]?.['incidentKey']);
    expect(requests[0]?.idempotencyKey).not.toBe(requests[1]?.idempotencyKey);
  });
});

/** Says what it was to render, and takes everything. */
function recording(requests: DeliveryRequest[]): Channel {
  return {
    ...{ name: 'pagerduty', idempotent: true },
    render: (view) => ({ body: JSON.stringify(view), contentType: 'application/json' }),
    deliver: (request) => {
      requests.push(request);
      return Promise.resolve({ kind: 'accepted', reason: 'ok' });
    },
  };
}
