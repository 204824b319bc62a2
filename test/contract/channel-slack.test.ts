import { describe, expect, test } from 'vitest';
import type { Channel } from '../../channels/channel.js';
import { createSlackChannel } from '../../channels/slack.js';
import type { OutcomeKind } from '../../domain/alert/outcome.js';
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
import { LOOPBACK_GUARD } from './loopback-guard.js';

const slack: ChannelUnderTest = {
  name: 'slack',
  path: '/slack/T0/B0/canary-token',
  create: () => createSlackChannel({ guard: LOOPBACK_GUARD }),
  destination: (url) => ({ address: `${url}/slack/T0/B0/canary-token` }),
};

interface Message {
  readonly text: string;
  readonly blocks?: readonly { readonly type: string; readonly text?: { readonly text: string } }[];
}

const parse = (body: string): Message => JSON.parse(body) as Message;

channelSuite(slack);

describe('what Slack says', () => {
  const rig = useRig(slack);

  test.each<[number, string, OutcomeKind]>([
    [400, 'no_text', 'permanent_config'],
    [400, 'user_not_found', 'permanent_recipient'],
    [400, 'too_many_attachments', 'permanent_config'],
    [403, 'action_prohibited', 'permanent_config'],
    [403, 'posting_to_general_channel_denied', 'permanent_config'],
    [403, 'invalid_token', 'permanent_recipient'],
    [403, 'team_disabled', 'permanent_recipient'],
    [404, 'channel_not_found', 'permanent_recipient'],
    [404, 'no_service', 'permanent_recipient'],
    [404, 'no_service_id', 'permanent_recipient'],
    [404, 'no_active_hooks', 'permanent_recipient'],
    [404, 'no_team', 'permanent_recipient'],
    [410, 'channel_is_archived', 'permanent_recipient'],
    [500, 'rollup_error', 'transient'],
    [503, 'no_service', 'transient'],
    [200, 'no_service', 'permanent_recipient'],
  ])('%i %s is %s', async (status, body, kind) => {
    const { sink, attempt } = rig();
    sink.script('slack', [{ type: 'status', status, body }]);
    expect(await attempt()).toMatchObject({ kind, status, reason: `HTTP ${status} ${body}` });
    expect(sink.requests).toHaveLength(1);
  });

  test.each(['<html>welcome, canary</html>', '', 'ok!', 'OK', 'o'.repeat(10)])(
    '200 with %j instead of ok is ambiguous',
    async (body) => {
      const { sink, attempt } = rig();
      sink.script('slack', [{ type: 'junk', body }]);
      expect(await attempt()).toMatchObject({ kind: 'ambiguous', status: 200 });
    },
  );

  test('200 with 10 MiB instead of ok is ambiguous', async () => {
    const { sink, attempt } = rig();
    sink.script('slack', [{ type: 'huge' }]);
    expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
  });

  test('201 with ok is not what Slack does, and ambiguous', async () => {
    const { sink, attempt } = rig();
    sink.script('slack', [{ type: 'status', status: 201, body: 'ok' }]);
    expect(await attempt()).toMatchObject({ kind: 'ambiguous' });
  });
});

describe('blocks that Slack refuses', () => {
  const rig = useRig(slack);

  test.each(['invalid_blocks', 'invalid_payload'])(
    'after %s the text alone is sent at once, in the same attempt',
    async (word) => {
      const { sink, attempt } = rig();
      sink.script('slack', [{ type: 'status', status: 400, body: word }]);
      const outcome = await attempt();
      expect(outcome).toMatchObject({ kind: 'accepted', reason: `ok (text only, after ${word})` });
      expect(sink.requests.map(({ body }) => Object.keys(parse(body)))).toEqual([
        ['text', 'blocks'],
        ['text'],
      ]);
      expect(parse(sink.requests[1]?.body ?? '').text).toBe(
        parse(sink.requests[0]?.body ?? '').text,
      );
    },
  );

  test('refused again it is permanent, and there is no third request', async () => {
    const { sink, attempt } = rig();
    const refusal = { type: 'status', status: 400, body: 'invalid_payload' } as const;
    sink.script('slack', [refusal, refusal]);
    expect(await attempt()).toMatchObject({ kind: 'permanent_config' });
    expect(sink.requests).toHaveLength(2);
  });

  test('both requests share one time-out', async () => {
    const { sink, attempt } = rig();
    sink.script('slack', [
      { type: 'status', status: 400, body: 'invalid_blocks' },
      { type: 'hang', at: 'headers' },
    ]);
    expect(await attempt({ timeoutMs: 400 })).toMatchObject({ kind: 'ambiguous' });
  });

  test('a message without blocks is not sent twice', async () => {
    const { sink, attempt } = rig();
    sink.script('slack', [{ type: 'status', status: 400, body: 'invalid_payload' }]);
    const { body } = createSlackChannel().render(firingView(), { text: 'plain' });
    expect(await attempt({ body })).toMatchObject({ kind: 'permanent_config' });
    expect(sink.requests).toHaveLength(1);
  });
});

