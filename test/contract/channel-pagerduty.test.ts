import { describe, expect, test } from 'vitest';
import { createPagerdutyChannel } from '../../channels/pagerduty.js';
import type { AlertView } from '../../channels/channel.js';
import { channelSuite, useRig, type ChannelUnderTest } from './channel-suite.js';
import {
  firingView,
  HOSTILE_NAMES,
  killingView,
  lateView,
  noticeView,
  resolvedView,
  wordsView,
} from './channel-views.js';

const ROUTING_KEY = 'R0canary0123456789abcdefghijklmn';

const pagerduty: ChannelUnderTest = {
  name: 'pagerduty',
  path: '/pagerduty/v2/enqueue',
  create: (url) => createPagerdutyChannel({ baseUrl: `${url}/pagerduty` }),
  destination: () => ({ address: ROUTING_KEY }),
};

interface Event {
  readonly payload: { readonly summary: string; readonly custom_details: unknown };
  readonly [name: string]: unknown;
}

const parse = (body: string): Event => JSON.parse(body) as Event;
const acknowledgedView = (): AlertView => ({ ...firingView(), state: 'acknowledged' });

channelSuite(pagerduty);

describe('what PagerDuty says', () => {
  const rig = useRig(pagerduty);

  test('202 is acceptance, whatever its body; 200 is somebody else', async () => {
    const { sink, attempt } = rig();
    sink.script('pagerduty', [
      { type: 'status', status: 202, body: 'canary' },
      { type: 'status', status: 200, body: '{"status":"success"}' },
    ]);
    expect(await attempt()).toMatchObject({ kind: 'accepted', status: 202 });
    expect(await attempt()).toMatchObject({ kind: 'ambiguous', status: 200 });
  });

  test('400 tells the operator what is wrong, and never the key', async () => {
    const { sink, attempt } = rig();
    const errors = [`'routing_key' ${ROUTING_KEY} is unknown`, 'see https://canary.example.com'];
    const body = JSON.stringify({ status: 'invalid event', message: 'no', errors });
    sink.script('pagerduty', [{ type: 'status', status: 400, body }]);
    expect(await attempt()).toEqual({
      kind: 'permanent_config',
      status: 400,
      reason: "HTTP 400 'routing_key' [redacted] is unknown; see [redacted]",
    });
  });

  test.each(['canary', '{}', 'null', '{"errors":"canary"}', '{"errors":[7]}'])(
    '400 with %s is permanent too',
    async (body) => {
      const { sink, attempt } = rig();
      sink.script('pagerduty', [{ type: 'status', status: 400, body }]);
      expect(await attempt()).toMatchObject({ kind: 'permanent_config', reason: 'HTTP 400' });
    },
  );

  test.each(['', 'short', 'x'.repeat(33), `${'x'.repeat(31)}-`, ` ${'x'.repeat(31)}`])(
    'a routing key that is none is permanent, and nothing is sent: %j',
    async (address) => {
      const { sink, attempt } = rig();
      expect(await attempt({ destination: { address } })).toMatchObject({
        kind: 'permanent_config',
      });
      expect(sink.requests).toHaveLength(0);
    },
  );

  test.each(['not json', '{}', 'null', '{"event_action":"page","dedup_key":"k"}'])(
    'a stored message that is no event is permanent: %s',
    async (body) => {
      expect(await rig().attempt({ body })).toMatchObject({ kind: 'permanent_config' });
    },
  );
});

describe('T9. one incident per budget, period and dimension', () => {
  const rig = useRig(pagerduty);
  const render = (view: AlertView, incidentKey: string): string =>
    createPagerdutyChannel().render({ ...view, incidentKey }).body;

  test('a higher threshold raises its severity, an acknowledgement and a resolution meet it', async () => {
    const { sink, attempt } = rig();
    const key = 'incident-a';
    const incident = () => sink.incidents().find(({ dedupKey }) => dedupKey === key);
    await attempt({ body: render(firingView(), key) });
    expect(incident()).toMatchObject({ state: 'triggered', severity: 'warning', triggers: 1 });
    await attempt({ body: render(killingView(), key) });
    expect(incident()).toMatchObject({ severity: 'critical', triggers: 2 });
    await attempt({ body: render(acknowledgedView(), key) });
    expect(incident()).toMatchObject({ state: 'acknowledged' });
    await attempt({ body: render(resolvedView(), key) });
    expect(incident()).toMatchObject({ state: 'resolved', triggers: 2 });
  });

  test('a repeat of a trigger pages nobody again', async () => {
    const { sink, attempt } = rig();
    const body = render(firingView(), 'incident-b');
    sink.script('pagerduty', [{ type: 'reset', at: 'answer' }]);
    expect(await attempt({ body })).toMatchObject({ kind: 'ambiguous' });
    expect(await attempt({ body })).toMatchObject({ kind: 'accepted' });
    expect(sink.messages()).toHaveLength(1);
    expect(sink.incidents().find(({ dedupKey }) => dedupKey === 'incident-b')).toMatchObject({
      triggers: 1,
    });
  });

  test('a resolution of an incident that PagerDuty does not know is taken, and dropped', async () => {
    const { sink, attempt } = rig();
    expect(await attempt({ body: render(resolvedView(), 'nobody') })).toMatchObject({
      kind: 'accepted',
    });
    expect(sink.messages()).toHaveLength(0);
  });
});

describe('what is sent to PagerDuty', () => {
  const rig = useRig(pagerduty);
  const channel = createPagerdutyChannel();

  test.each([
    ['firing', firingView()],
    ['acknowledged', acknowledgedView()],
    ['resolved', resolvedView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
  ])('the %s event', async (name, view) => {
    const pretty = `${JSON.stringify(parse(channel.render(view).body), undefined, 2)}\n`;
    await expect(pretty).toMatchFileSnapshot(`golden/pagerduty-${name}.json`);
  });

  test('the routing key is added when it is sent, and nothing else', async () => {
    const { sink, attempt } = rig();
    await attempt({ body: channel.render(firingView()).body });
    const { routing_key: key, ...event } = parse(sink.requests[0]?.body ?? '');
    expect(key).toBe(ROUTING_KEY);
    expect(event).toEqual(parse(channel.render(firingView()).body));
  });

  test.each(HOSTILE_NAMES)('a name that is %s fits', (_name, agentName) => {
    const { payload } = parse(channel.render(firingView({ agentName })).body);
    expect(Array.from(payload.summary).length).toBeLessThanOrEqual(1_024);
    expect(payload.summary).not.toMatch(/[\r\n]/);
  });

  test('details past 512 KB are replaced by a note, and the event is taken', async () => {
    const { sink, attempt } = rig();
    const { body } = channel.render(firingView({ agentName: '🤖'.repeat(200_000) }));
    expect(Buffer.byteLength(body)).toBeLessThan(512_000);
    expect(parse(body).payload.custom_details).toEqual({ note: expect.stringMatching(/too long/) });
    expect(await attempt({ body })).toMatchObject({ kind: 'accepted' });
    expect(sink.messages()).toHaveLength(1);
  });

  test('an agent without a name has a source all the same', async () => {
    const { body } = channel.render(firingView({ agentName: ' ' }));
    expect(parse(body).payload).toMatchObject({ source: 'unnamed agent' });
    expect(await rig().attempt({ body })).toMatchObject({ kind: 'accepted' });
  });
});
