/** Spec §7: without any service the same rules run in the process, and its channels are sent from it. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Admitted, Reservation } from '../../sdk/admission.js';
import {
  AgentKavach,
  Budget,
  BudgetExceededError,
  ConfigurationError,
  type AgentKavachOptions,
} from '../../sdk/index.js';
import type { Sink } from '../../fakes/sink.js';
import { aloneOf, openSink, requested, spend, takingSend } from './sdk-alone-kit.js';

const channel: typeof AgentKavach.channel = (type, options) => AgentKavach.channel(type, options);
const USD = 1_000_000_000;
const DAY = 86_400_000;
const KEY = '0123456789abcdef0123456789abcdef';
const kill = channel('kill', { threshold: 1 });

function everyChannel(sink: Sink): Pick<AgentKavachOptions, 'channels' | 'standalone'> {
  const template = { text: '{agent_name} at {pct}%' };
  return {
    channels: [
      channel('slack', { threshold: 0.5, webhookUrl: `${sink.url}/slack/team`, template }),
      channel('webhook', { threshold: 0.6, url: `${sink.url}/webhook/ops`, secret: 'canary' }),
      channel('email', { threshold: 0.7, to: 'ops@example.com', apiKey: 're_canary' }),
      channel('pagerduty', { threshold: 0.9, routingKey: KEY }),
      kill,
    ],
    standalone: {
      allowTargets: ['127.0.0.1:*'],
      ...{ resendUrl: `${sink.url}/resend`, pagerdutyUrl: `${sink.url}/pagerduty` },
    },
  };
}

const pathsOf = (sink: Sink): string[] => sink.messages().map(({ path }) => path);

describe('channels are sent from the process', () => {
  test('T2. each at its threshold, once, also by the guard that loads all of it late', async () => {
    const sink = await openSink();
    const guard = new AgentKavach(
      {
        ...{ agentName: 'research-bot', budget: Budget.daily(10) },
        ...everyChannel(sink),
      },
      { environment: {} },
    );
    await spend(guard, 4.9);
    expect(sink.requests).toHaveLength(0);
    await spend(guard, 0.1);
    await requested(sink, 1);
    await spend(guard, 1);
    await requested(sink, 2);
    await spend(guard, 1);
    await requested(sink, 3);
    await spend(guard, 1.5);
    await spend(guard, 0.5);
    await guard.close();
    expect(pathsOf(sink)).toEqual([
      ...['/slack/team', '/webhook/ops', '/resend/emails', '/pagerduty/v2/enqueue'],
    ]);
    const [slack, webhook, email, pagerduty] = sink.messages();
    expect(JSON.parse(slack?.body ?? '')).toEqual({ text: 'research-bot at 50%' });
    const signature = createHmac('sha256', 'canary')
      .update(webhook?.body ?? '')
      .digest('hex');
    expect(webhook?.headers['x-agentkavach-signature']).toBe(`sha256=${signature}`);
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      data: { agent_name: 'research-bot', pct: 60, dashboard_url: null },
    });
    expect(email?.headers.authorization).toBe('Bearer re_canary');
    expect(JSON.parse(email?.body ?? '')).toMatchObject({ to: 'ops@example.com' });
    expect(JSON.parse(pagerduty?.body ?? '')).toMatchObject({
      ...{ routing_key: KEY, event_action: 'trigger', payload: { severity: 'error' } },
    });
    for (const { body } of sink.messages()) expect(body).not.toContain('Open in Kavach');
    expect(guard.status()).toMatchObject({ standalone: true, spent: 9, remaining: 1 });
  });

  test('A3, A11. what fails is told and tried again, with the same bytes and key', async () => {
    const sink = await openSink();
    sink.script('webhook', [{ type: 'status', status: 503 }]);
    const { channels: all = [], ...rest } = everyChannel(sink);
    const channels = all.filter(({ type }) => type === 'webhook');
    const { guard, timers, heard, said } = aloneOf({ budget: Budget.daily(10), channels, ...rest });
    await spend(guard, 6);
    await heard('was not taken');
    expect(sink.messages()).toHaveLength(0);
    await timers.advance(29_999);
    expect(sink.requests).toHaveLength(1);
    await timers.advance(1);
    await requested(sink, 2);
    const [first, second] = sink.requests;
    expect([second?.body, second?.key]).toEqual([first?.body, first?.key]);
    expect(said.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ channel: 'webhook' }) }),
    ]);
    expect(JSON.stringify(said)).not.toContain(sink.url);
  });

  test('an address inside the house is refused unless it is allowed, and that is told', async () => {
    const sink = await openSink();
    const channels = [channel('webhook', { threshold: 0.5, url: `${sink.url}/webhook/ops` })];
    const { guard, heard, said } = aloneOf({ budget: Budget.daily(10), channels });
    await spend(guard, 6);
    await heard('could not be sent');
    expect(sink.requests).toHaveLength(0);
    expect(JSON.stringify(said)).toContain('public internet');
  });

  test('T7. of an end hear PagerDuty, once, and webhooks; neither Slack nor email', async () => {
    const { send, sent } = takingSend();
    const targets = [
      channel('slack', { threshold: 0.5, webhookUrl: 'https://hooks.slack.com/x' }),
      channel('webhook', { threshold: 0.5, url: 'https://ops.example/x' }),
      channel('pagerduty', { threshold: 0.5, routingKey: KEY }),
      channel('pagerduty', { threshold: 0.9, routingKey: KEY }),
    ];
    const { guard, timers } = aloneOf({ budget: Budget.daily(10), channels: targets }, send);
    await spend(guard, 9.5);
    await timers.settle();
    expect(sent).toHaveLength(4);
    await timers.advance(DAY);
    const ends = sent.slice(4).map(({ delivery }) => [delivery.route.channel, delivery.purpose]);
    expect(ends.sort()).toEqual([
      ['pagerduty', 'resolve'],
      ['webhook', 'resolve'],
    ]);
  });

  test('close waits for what is being sent, holds the process for it, and not for longer', async () => {
    const answers: (() => void)[] = [];
    const channels = [channel('webhook', { threshold: 0.5, url: 'https://ops.example/x' })];
    const { guard, timers, held, said } = aloneOf(
      { budget: Budget.daily(10), channels },
      () =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve({ kind: 'accepted', reason: 'taken' });
          });
        }),
    );
    await spend(guard, 6);
    expect(held()).toBe(0);
    let isClosed = false;
    const closing = guard.close({ timeoutMs: 1_000 }).then(() => {
      isClosed = true;
    });
    await timers.settle();
    expect([isClosed, held()]).toEqual([false, 1]);
    await timers.advance(1_000);
    await closing;
    expect([answers.length, held()]).toEqual([1, 0]);
    expect(said.at(-1)).toMatchObject({ level: 'error', fields: { channel: 'webhook' } });
  });
});

describe('kills', () => {
  test('K1. onKill runs once, and every later call throws at once', async () => {
    const channels = [channel('kill', { threshold: 0.8 })];
    const { guard, kills } = aloneOf({ budget: Budget.daily(10), channels });
    await spend(guard, 8);
    expect(kills).toEqual(['cost']);
    for (let again = 0; again < 2; again += 1) {
      const error = await spend(guard, 0.01).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BudgetExceededError);
      expect(error).toMatchObject({ spent: 8, limit: 10, period: 'daily', reason: 'cost' });
    }
    expect(kills).toEqual(['cost']);
    expect(guard.status()).toMatchObject({ killed: 'cost', remaining: 2, standalone: true });
  });

  test('K1, T7. a new period lifts the kill, and the next one is told again', async () => {
    const channels = [channel('kill', { threshold: 0.8 })];
    const { guard, kills, timers } = aloneOf({ budget: Budget.daily(10), channels });
    await spend(guard, 9);
    await timers.advance(DAY / 2 - 1);
    await expect(spend(guard, 1)).rejects.toThrow(BudgetExceededError);
    await timers.advance(1);
    await spend(guard, 1);
    expect(guard.status()).toMatchObject({ spent: 1, remaining: 9 });
    await spend(guard, 8);
    await expect(spend(guard, 0.5)).rejects.toThrow(BudgetExceededError);
    expect(kills).toEqual(['cost', 'cost']);
  });

  test('B2. days begin where the option says; what was under way ends in its own', async () => {
    const { guard, timers } = aloneOf({
      ...{ budget: Budget.daily(10), channels: [kill] },
      standalone: { timeZone: 'Europe/Berlin' },
    });
    let finish: () => void = () => undefined;
    const before = guard.call({ model: 'gpt-4o', usd: 8, tokens: 10 }, async (bill) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      bill({ inputTokens: 1, outputTokens: 1, usd: 8 });
    });
    await timers.advance(11 * 3_600_000);
    expect(new Date(timers.now()).toISOString()).toBe('2026-11-21T23:00:00.000Z');
    await spend(guard, 9);
    finish();
    await before;
    expect(guard.status()).toMatchObject({ spent: 9, remaining: 1 });
  });

  test('B9. without a kill a budget tells, and holds nothing back', async () => {
    const { send, sent } = takingSend();
    const channels = [channel('webhook', { threshold: 1, url: 'https://ops.example/x' })];
    const { guard, timers } = aloneOf({ budget: Budget.daily(10), channels }, send);
    await spend(guard, 9);
    await spend(guard, 9);
    await timers.settle();
    expect(sent).toHaveLength(1);
    expect(guard.status()).toMatchObject({ spent: 18, remaining: 0 });
  });

  test('of the shared budget is its own, and it says whose that is', async () => {
    const { send, sent } = takingSend();
    const channels = [channel('webhook', { threshold: 0.5, url: 'https://ops.example/x' }), kill];
    const { guard, kills, said, timers } = aloneOf(
      { budget: Budget.monthly(100), orgBudget: Budget.orgBudget(10), channels },
      send,
    );
    await spend(guard, 10);
    await expect(spend(guard, 1)).rejects.toThrow(BudgetExceededError);
    expect(kills).toEqual(['org_budget_exceeded']);
    await timers.settle();
    expect(sent.map(({ input }) => input.facts.agentName)).toEqual([
      'organisation (this process of research-bot alone)',
    ]);
    expect(said.map(({ message }) => message).join()).toContain("this process's alone");
    await timers.advance(DAY / 2);
    await spend(guard, 10);
    expect(guard.status()).toMatchObject({ spent: 10, remaining: 0 });
  });

  test('of a run: its channels hear of tokens and of its time', async () => {
    const { send, sent } = takingSend();
    const url = 'https://ops.example/x';
    const channels = [
      channel('webhook', { threshold: 0.5, url, budgetType: 'tokens_total' }),
      channel('webhook', { threshold: 0.5, url, budgetType: 'duration' }),
    ];
    const { guard, timers } = aloneOf(
      { maxTokensPerRun: 20, maxRuntimeSeconds: 60, channels },
      send,
    );
    await spend(guard, 1);
    await timers.settle();
    expect(sent.map(({ input }) => 'dimension' in input.facts && input.facts.dimension)).toEqual([
      'tokens_total',
    ]);
    await timers.advance(30_000);
    expect(sent).toHaveLength(2);
  });
});

describe('the budget', () => {
  test('L1. many calls at once at its edge overshoot by nothing', async () => {
    const { guard, timers } = aloneOf({ budget: Budget.daily(1), channels: [kill] });
    let underWay = 0;
    let most = 0;
    const calls = Array.from({ length: 50 }, () =>
      guard.call({ model: 'gpt-4o', usd: 0.1, tokens: 10 }, async (bill) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await timers.settle();
        underWay -= 1;
        bill({ inputTokens: 1, outputTokens: 0, usd: 0.1 });
      }),
    );
    const ended = await Promise.allSettled(calls);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(most).toBe(10);
    expect(guard.status()).toMatchObject({ spent: 1, remaining: 0 });
  });

  test('what calls under way do not use is given to who waits; nobody waits in vain for long', async () => {
    const { admission, timers, held } = aloneOf({ budget: Budget.daily(1), channels: [kill] });
    const worst = { cost: 0.6 * USD, tokens: 1, calls: 1 };
    const first = reservationOf(await admission.admit(worst));
    const second = admission.admit(worst);
    const third = admission.admit(worst);
    expect(held()).toBe(2);
    first?.settle({ ...worst, cost: 0.1 * USD }, REPORT);
    expect((await second).type).toBe('admitted');
    await timers.advance(5_000);
    expect(await third).toMatchObject({ type: 'refused', refusal: { why: 'budget' } });
    expect(held()).toBe(0);
  });

  test('L2. spent + reserved <= limit, in whatever order calls begin and end', async () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('admit' as const), usd: fc.integer({ min: 0, max: 60 }) }),
      fc.record({
        ...{ type: fc.constant('end' as const), which: fc.nat(20) },
        share: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      }),
      fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 7_200_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { admission, timers } = aloneOf({
          ...{ budget: Budget.hourly(1), orgBudget: Budget.orgBudget(2), channels: [kill] },
        });
        const open: { reservation: Reservation; cost: number; at: number }[] = [];
        const billed: { cost: number; at: number }[] = [];
        const admitted = (cost: number, at: number) => (answer: Admitted) => {
          const reservation = reservationOf(answer);
          if (reservation !== undefined) open.push({ reservation, cost, at });
        };
        for (const each of steps) {
          if (each.type === 'pass') await timers.advance(each.ms);
          if (each.type === 'admit') {
            const cost = each.usd * 10_000_000;
            const answer = admission.admit({ cost, tokens: 1, calls: 1 });
            if (answer instanceof Promise)
              void answer.then((a) => {
                admitted(cost, timers.now())(a);
              });
            else admitted(cost, timers.now())(answer);
          }
          const [ended] =
            each.type === 'end' ? open.splice(each.which % (open.length || 1), 1) : [];
          if (each.type === 'end' && ended !== undefined) {
            const cost = each.share === undefined ? undefined : (ended.cost * each.share) / 100;
            if (cost === undefined) ended.reservation.release();
            else {
              ended.reservation.settle({ cost, tokens: 1, calls: 1 }, REPORT);
              billed.push({ cost, at: ended.at });
            }
          }
          await Promise.resolve();
          for (const [length, limit] of [
            [3_600_000, 1],
            [DAY, 2],
          ] as const) {
            const sums = new Map<number, number>();
            for (const { cost, at } of [...open, ...billed]) {
              const period = Math.floor(at / length);
              sums.set(period, (sums.get(period) ?? 0) + cost);
            }
            expect(Math.max(0, ...sums.values())).toBeLessThanOrEqual(limit * USD);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('a call that nobody asked for counts all the same', () => {
    const { guard } = aloneOf({ budget: Budget.daily(10), channels: [kill] });
    guard.record({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1, usd: 4 });
    expect(guard.status()).toMatchObject({ spent: 4, remaining: 6, waiting: 0, connected: false });
  });
});

test('mistakes are errors at construction', () => {
  const make = () =>
    new AgentKavach(
      {
        agentName: 'bot',
        standalone: {
          timeZone: 'Mars',
          emailFrom: 'nobody',
          allowTargets: ['a b'],
          from: 1,
        } as object,
        channels: [channel('email', { threshold: 1, to: 'a@b.example' })],
      },
      { environment: {} },
    );
  expect(make).toThrow(ConfigurationError);
  for (const path of ['timeZone', 'emailFrom', 'allowTargets', 'from']) {
    expect(make).toThrow(`standalone.${path}`);
  }
  expect(make).toThrow('channels[0].apiKey');
});

const REPORT = {
  ...{ provider: 'openai', model: 'gpt-4o', inputTokens: 1, outputTokens: 0, durationMs: 1 },
  status: 'success',
} as const;

function reservationOf(answer: Admitted): Reservation | undefined {
  return answer.type === 'admitted' ? answer.reservation : undefined;
}
