/** Paths of an alert that waits: for quiet hours, silences, confirmations; and ends with its rule. */
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { AlertRoute, DeliverAnswer, Response, RuleAlert } from '../../domain/alert/state.js';
import {
  alertStatus,
  deliveryConfirmed,
  silenceEnded,
  subjectEnded,
} from '../../workflows/messages.js';
import type { Path } from './path.js';
import type { Stage } from './stage.js';

const QUICK: Policy = { ...DEFAULT_POLICY, ladderMs: [20, 20, 20], retryMs: 30 };
const accepted: DeliverAnswer = { type: 'sent', outcome: { kind: 'accepted', reason: 'HTTP 200' } };
const mail: AlertRoute = { channel: 'email', destination: 'mail-ana', recipient: 'ana' };
const push: AlertRoute = { channel: 'push', recipient: 'ana', fallback: [mail] };
const pager: AlertRoute = { channel: 'pagerduty', destination: 'on-call' };
const escalating = (afterMs: number): Response => ({
  operators: [],
  escalation: { rounds: 1, levels: [{ afterMs, routes: [pager] }] },
});

/** The alert of a rule in an organisation of its own. */
async function alert(
  stage: Stage,
  org: string,
  routes: readonly AlertRoute[],
  { response, policy }: { response?: Response; policy?: Partial<Policy> } = {},
) {
  const input: RuleAlert = {
    ...{ id: `alert/${org}/rule/errors/bot/1`, org, kind: 'rule', subject: `agent/${org}/bot` },
    facts: {
      ...{ kind: 'rule', org, agentName: 'bot', rule: 'errors', title: 'Too many errors' },
      ...{ lines: [], severity: 'error', priority: 'high', at: Date.now() },
    },
    ...{ routes, policy: { ...QUICK, ...policy } },
    ...(response === undefined ? {} : { response }),
  };
  const { id: workflowId } = input;
  await stage.client.workflow.start('alert', {
    ...{ workflowId, taskQueue: stage.taskQueue, args: [{ kind: 'raised', input }] },
  });
  const handle = stage.handle(workflowId);
  const status = () => handle.query(alertStatus);
  const reaches = (state: string, count = 1) =>
    stage.until(`${String(count)} ${state}`, async () => {
      const { deliveries } = await status();
      return deliveries.filter((each) => each.status === state).length >= count;
    });
  const held = () =>
    stage.until('a silence', async () =>
      (await status()).deliveries.some(({ heldFor }) => heldFor === 'silenced'),
    );
  const end = async (name: string) => {
    await handle.signal(subjectEnded, { at: Date.now() });
    await handle.result();
    return [{ name, workflowId }];
  };
  return { handle, status, reaches, held, end };
}

export const WAITING_PATHS: Readonly<Record<string, Path>> = {
  quietHours: async (stage) => {
    const notBefore = Date.now() + 1_500;
    const { reaches, end } = await alert(stage, 'quiet', [{ ...mail, notBefore }, pager]);
    await reaches('accepted', 2);
    return end('alert-quiet-hours');
  },
  quietWhole: async (stage) => {
    const routes = [{ ...mail, notBefore: Date.now() + 3_600_000 }];
    const { reaches, end } = await alert(stage, 'quiet-whole', routes, {
      response: escalating(60_000),
    });
    await reaches('accepted');
    return end('alert-quiet-hours-passed-over');
  },
  silence: async (stage) => {
    const until = Date.now() + 1_000;
    stage.answer('silence', {
      deliver: ({ delivery: { purpose } }) =>
        purpose === 'fire' && Date.now() < until
          ? { type: 'held', reason: 'silenced', until }
          : accepted,
    });
    const { reaches, end } = await alert(stage, 'silence', [mail, pager]);
    await reaches('accepted', 2);
    return end('alert-silenced');
  },
  silenceRemoved: async (stage) => {
    let isSilenced = true;
    stage.answer('silence-removed', {
      deliver: () =>
        isSilenced ? { type: 'held', reason: 'silenced', until: Date.now() + 3_600_000 } : accepted,
    });
    const policy = { rotateAfterSignals: 2 };
    const { handle, held, reaches, end } = await alert(stage, 'silence-removed', [mail], {
      policy,
    });
    await held();
    await handle.signal(silenceEnded);
    await held();
    isSilenced = false;
    await handle.signal(silenceEnded);
    await reaches('accepted');
    return end('alert-silence-removed');
  },
  silencedLevel: async (stage) => {
    stage.answer('silenced-level', {
      deliver: ({ delivery: { cause } }) =>
        cause === 'level'
          ? { type: 'held', reason: 'silenced', until: Date.now() + 9e6 }
          : accepted,
    });
    const response = escalating(200);
    const { reaches, end } = await alert(stage, 'silenced-level', [mail], { response });
    await reaches('suppressed');
    return end('alert-escalation-ended-by-silence');
  },
  offerConfirmed: async (stage) => {
    stage.answer('offer-confirmed', {
      deliver: () => ({ type: 'offered', confirmWithinMs: 5_000 }),
    });
    const { handle, status, reaches, end } = await alert(stage, 'offer-confirmed', [push]);
    await reaches('offered');
    await handle.signal('deliveryConfirmed', 'nonsense');
    const [offered] = (await status()).deliveries;
    await handle.signal(deliveryConfirmed, { delivery: offered?.id ?? '' });
    await reaches('accepted');
    stage.answer('offer-confirmed', {});
    return end('alert-offer-confirmed');
  },
  offerMissed: async (stage) => {
    stage.answer('offer-missed', {
      deliver: ({ delivery: { route } }) =>
        route.channel === 'push' ? { type: 'offered', confirmWithinMs: 200 } : accepted,
    });
    const { reaches, end } = await alert(stage, 'offer-missed', [push]);
    await reaches('accepted');
    return end('alert-offer-missed');
  },
  routed: async (stage) => {
    const routes: AlertRoute[] = [
      { ...push, suppressed: 'preference' },
      { ...push, recipient: 'ben', suppressed: 'no_destination' },
      { channel: 'email', recipient: 'cy', suppressed: 'digest', fallback: [] },
    ];
    const { reaches, end } = await alert(stage, 'routed', routes);
    await reaches('accepted');
    return end('alert-decided-when-routed');
  },
};
