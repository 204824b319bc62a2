/** A1, A5: an alert that has reached nobody is told to the operators before it is given up. */
import { describe, expect, test } from 'vitest';
import type { Suppression } from '../../domain/alert/outcome.js';
import { stormNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import type { AlertRoute, NoticeAlert, Response } from '../../domain/alert/state.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import { routeAudience } from '../../domain/routing.js';
import type { ChannelName } from '../../domain/words.js';
import { driveAlert, HOUR, inputOf, outcome, ruleInputOf } from './alert-driver.js';
import { T0 } from './budget-driver.js';

const MINUTE = 60_000;
const operators = (...channels: ChannelName[]): Response => ({
  operators: channels.map((channel) => ({ channel, destination: `ops-${channel}` })),
});
const push: AlertRoute = { channel: 'push', recipient: 'noc', fallback: [] };
const off = (suppressed: Suppression): AlertRoute => ({
  ...{ channel: 'email', recipient: 'noc', destination: 'mail-of-noc' },
  suppressed,
});
type Driver = ReturnType<typeof driveAlert>;
/** Only destinations of these names accept. */
const only =
  (...good: string[]) =>
  (_channel: string, _attempt: number, destination: string) =>
    outcome(good.includes(destination) ? 'accepted' : 'permanent_recipient');
const toOps = only('ops-email', 'ops-slack', 'ops-webhook', 'ops-sms');
const told = (driver: Driver): string[] =>
  driver.sent.filter(({ purpose }) => purpose === 'fire').map(({ destination }) => destination);
const said = (driver: Driver) =>
  driver.journal.flatMap(({ what, reason }) => (what === 'last_resort' ? [reason] : []));
const resultOf = (driver: Driver) => alertStatusOf(driver.state).result;

describe('an alert that nobody got', () => {
  test('push to somebody who is not connected and has no contact: the operators, at once', () => {
    const { routes } = routeAudience({
      ...{ audience: { recipients: ['noc'], channels: ['push'] }, agent: 'bot', now: T0 },
      ...{ priority: 'critical', operators: [] },
      recipients: [
        {
          ...{ id: 'noc', contacts: [] },
          preferences: {
            ...{ default: {}, agents: {}, minimumPriority: {}, zone: 'UTC', unsubscribed: false },
            digest: { cadence: 'hourly', hour: 8 },
          },
        },
      ],
    });
    const driver = driveAlert(ruleInputOf(routes, 'critical', operators('webhook')), toOps);
    expect(driver.sent.map(({ destination, at }) => [destination, at])).toEqual([
      ['', 0],
      ['ops-webhook', 0],
    ]);
    expect(said(driver)).toEqual(['nobody_reached']);
    expect(resultOf(driver)).toBe('degraded');
    expect(driver.journal.map(({ what }) => what)).not.toContain('exhausted');
  });

  test('all of the operators’ ways, each once; two channels make a critical one delivered', () => {
    const response = operators('webhook', 'email');
    const driver = driveAlert(ruleInputOf([push], 'critical', response), toOps);
    driver.pass(HOUR);
    expect(told(driver)).toEqual(['', 'ops-webhook', 'ops-email']);
    expect(resultOf(driver)).toBe('delivered');
  });

  test('only after everything else has ended, its ladder and its own fallbacks', () => {
    const mail = { channel: 'email', destination: 'mail-of-noc', recipient: 'noc' } as const;
    const routes = [{ ...push, fallback: [mail] }];
    const driver = driveAlert(
      ruleInputOf(routes, 'medium', operators('webhook')),
      (channel, _attempt, destination) =>
        outcome(
          destination === 'ops-webhook'
            ? 'accepted'
            : channel === 'email'
              ? 'transient'
              : 'permanent_recipient',
        ),
    );
    driver.pass(HOUR);
    expect(driver.sent.at(-1)).toMatchObject({ destination: 'ops-webhook', at: 12.5 * MINUTE });
    expect(resultOf(driver)).toBe('delivered');
  });

  test('what could not be made counts like what failed', () => {
    for (const reason of ['no_destination', 'unverified', 'unhealthy_destination'] as const) {
      const route = { ...off(reason), fallback: [] };
      const driver = driveAlert(ruleInputOf([route], 'medium', operators('slack')), toOps);
      expect(told(driver), reason).toEqual(['ops-slack']);
    }
  });

  test('nobody else is told where one has it, it waits, or a person has spoken', () => {
    const ana: AlertRoute = { channel: 'email', destination: 'ana', recipient: 'ana' };
    const reached = driveAlert(
      ruleInputOf([push, ana], 'critical', operators('slack')),
      only('ana'),
    );
    reached.pass(HOUR);
    expect(said(reached)).toEqual([]);
    const quiet = { ...ana, notBefore: T0 + HOUR };
    const waits = driveAlert(ruleInputOf([push, quiet], 'high', operators('slack')), toOps);
    waits.pass(HOUR / 2);
    expect(said(waits)).toEqual([]);
    const hangs = driveAlert(ruleInputOf([push], 'critical', operators('slack')), () => 'hang');
    const delivery = hangs.hanging[0]?.delivery.id ?? '';
    hangs.send({ type: 'acknowledged', by: 'ana' });
    hangs.send({ type: 'attemptLost', delivery, attempt: 1 });
    hangs.pass(HOUR);
    expect(told(hangs)).toEqual(['']);
  });

  test('once, and never one that was tried: the fallbacks of a budget’s own ways come first', () => {
    const driver = driveAlert(inputOf(['slack'], 8_000, operators('email', 'webhook')), only());
    driver.pass(HOUR);
    expect(told(driver)).toEqual(['d0', 'ops-email', 'ops-webhook']);
    expect(said(driver)).toEqual(['nobody_reached']);
    const alone = driveAlert(inputOf(['slack'], 8_000, operators('email')), only());
    alone.pass(HOUR);
    expect(told(alone)).toEqual(['d0', 'ops-email']);
    expect(said(alone)).toEqual([]);
  });

  test('A1: exhausted, once, where the operators fail, too', () => {
    const driver = driveAlert(ruleInputOf([push], 'critical', operators('slack', 'email')), only());
    driver.pass(HOUR);
    expect(resultOf(driver)).toBe('exhausted');
    expect(driver.journal.filter(({ what }) => what === 'exhausted')).toHaveLength(1);
    const dies = driveAlert(ruleInputOf([push], 'critical'), only());
    expect(resultOf(dies)).toBe('exhausted');
  });

  test('A6: a vote that is taken back may be the last one', () => {
    const driver = driveAlert(inputOf(['slack'], 9_000, operators('slack')), (_channel, _no, to) =>
      outcome(to === 'ops-slack' ? 'permanent_config' : 'accepted'),
    );
    const { id = '' } = driver.state.deliveries[0] ?? {};
    driver.send({ type: 'revoked', delivery: id, reason: 'bounced' });
    driver.pass(HOUR);
    expect(resultOf(driver)).toBe('exhausted');
    const mail: AlertRoute = { channel: 'email', destination: 'a', recipient: 'a', fallback: [] };
    const saved = driveAlert(ruleInputOf([mail], 'medium', operators('slack')), () =>
      outcome('accepted'),
    );
    saved.send({
      ...{ type: 'revoked', delivery: saved.state.deliveries[0]?.id ?? '', reason: 'bounced' },
    });
    expect(told(saved)).toEqual(['a', 'ops-slack']);
  });
});

describe('what its people decided', () => {
  const choices = [off('preference'), { ...off('priority'), channel: 'sms' } as const];

  test('keeps any alert from them, and a critical one from nobody', () => {
    const high = driveAlert(ruleInputOf(choices, 'high', operators('slack')), toOps);
    high.pass(HOUR);
    expect(told(high)).toEqual([]);
    expect(resultOf(high)).toBe('exhausted');
    const critical = driveAlert(ruleInputOf(choices, 'critical', operators('slack')), toOps);
    expect(told(critical)).toEqual(['ops-slack']);
    expect(said(critical)).toEqual(['nobody_willing']);
  });

  test('one that failed beside it is a failure', () => {
    const routes = [off('preference'), push];
    const driver = driveAlert(ruleInputOf(routes, 'medium', operators('slack')), toOps);
    expect(told(driver)).toEqual(['', 'ops-slack']);
    expect(said(driver)).toEqual(['nobody_reached']);
  });

  test('what another alert has told, a silence or a storm held, or was doubled, is no failure', () => {
    for (const reason of ['superseded', 'dedup', 'silenced', 'storm'] as const) {
      const driver = driveAlert(ruleInputOf([push], 'critical', operators('slack')), () => reason);
      driver.pass(HOUR);
      expect(told(driver), reason).toEqual(['']);
    }
  });
});

describe('which alerts have it', () => {
  test('none of low priority', () => {
    const driver = driveAlert(ruleInputOf([push], 'low', operators('slack')), toOps);
    driver.pass(HOUR);
    expect(told(driver)).toEqual(['']);
    expect(resultOf(driver)).toBe('exhausted');
  });

  test('A7: a text message is only for high and critical', () => {
    const response = operators('sms');
    const medium = driveAlert(ruleInputOf([push], 'medium', response), toOps);
    medium.pass(HOUR);
    expect(medium.state.deliveries).toHaveLength(1);
    expect(resultOf(medium)).toBe('exhausted');
    const refused = driveAlert(ruleInputOf([push], 'medium', operators('webhook', 'sms')), () =>
      outcome('permanent_config'),
    );
    refused.pass(HOUR);
    expect(refused.state.deliveries.map(({ route }) => route.channel)).toEqual(['push', 'webhook']);
    const high = driveAlert(ruleInputOf([push], 'high', response), toOps);
    expect(told(high)).toEqual(['', 'ops-sms']);
  });

  test('no late crossing, and no notice about the service itself', () => {
    const crossing = inputOf(['slack'], 10_000, operators('email', 'webhook'));
    const late = driveAlert({ ...crossing, facts: { ...crossing.facts, late: true } }, only());
    expect(told(late)).toEqual(['d0', 'ops-email']);
    const storm = stormNotice(
      ...([
        { org: 'acme', destination: 'd7', channel: 'slack', held: 4, from: T0, alerts: [] },
      ] as const),
      ...([DEFAULT_POLICY, T0] as const),
    );
    const notice = (topic: 'storm' | 'service'): NoticeAlert => ({
      ...{ ...storm, facts: { ...storm.facts, topic } },
      response: operators('email', 'webhook'),
    });
    expect(told(driveAlert(notice('service'), only()))).toEqual(['d7', 'ops-email']);
    expect(told(driveAlert(notice('storm'), only()))).toEqual(['d7', 'ops-email', 'ops-webhook']);
  });

  test('A1, R3: a notice and a rule’s alert are over only when it has ended', () => {
    const retried = (channel: string, attempt: number) =>
      outcome(channel === 'push' ? 'permanent_recipient' : attempt < 3 ? 'transient' : 'accepted');
    const { audience: _none, ...rule } = ruleInputOf([push], 'high', operators('webhook'));
    const notice: NoticeAlert = {
      ...{ ...rule, kind: 'notice', subject: 'notice/bot' },
      facts: {
        ...{ kind: 'notice', org: 'acme', topic: 'agent', agentName: 'bot', title: 'News' },
        ...{ lines: [], severity: 'error', priority: 'high', at: T0 },
      },
    };
    for (const input of [rule, notice]) {
      const driver = driveAlert(input, retried, true);
      if (input.kind === 'rule') driver.send({ type: 'subjectEnded', at: T0 });
      driver.pass(MINUTE);
      expect(alertMachine.isSettled(driver.state), input.kind).toBe(false);
      driver.pass(HOUR);
      expect(told(driver), input.kind).toEqual(['', ...Array<string>(3).fill('ops-webhook')]);
      expect(resultOf(driver), input.kind).toBe('delivered');
      expect(alertMachine.isSettled(driver.state), input.kind).toBe(true);
    }
  });

  test('A8, A13: a silence holds it until its end, also where it follows a level', () => {
    const level = { ...push, recipient: 'lead' };
    const response = {
      ...operators('webhook'),
      escalation: { rounds: 1, levels: [{ afterMs: 15 * MINUTE, routes: [level] }] },
    };
    const quiet = { ...off('preference'), destination: 'mail' };
    let now: () => number = () => T0;
    const driver = driveAlert(ruleInputOf([quiet], 'high', response), (channel) => {
      if (channel !== 'webhook') return outcome('permanent_config');
      if (now() >= T0 + HOUR) return outcome('accepted');
      return { type: 'held', reason: 'silenced', until: T0 + HOUR };
    });
    now = () => driver.now;
    driver.pass(2 * HOUR);
    expect(resultOf(driver)).toBe('delivered');
  });

  test('A8: the escalation goes on from it', () => {
    const level = { channel: 'pagerduty', destination: 'level' } as const;
    const response = {
      ...operators('webhook'),
      escalation: { rounds: 1, levels: [{ afterMs: 15 * MINUTE, routes: [level] }] },
    };
    const driver = driveAlert(ruleInputOf([push], 'high', response), toOps);
    driver.pass(HOUR);
    expect(driver.sent.map(({ destination, at }) => [destination, at / MINUTE])).toEqual([
      ['', 0],
      ['ops-webhook', 0],
      ['level', 15],
    ]);
    expect(resultOf(driver)).toBe('delivered');
  });
});
