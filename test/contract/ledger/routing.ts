/** P1 to P4: whom an alert is told is decided once, with a reason for each, and kept. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../domain/alert/policy.js';
import type { Audience, NoticeAlert } from '../../../domain/alert/state.js';
import { DEFAULT_PREFERENCES } from '../../../domain/preferences.js';
import type { Priority } from '../../../domain/words.js';
import { NOW, ORG, type Bed } from './bed.js';
import { peopleOf } from './people.js';

function noticeFor(audience: Audience, id = 'alert/1', priority: Priority = 'high'): NoticeAlert {
  return {
    ...{ id, org: ORG, routes: [], audience, policy: DEFAULT_POLICY, kind: 'notice' },
    subject: 'notice/bot',
    facts: {
      ...{ kind: 'notice', org: ORG, topic: 'agent', agentName: 'bot', title: 'News', lines: [] },
      ...{ severity: 'error', priority, at: NOW },
    },
  };
}

export function routingContract(bed: Bed): void {
  const { add, verified } = peopleOf(bed);
  const items = () => bed.sql('select recipient, alert_id, cadence from digest_item');

  describe('routing an alert', () => {
    test('every recipient has one decision a channel, with what decided it', async () => {
      const mail = await verified('ana', 'ana@example.com');
      await add('bo', { default: { push: false } });
      const input = noticeFor({ recipients: ['ana', 'bo'], channels: ['push', 'email'] });
      const routes = await bed.ledger().routeAlert(input, NOW);
      expect(routes).toEqual([
        {
          ...{ channel: 'push', recipient: 'ana' },
          fallback: [{ channel: 'email', destination: mail, recipient: 'ana' }],
        },
        {
          ...{ channel: 'email', destination: mail, recipient: 'ana' },
          fallback: [{ channel: 'push', recipient: 'ana' }],
        },
        { channel: 'push', recipient: 'bo', suppressed: 'preference' },
        { channel: 'email', recipient: 'bo', suppressed: 'no_destination', fallback: [] },
      ]);
      const decisions = await bed.ledger().routing(ORG, 'alert/1');
      const said = decisions.map(({ recipient, channel, what, reason }) =>
        [recipient, channel, what, reason].join(' '),
      );
      expect(said).toEqual([
        'ana push send wanted',
        'ana email send wanted',
        'bo push suppress preference',
        'bo email suppress no_destination',
      ]);
      const { default: _default, agents: _agents, ...rest } = DEFAULT_PREFERENCES;
      expect(decisions[2]).toMatchObject({
        at: NOW,
        preferences: { ...rest, channels: { push: false, email: true, sms: true } },
      });
      expect(await bed.ledger().routing('other', 'alert/1')).toEqual([]);
    });

    test('the first decision stands, whatever changes and however often it is asked', async () => {
      await add('ana');
      const input = noticeFor({ recipients: ['ana'], channels: ['push'] });
      const another = await bed.open();
      const answers = await Promise.all(
        [bed.ledger(), another, bed.ledger()].map((each) => each.routeAlert(input, NOW)),
      );
      await bed
        .ledger()
        .setPreferences(
          { org: ORG, id: 'ana' },
          { ...DEFAULT_PREFERENCES, default: { push: false } },
          { by: 'ana', now: NOW },
        );
      answers.push(await bed.ledger().routeAlert(input, NOW + 1));
      const first = [{ channel: 'push', recipient: 'ana', fallback: [] }];
      expect(answers).toEqual([first, first, first, first]);
      expect(await bed.ledger().routing(ORG, 'alert/1')).toHaveLength(1);
      expect(await bed.ledger().routeAlert({ ...input, id: 'alert/2' }, NOW)).toMatchObject([
        { suppressed: 'preference' },
      ]);
    });

    test('P3: low priority is in the digest once, with all its channels', async () => {
      await verified('ana', 'ana@example.com');
      const input = noticeFor({ recipients: ['ana'], channels: ['push', 'email'] }, 'low/1', 'low');
      await bed.ledger().routeAlert(input, NOW);
      await bed.ledger().routeAlert(input, NOW);
      expect(await items()).toEqual([{ recipient: 'ana', alert_id: 'low/1', cadence: 'hourly' }]);
    });

    test('R2: without a recipient it goes to the operators', async () => {
      const operators = [
        { channel: 'slack', destination: 'a' },
        { channel: 'slack', destination: 'b' },
      ] as const;
      await bed.ledger().setOperators(ORG, operators);
      const routes = await bed
        .ledger()
        .routeAlert(noticeFor({ recipients: [], channels: [] }), NOW);
      expect(routes).toEqual(operators);
      expect(await bed.ledger().routing(ORG, 'alert/1')).toMatchObject([
        { channel: 'slack', destination: 'a', reason: 'operators' },
        { channel: 'slack', destination: 'b', reason: 'operators' },
      ]);
    });

    test('routes of its own stay, and what has no audience is not routed', async () => {
      const own = { channel: 'webhook', destination: 'hook' } as const;
      const { audience: _nobody, ...plain } = noticeFor({ recipients: [], channels: [] });
      expect(await bed.ledger().routeAlert({ ...plain, routes: [own] }, NOW)).toEqual([own]);
      expect(await bed.ledger().routing(ORG, 'alert/1')).toEqual([]);
      const input = noticeFor({ recipients: ['nobody'], channels: ['push'] }, 'alert/2');
      expect(await bed.ledger().routeAlert({ ...input, routes: [own] }, NOW)).toEqual([
        own,
        { channel: 'push', recipient: 'nobody', suppressed: 'no_destination' },
      ]);
    });
  });
}