describe('what is sent to Slack', () => {
  const channel = createSlackChannel();
  const render: Channel['render'] = (view, template) => channel.render(view, template);
  const rig = useRig(slack);

  test.each([
    ['firing', firingView()],
    ['resolved', resolvedView()],
    ['killing', killingView()],
    ['late', lateView()],
    ['notice', noticeView()],
    ['agent-notice', wordsView()],
  ])('the %s message', async (name, view) => {
    const pretty = `${JSON.stringify(parse(render(view).body), undefined, 2)}\n`;
    await expect(pretty).toMatchFileSnapshot(`golden/slack-${name}.json`);
  });

  test.each(HOSTILE_NAMES)('a name that is %s stays text', (_name, agentName) => {
    const template = { text: 'Mind {agent_name}!' };
    const view = firingView({ agentName });
    for (const { body } of [render(view), render(view, template)]) {
      const { text, blocks = [] } = parse(body);
      // The only angle brackets left are those of our own link.
      expect(text.replace(/<https:[^<>]*\|Open in Kavach>/, '')).not.toMatch(/[<>]/);
      expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/);
      for (const block of blocks) {
        if (block.type === 'header') expect(block.text?.text.length).toBeLessThanOrEqual(150);
      }
    }
  });

  test('a custom template: variables in text and blocks, its own markup untouched', () => {
    const { body } = render(firingView({ agentName: 'a<b' }), {
      text: '<!here> :rotating_light: {agent_name} at {pct}% of {period} {budget_type} {{limit}} {nobody}',
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: '*{spent_fmt}* of {budget_fmt}' } },
      ],
    });
    expect(parse(body)).toEqual({
      text: '<!here> :rotating_light: a&lt;b at 82% of daily cost {limit} {nobody}',
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*$4.13* of $5.00' } }],
    });
  });

  test('a custom template past the limits of Slack is cut, or loses its blocks', async () => {
    const header = { type: 'header', text: { type: 'plain_text', text: 'h'.repeat(400) } };
    const cut = render(firingView(), { text: 't', blocks: Array(60).fill(header).slice(0, 55) });
    expect(cut.body.length).toBeLessThan(9_000);
    const few = parse(render(firingView(), { text: 't', blocks: [header] }).body);
    expect(few.blocks?.[0]?.text?.text).toHaveLength(150);
    const section = { type: 'section', text: { type: 'mrkdwn', text: '&'.repeat(3_500) } };
    const { body } = render(firingView(), {
      text: 'big',
      blocks: [section, section, section, section],
    });
    expect(parse(body)).toEqual({ text: 'big' });
    const long = render(firingView(), { text: '&amp;'.repeat(2_000) });
    expect(parse(long.body).text).toMatch(/&amp;…$/);
    expect(await rig().attempt({ body: long.body })).toMatchObject({ kind: 'accepted' });
  });

  test.each([
    'not a url canary',
    'ftp://canary.example.com/x',
    'https://canary:secret@example.com/',
  ])('an address that cannot be posted to is permanent: %s', async (address) => {
    expect(await rig().attempt({ destination: { address } })).toMatchObject({
      kind: 'permanent_config',
    });
  });
});
