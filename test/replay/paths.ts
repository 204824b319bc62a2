/** The kinds of path a period and an alert can take, each played once on a real server. */
import { ApplicationFailure } from '@temporalio/common';
import type { AlertWorkflowInput } from '../../domain/alert/events.js';
import { stormNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import { spreadAlert } from '../../domain/alert/spread.js';
import type { AlertRoute, RuleAlert, ThresholdAlert } from '../../domain/alert/state.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import type { BudgetPeriodInput, PeriodRow } from '../../domain/budget/input.js';
import type { Limits, Route } from '../../domain/budget/limits.js';
import type { Report } from '../../domain/budget/report.js';
import { alertWorkflowId, budgetWorkflowId } from '../../domain/ids.js';
import type { Cadence } from '../../domain/words.js';
import {
  acknowledge,
  alertStatus,
  reportTotals,
  resolve,
  status,
  subjectEnded,
} from '../../workflows/messages.js';
import { AGENT_PATHS } from './agent-paths.js';
import { away, type Kept, type Path } from './path.js';
import type { Stage } from './stage.js';
import { WAITING_PATHS } from './waiting-paths.js';

/** As short as a timer can be told apart; the bounds are those a test needs. */
const QUICK: Policy = {
  ...DEFAULT_POLICY,
  cooldownMs: 400,
  ladderMs: [20, 20, 20],
  retryMs: 30,
  closeGraceMs: 50,
};

const slack: Route = { channel: 'slack', destination: 'd1' };
const webhook: Route = { channel: 'webhook', destination: 'd2' };
const kill: Route = { channel: 'kill' };

function limitsOf(rev: number, amount: number, dimension: 'cost' | 'duration' = 'cost'): Limits {
  const thresholds = [
    { bps: 5_000, routes: [slack] },
    { bps: 10_000, routes: [slack, webhook, kill] },
  ];
  return { rev, limits: [{ dimension, amount, enforcement: 'block', thresholds }] };
}

function rowOf(org: string, more: Partial<PeriodRow> & { cadence?: Cadence } = {}): PeriodRow {
  const { cadence = 'daily', ...rest } = more;
  const endsAt = Date.now() + 3_600_000;
  return {
    key: { org, scope: 'agent:bot', cadence, period: '20261121T000000Z', generation: 1 },
    window: {
      startsAt: endsAt - 86_400_000,
      zone: 'UTC',
      ...(cadence === 'run' ? {} : { endsAt }),
    },
    name: 'bot',
    limits: limitsOf(1, 1_000),
    ...{ latches: {}, firingNo: 0, senders: {}, openAlerts: [] },
    ...rest,
  };
}

function reportOf(seq: number, cost: number, more: Partial<Report> = {}): Report {
  return { sender: 'ledger', epoch: 1, seq, cost, tokens: cost, calls: seq, limitsRev: 1, ...more };
}

/** One period of an organisation of its own, and the means to speak to it. */
function period(stage: Stage, row: PeriodRow, policy: Partial<Policy> = {}, opens = false) {
  const workflowId = budgetWorkflowId(row.key);
  const frozen = { ...QUICK, ...policy };
  const { key, window, name, limits } = row;
  const input: BudgetPeriodInput = opens
    ? { kind: 'open', opening: { key, window, name, limits }, policy: frozen }
    : { kind: 'row', row, policy: frozen };
  const handle = stage.handle(workflowId);
  const send = (report: Report) =>
    stage.client.workflow.signalWithStart('budgetPeriod', {
      ...{ workflowId, taskQueue: stage.taskQueue, args: [input] },
      ...{ signal: reportTotals, signalArgs: [report] },
    });
  const firings = (count: number) =>
    stage.until(`firing ${String(count)}`, async () => {
      const now = await handle.query(status);
      return now.firings >= count;
    });
  const close = async (seq: number, cost: number) => {
    await send(reportOf(seq, cost, { closing: true }));
    await handle.result();
  };
  const kept = (name: string): Kept => ({ name, workflowId });
  const keptAlert = (name: string, no: number, bps: number): Kept => ({
    name,
    workflowId: alertWorkflowId(row.key, { no, dimension: 'cost', bps }),
  });
  return { workflowId, handle, send, firings, close, kept, keptAlert };
}

/** An alert on its own, as the relay starts one. */
async function alert(
  stage: Stage,
  org: string,
  more: Partial<ThresholdAlert['facts']> = {},
  policy = {},
  response?: ThresholdAlert['response'],
) {
  const row = rowOf(org);
  const crossing = { dimension: 'cost', bps: 10_000, limit: 1_000, spent: 1_000 } as const;
  const made = alertInputOf(
    { ...row, policy: { ...QUICK, ...policy }, limitsRev: 1 },
    { ...crossing, routes: [slack, webhook] },
    1,
    Date.now(),
  );
  const input: ThresholdAlert = {
    ...made,
    facts: { ...made.facts, ...more },
    ...(response === undefined ? {} : { response }),
  };
  await stage.client.workflow.start('alert', {
    workflowId: input.id,
    taskQueue: stage.taskQueue,
    args: [{ kind: 'raised', input }],
  });
  const handle = stage.handle(input.id);
  const act = (update: typeof acknowledge, by: string) =>
    handle.executeUpdate(update, { args: [{ by }], updateId: `${update.name}-${by}` });
  const deliveries = (count: number, state: string) =>
    stage.until(`${String(count)} ${state}`, async () => {
      const now = await handle.query(alertStatus);
      return now.deliveries.filter((each) => each.status === state).length >= count;
    });
  const end = async () => {
    await handle.signal('subjectEnded', { at: Date.now() });
    await handle.result();
  };
  return {
    handle,
    act,
    deliveries,
    end,
    kept: (name: string): Kept => ({ name, workflowId: input.id }),
  };
}

const pager = { channel: 'pagerduty', destination: 'on-call' } as const;
const onCall = { operators: [pager] };
const transient = { type: 'sent', outcome: { kind: 'transient', reason: 'HTTP 503' } } as const;

export const PATHS: Readonly<Record<string, Path>> = {
  ...AGENT_PATHS,
  ...WAITING_PATHS,
  notice: async (stage) => {
    const storm = {
      org: 'notice',
      destination: 'd1',
      channel: 'slack',
      held: 3,
      from: 0,
      alerts: [],
    } as const;
    const made = stormNotice(storm, QUICK, Date.now());
    const input = { ...made, response: onCall };
    stage.answer('notice', {
      deliver: ({ delivery }) =>
        delivery.route.channel === 'slack'
          ? { type: 'suppressed', reason: 'unhealthy_destination' }
          : { type: 'sent', outcome: { kind: 'accepted', reason: 'HTTP 202' } },
    });
    const { id: workflowId } = input;
    const { taskQueue } = stage;
    const args: [AlertWorkflowInput] = [{ kind: 'raised', input }];
    await stage.client.workflow.start('alert', { workflowId, taskQueue, args });
    await stage.handle(workflowId).result();
    return [{ name: 'alert-notice', workflowId }];
  },
  thresholds: async (stage) => {
    const { send, firings, close, kept, keptAlert } = period(stage, rowOf('thresholds'));
    await send(reportOf(1, 600));
    await firings(1);
    await send(reportOf(2, 1_000));
    await firings(2);
    await close(3, 1_000);
    await stage.handle(keptAlert('', 2, 10_000).workflowId).result();
    return [kept('period-thresholds-kill-close'), keptAlert('alert-period-end', 2, 10_000)];
  },
  opening: async (stage) => {
    const row = rowOf('opening', { senders: { old: senderOf(300) } });
    let tries = 0;
    stage.answer('opening', {
      openPeriod: () => {
        tries += 1;
        return tries === 1 ? away() : row;
      },
    });
    const { send, firings, close, kept } = period(stage, row, {}, true);
    await send({ ...reportOf(1, 250), sender: 'sdk-1' });
    await firings(1);
    await close(1, 0);
    return [kept('period-opened-by-direct-sender')];
  },
  rotation: async (stage) => {
    const policy = { rotateAfterSignals: 3 };
    const { send, firings, close, kept, handle } = period(stage, rowOf('rotation'), policy);
    const first = (await send(reportOf(1, 600))).signaledRunId;
    await firings(1);
    await send(reportOf(2, 700));
    await send({ ...reportOf(1, 100), sender: 'sdk-1' });
    await stage.until('a rotation', async () => (await handle.describe()).runId !== first);
    await close(3, 1_000);
    return [{ ...kept('period-rotation-1'), runId: first }, kept('period-rotation-2')];
  },
  nonsense: async (stage) => {
    const { send, handle, close, kept } = period(stage, rowOf('nonsense'));
    await send(reportOf(1, 100));
    for (const message of [null, 'x', { sender: 'ledger' }, reportOf(2, -1)]) {
      await handle.signal('reportTotals', message);
    }
    await handle.signal('nobodyKnowsThis', 1);
    await close(3, 100);
    return [kept('period-nonsense')];
  },
  publishFailing: async (stage) => {
    let tries = 0;
    stage.answer('publish', {
      publish: ({ killed }) => {
        if (killed === undefined) return;
        tries += 1;
        if (tries < 3) away();
      },
    });
    const { send, firings, close, kept } = period(stage, rowOf('publish'));
    await send(reportOf(1, 1_000));
    await firings(2);
    await stage.until('a publish', () => Promise.resolve(tries >= 3));
    await close(2, 1_000);
    return [kept('period-publish-failing')];
  },
  raiseFailing: async (stage) => {
    let tries = 0;
    stage.answer('raise', {
      raise: () => {
        tries += 1;
        if (tries === 1) away();
      },
    });
    const { send, close, kept } = period(stage, rowOf('raise'));
    await send(reportOf(1, 600));
    await stage.until('another try', () => Promise.resolve(tries >= 2));
    await close(2, 600);
    return [kept('period-raise-failing')];
  },
  hangingRun: async (stage) => {
    const limits = limitsOf(1, 600, 'duration');
    const row = rowOf('hanging', { cadence: 'run', limits });
    const { send, firings, close, kept } = period(stage, row);
    const now = Date.now();
    const run = { startedAt: now, heardAt: now, open: true };
    await send(reportOf(1, 5, { firstAt: now, lastAt: now, run }));
    await firings(2);
    await close(2, 5);
    return [kept('period-hanging-run')];
  },
  limits: async (stage) => {
    const { send, firings, close, kept } = period(stage, rowOf('limits'));
    await send(reportOf(1, 600));
    await firings(1);
    await send(reportOf(2, 600, { limitsRev: 2, limits: limitsOf(2, 4_000) }));
    await send(reportOf(3, 700, { limitsRev: 3, limits: limitsOf(3, 700) }));
    await firings(2);
    await close(4, 700);
    return [kept('period-limits-raised-and-lowered')];
  },
  cooldown: async (stage) => {
    const { send, firings, close, kept } = period(stage, rowOf('cooldown'));
    await send(reportOf(1, 600));
    await firings(1);
    await send(reportOf(2, 600, { limitsRev: 2, limits: limitsOf(2, 2_000) }));
    await send(reportOf(3, 1_100, { limitsRev: 2 }));
    await firings(2);
    await close(4, 1_100);
    return [kept('period-cooldown-held')];
  },
  ownTimer: async (stage) => {
    const row = rowOf('timer');
    const soon = { ...row, window: { ...row.window, endsAt: Date.now() + 1_500 } };
    const { send, handle, kept } = period(stage, soon);
    await send(reportOf(1, 600));
    await handle.result();
    return [kept('period-own-timer')];
  },
  accepted: async (stage) => {
    const { deliveries, end, kept } = await alert(stage, 'accepted');
    await deliveries(2, 'accepted');
    await end();
    return [kept('alert-accepted')];
  },
  failing: async (stage) => {
    let tries = 0;
    stage.answer('failing', {
      deliver: () => transient,
      journal: () => {
        tries += 1;
        if (tries === 2) away();
      },
    });
    const { deliveries, end, kept } = await alert(stage, 'failing');
    await deliveries(2, 'failed');
    await end();
    return [kept('alert-ladder-to-failure')];
  },
  acknowledged: async (stage) => {
    stage.answer('acknowledged', { deliver: () => transient });
    const policy = { ladderMs: [1_500, 1_500] };
    const { deliveries, act, end, kept } = await alert(stage, 'acknowledged', {}, policy);
    await deliveries(2, 'due');
    await act(acknowledge, 'ana');
    await act(acknowledge, 'ben');
    await deliveries(2, 'suppressed');
    await end();
    return [kept('alert-acknowledged-between-steps')];
  },
  resolved: async (stage) => {
    const { deliveries, act, handle, kept } = await alert(stage, 'resolved');
    await deliveries(2, 'accepted');
    await act(resolve, 'ana');
    await handle.result();
    return [kept('alert-resolved-by-a-person')];
  },
  lost: async (stage) => {
    // Longer than the attempt may take: what a worker that died looks like from here.
    stage.answer('lost', {
      deliver: ({ attempt, delivery }) =>
        attempt === 1 && delivery.purpose === 'fire' && delivery.route.channel === 'slack'
          ? new Promise((resolved) => {
              setTimeout(resolved, 6_000, transient);
            })
          : { type: 'sent', outcome: { kind: 'accepted', reason: 'HTTP 200' } },
    });
    const { deliveries, end, kept } = await alert(stage, 'lost');
    await deliveries(2, 'accepted');
    await end();
    return [kept('alert-attempt-lost')];
  },
  notMade: async (stage) => {
    let tries = 0;
    stage.answer('not-made', {
      deliver: () => {
        tries += 1;
        if (tries > 2) return { type: 'suppressed', reason: 'no_destination' };
        const failure = ApplicationFailure.nonRetryable('nothing was sent', 'NothingSent');
        failure.stack = '';
        throw failure;
      },
    });
    const { deliveries, end, kept } = await alert(stage, 'not-made');
    await deliveries(2, 'suppressed');
    await end();
    return [kept('alert-attempt-not-made')];
  },
  fallback: async (stage) => {
    stage.answer('fallback', {
      deliver: ({ delivery }) =>
        delivery.cause === 'fallback'
          ? { type: 'sent', outcome: { kind: 'accepted', reason: 'HTTP 200' } }
          : { type: 'sent', outcome: { kind: 'permanent_config', reason: 'HTTP 404' } },
    });
    const { deliveries, handle, end, kept } = await alert(stage, 'fallback', {}, {}, onCall);
    await deliveries(1, 'accepted');
    const { deliveries: all } = await handle.query(alertStatus);
    const told = all.find(({ cause }) => cause === 'fallback');
    await handle.signal('deliveryRevoked', { delivery: told?.id, reason: 'bounced' });
    await handle.signal('deliveryRevoked', 'nonsense');
    await stage.until('the revoked vote', async () => {
      const now = await handle.query(alertStatus);
      return now.result === 'exhausted';
    });
    await end();
    return [kept('alert-fallback-and-revoked-vote')];
  },
  lastResort: async (stage) => {
    stage.answer('last-resort', {
      deliver: ({ delivery: { cause }, attempt }) => {
        const kind = cause !== 'last_resort' ? 'permanent_recipient' : 'transient';
        return { type: 'sent', outcome: { kind: attempt > 2 ? 'accepted' : kind, reason: kind } };
      },
    });
    const push: AlertRoute = { channel: 'push', recipient: 'noc', fallback: [] };
    const input: RuleAlert = {
      ...{ ...forTwoPeople('last-resort'), routes: [push] },
      response: { operators: [slack, pager] },
    };
    await stage.client.workflow.start('alert', {
      ...{ workflowId: input.id, taskQueue: stage.taskQueue, args: [{ kind: 'raised', input }] },
    });
    const handle = stage.handle(input.id);
    // Its condition is over before the operators have it: they get it all the same.
    await handle.signal('subjectEnded', { at: Date.now() });
    await handle.result();
    return [{ name: 'alert-last-resort', workflowId: input.id }];
  },
  escalation: async (stage) => {
    const { handle, deliveries, act, end, kept } = await alert(
      ...([stage, 'escalation', {}, {}] as const),
      { ...onCall, escalation: { rounds: 2, levels: [{ afterMs: 300, routes: [pager] }] } },
    );
    await deliveries(3, 'accepted');
    await act(acknowledge, 'ana');
    await stage.until('the word to PagerDuty', async () => {
      const now = await handle.query(alertStatus);
      return now.deliveries.some(
        ({ id, status }) => /acknowledge/.test(id) && status === 'accepted',
      );
    });
    await end();
    return [kept('alert-escalated-and-acknowledged')];
  },
  late: async (stage) => {
    const { handle, kept } = await alert(stage, 'late', { late: true, severity: 'warning' });
    await handle.result();
    return [kept('alert-late')];
  },
  alertRotation: async (stage) => {
    const policy = { rotateAfterSignals: 2 };
    const { handle, deliveries, end, kept } = await alert(stage, 'alert-rotation', {}, policy);
    const first = (await handle.describe()).runId;
    await handle.signal('subjectEnded', 'nonsense');
    await handle.signal('nobodyKnowsThis', 1);
    await stage.until('a rotation', async () => (await handle.describe()).runId !== first);
    await deliveries(2, 'accepted');
    await end();
    return [{ ...kept('alert-rotation-1'), runId: first }, kept('alert-rotation-2')];
  },
  spread: async (stage) => {
    const [first, second] = spreadAlert(forTwoPeople('spread'), 2);
    if (first === undefined || second === undefined) throw new Error('it was not spread');
    for (const input of [second, first]) {
      await stage.client.workflow.start('alert', {
        ...{ workflowId: input.id, taskQueue: stage.taskQueue, args: [{ kind: 'raised', input }] },
      });
    }
    await stage.handle(second.id).executeUpdate(acknowledge, { args: [{ by: 'ada' }] });
    await stage.until('the word to the first', async () => {
      const { phase } = await stage.handle(first.id).query(alertStatus);
      return phase === 'acknowledged';
    });
    await stage.handle(first.id).signal(subjectEnded, { at: Date.now() });
    await Promise.all([first, second].map(({ id }) => stage.handle(id).result()));
    return [
      { name: 'alert-spread-first', workflowId: first.id },
      { name: 'alert-spread-second', workflowId: second.id },
    ];
  },
};

/** A14. As the ledger routes it: each on two channels, one of which quiet hours hold. */
function forTwoPeople(org: string): RuleAlert {
  const routes = ['ana', 'bo'].flatMap((recipient): AlertRoute[] => [
    { channel: 'email', destination: `mail-${recipient}`, recipient, fallback: [] },
    { channel: 'push', recipient, notBefore: Date.now() + 3_600_000, fallback: [] },
  ]);
  return {
    ...{ id: `alert/${org}/rule/errors/bot/1`, org, kind: 'rule', subject: `agent/${org}/bot` },
    facts: {
      ...{ kind: 'rule', org, agentName: 'bot', rule: 'errors', title: 'Too many errors' },
      ...{ lines: [], severity: 'error', priority: 'high', at: Date.now() },
    },
    ...{ routes, policy: QUICK, response: { operators: [] } },
  };
}

function senderOf(cost: number) {
  return { epoch: 1, seq: 1, totals: { cost, tokens: cost, calls: 1 } };
}
