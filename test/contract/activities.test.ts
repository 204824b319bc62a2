/** What the activities promise the workflows, against a ledger and a channel that only record. */
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createActivities, type ActivityDependencies } from '../../activities/index.js';
import type { DeliverInput } from '../../activities/deliver.js';
import type { Channel, DeliveryRequest } from '../../channels/channel.js';
import type { ThresholdFacts } from '../../domain/alert/facts.js';
import { stormNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import type { ClaimedPeriod, DeliveryRef, PushOffer } from '../../ledger/ledger.js';
import { limitsOf, rowWith, T0 } from '../domain/budget-driver.js';

const nobody = () => Promise.resolve(undefined);

function stage(more: Partial<ActivityDependencies['ledger']> = {}) {
  const requests: DeliveryRequest[] = [];
  const calls: string[] = [];
  let stored: { body: string; contentType: string } | undefined;
  let rendered = 0;
  const channel: Channel = {
    name: 'webhook',
    idempotent: true,
    render: () => {
      rendered += 1;
      return { body: `rendering ${String(rendered)}`, contentType: 'application/json' };
    },
    deliver: (request) => {
      calls.push('send');
      requests.push(request);
      return Promise.resolve({ kind: 'transient', reason: 'HTTP 503' });
    },
  };
  const ledger: ActivityDependencies['ledger'] = {
    publish: () => Promise.resolve('stale'),
    openPeriod: () => Promise.reject(new Error('not here')),
    openDelivery: () =>
      Promise.resolve({
        type: 'open',
        destination: { address: 'https://hook.test/' },
        ...(stored === undefined ? {} : { message: stored }),
      }),
    beginAttempt: (_ref, attempt, message) => {
      calls.push(`begin ${String(attempt)}`);
      stored ??= message;
      return Promise.resolve({
        message: stored,
        ...(attempt > 1 ? { repeatsSince: T0 - 1 } : {}),
      });
    },
    finishAttempt: (_ref, attempt) => {
      calls.push(`finish ${String(attempt)}`);
      return Promise.resolve();
    },
    appendJournal: () => Promise.resolve(),
    loadRules: () => Promise.resolve({ rev: 0, rules: [] }),
    publishRules: () => Promise.resolve(),
    noticeWords: () => Promise.resolve(undefined),
    offerPush: () => Promise.reject(new Error('not here')),
    ...{ recipient: nobody, planDigest: nobody, claimDigest: nobody, endDigest: nobody },
    digestContents: () => Promise.resolve({ total: 0, items: [] }),
    ...more,
  };
  const activities = createActivities({
    ...{ ledger, channels: { webhook: channel } },
    alertUrl: (id) => `https://kavach.test/alerts/${id}`,
    digestHourMs: 3_600_000,
    unsubscribeUrl: () => 'https://kavach.test/unsubscribe',
    ...{ now: () => T0, timeoutMs: 4_000 },
    startAlert: ({ id }) => {
      calls.push(`start ${id}`);
      return Promise.resolve('started');
    },
    pause: (ms) => {
      calls.push(`pause ${String(ms)}`);
      return Promise.resolve();
    },
  });
  return { activities, requests, calls };
}

function attempt(no: number, channel: 'webhook' | 'sms' = 'webhook'): DeliverInput {
  const row = rowWith(limitsOf(1_000, []));
  const crossing = { dimension: 'cost', bps: 8_000, limit: 1_000, spent: 800 } as const;
  const routes = [{ channel, destination: 'd1' }];
  const origin = { ...row, policy: DEFAULT_POLICY, limitsRev: 1 };
  const input = alertInputOf(origin, { ...crossing, routes }, 1, T0);
  const delivery = { id: `${input.id}/0`, route: routes[0]!, purpose: 'fire' as const };
  return { input, delivery, attempt: no };
}

describe('deliver', () => {
  test('A11: every attempt carries the same key and the same bytes', async () => {
    const { activities, requests } = stage();
    for (const no of [1, 2, 3]) await activities.deliver(attempt(no));
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map((each) => each.idempotencyKey)).size).toBe(1);
    expect(new Set(requests.map((each) => each.message.body))).toEqual(new Set(['rendering 1']));
  });

  test('A4: a repeat says since when it may have got through, a first attempt does not', async () => {
    const { activities, requests } = stage();
    for (const no of [1, 2]) await activities.deliver(attempt(no));
    expect(requests.map(({ repeatsSince }) => repeatsSince)).toEqual([undefined, T0 - 1]);
  });

  test('V-1: the attempt is written before its request, its outcome after it', async () => {
    const { activities, calls } = stage();
    await activities.deliver(attempt(1));
    expect(calls).toEqual(['begin 1', 'send', 'finish 1']);
  });

  test('V-3: a ledger that is away before the request is NothingSent, and nothing is sent', async () => {
    const away = () => Promise.reject(new Error('password of the database'));
    for (const more of [{ openDelivery: away }, { beginAttempt: away }]) {
      const { activities, requests } = stage(more);
      const failing = activities.deliver(attempt(1));
      await expect(failing).rejects.toBeInstanceOf(ApplicationFailure);
      await expect(failing).rejects.toMatchObject({ type: 'NothingSent', nonRetryable: true });
      await expect(failing).rejects.not.toThrow(/password/);
      expect(requests).toHaveLength(0);
    }
  });

  test('A14: only what sums a storm up says so to the ledger, and speaks for no crossing', async () => {
    const refs: DeliveryRef[] = [];
    const { activities } = stage({
      openDelivery: (ref) => {
        refs.push(ref);
        return Promise.resolve({ type: 'suppressed', reason: 'storm' });
      },
    });
    const storm = {
      org: 'acme',
      destination: 'd1',
      channel: 'webhook',
      held: 1,
      from: T0,
      alerts: [],
    } as const;
    const crossing = attempt(1);
    await activities.deliver(crossing);
    await activities.deliver({ ...crossing, input: stormNotice(storm, DEFAULT_POLICY, T0) });
    expect(refs.map(({ sumsUp, firing }) => [sumsUp, firing?.bps])).toEqual([
      [undefined, 8_000],
      [true, undefined],
    ]);
  });

  test('A13, P4: what a silence is held against goes with it, and that it waited for somebody', async () => {
    const refs: DeliveryRef[] = [];
    const { activities } = stage({
      openDelivery: (ref) => {
        refs.push(ref);
        return Promise.resolve({ type: 'held', until: T0 + 1 });
      },
    });
    const crossing = attempt(1);
    const answer = await activities.deliver(crossing);
    expect(answer).toEqual({ type: 'held', reason: 'silenced', until: T0 + 1 });
    const route = { ...crossing.delivery.route, recipient: 'ana', notBefore: T0 };
    await activities.deliver({ ...crossing, delivery: { ...crossing.delivery, route } });
    const { agentName: agent, cadence, at } = crossing.input.facts as ThresholdFacts;
    const about = { agent, organisation: false, cadence, dimension: 'cost', severity: 'warning' };
    expect(refs.map((ref) => ref.about)).toEqual([about, about]);
    const { subject } = crossing.input;
    expect(refs.map(({ waited }) => waited)).toEqual([
      undefined,
      { recipient: 'ana', subject, about: 'cost', at, bps: 8_000 },
    ]);
  });

  test('V-3: an outcome that could not be recorded is answered all the same', async () => {
    const { activities } = stage({ finishAttempt: () => Promise.reject(new Error('away')) });
    expect(await activities.deliver(attempt(1))).toMatchObject({
      type: 'sent',
      outcome: { kind: 'transient' },
    });
  });

  test('what the ledger holds back is not sent, nor what nobody can send', async () => {
    const reason = 'superseded' as const;
    const held = stage({ openDelivery: () => Promise.resolve({ type: 'suppressed', reason }) });
    expect(await held.activities.deliver(attempt(1))).toEqual({ type: 'suppressed', reason });
    expect(await held.activities.deliver(attempt(1, 'sms'))).toEqual({
      type: 'suppressed',
      reason: 'unsupported_channel',
    });
    expect(held.calls).toEqual([]);
  });
});

describe('push', () => {
  const toAda = (no = 1): DeliverInput => {
    const { input, delivery } = attempt(no);
    const route = { channel: 'push', recipient: 'ada' } as const;
    return { input, delivery: { ...delivery, route }, attempt: no };
  };

  test('is offered through the ledger, under the same id and with the same bytes each time', async () => {
    const offers: PushOffer[] = [];
    const { activities, calls } = stage({
      offerPush: (offer) => {
        offers.push(offer);
        return Promise.resolve({ type: 'offered', confirmWithinMs: 5_000 });
      },
    });
    for (const no of [1, 2]) {
      expect(await activities.deliver(toAda(no))).toEqual({
        ...{ type: 'offered', confirmWithinMs: 5_000 },
      });
    }
    expect(calls).toEqual(['begin 1', 'begin 2']);
    expect(offers[1]).toEqual(offers[0]);
    expect(offers[0]).toMatchObject({ recipient: 'ada', ref: { channel: 'push' } });
    const frame = JSON.parse(offers[0]!.body) as object;
    expect(frame).toMatchObject({ type: 'notification', id: offers[0]!.id, priority: 'medium' });
  });

  test('A5: nobody is connected: the outcome is recorded and answered', async () => {
    const outcome = { kind: 'permanent_recipient', reason: 'nobody is connected' } as const;
    const { activities, calls } = stage({
      offerPush: () => Promise.resolve({ type: 'sent', outcome }),
    });
    expect(await activities.deliver(toAda())).toEqual({ type: 'sent', outcome });
    expect(calls).toEqual(['begin 1', 'finish 1']);
  });

  test('V-3: an offer that the ledger did not take is NothingSent', async () => {
    const { activities } = stage({ offerPush: () => Promise.reject(new Error('away')) });
    await expect(activities.deliver(toAda())).rejects.toMatchObject({ type: 'NothingSent' });
  });
});

describe('a delivery that was accepted before', () => {
  test('A11: is not sent again, and its outcome is answered', async () => {
    const outcome = { kind: 'accepted', reason: 'HTTP 200', providerId: 'p1' } as const;
    const done = stage({ openDelivery: () => Promise.resolve({ type: 'delivered', outcome }) });
    expect(await done.activities.deliver(attempt(1))).toEqual({ type: 'sent', outcome });
    expect(done.calls).toEqual([]);
  });
});

describe('raiseAlert', () => {
  test('M-5: the alert is started at once, and the period goes on after a head start', async () => {
    const { activities, calls } = stage();
    const { input } = attempt(1);
    await activities.raiseAlert(input);
    expect(calls).toEqual([`start ${input.id}`, 'pause 100']);
  });
});

describe('periods', () => {
  test('B8: a period that a direct sender opens counts what the book holds', async () => {
    const own = { cost: 700, tokens: 7, calls: 2, firstAt: T0, lastAt: T0 };
    const row = { ...rowWith(limitsOf(1_000, [])), epoch: 1, seq: 5, own } as ClaimedPeriod;
    const { activities } = stage({ openPeriod: () => Promise.resolve(row) });
    const { key, window, name, limits } = row;
    const opened = await activities.openPeriod({ key, window, name, limits });
    expect(opened.senders).toEqual({ ledger: { epoch: 1, seq: 5, totals: own } });
  });

  test('a publish that is older than what is there is done', async () => {
    const { activities } = stage();
    await expect(activities.publishPeriod({} as never)).resolves.toBeUndefined();
  });
});
