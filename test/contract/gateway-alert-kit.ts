/** A gateway with one firing alert in its book, and a Temporal that answers as it is told. */
import type { Actor } from '../../gateway/act-on-alert.js';
import { createAlertLinks } from '../../gateway/links.js';
import type { GatewayOptions } from '../../gateway/options.js';
import type { UpdateAnswer } from '../../client/index.js';
import type { AlertStatus } from '../../domain/alert/view.js';
import { alertWorkflowId } from '../../domain/ids.js';
import type { AlertView } from '../../ledger/ledger.js';
import { NOON, startTestGateway } from './gateway-kit.js';

const EVIL = `<script>alert("1")</script> & 'x'`;
export const ALERT_ID = alertWorkflowId(
  {
    ...{ org: 'default', scope: `agent:${EVIL}`, cadence: 'daily' },
    ...{ period: '20261121T000000Z', generation: 1 },
  },
  { no: 1, dimension: 'cost', bps: 8_000 },
);
export const AGENT = EVIL;

export const ALERT: AlertView = {
  id: ALERT_ID,
  org: 'default',
  subject: ALERT_ID.replace('alert/', 'budget/').replace(/\/[^/]+$/, ''),
  phase: 'firing',
  exhausted: false,
  raisedAt: NOON,
  facts: {
    ...{ org: 'default', agentName: EVIL, dimension: 'cost', cadence: 'daily' },
    ...{ thresholdBps: 8_000, spent: 4_130_000_000, limit: 5_000_000_000 },
    ...{ severity: 'warning', priority: 'medium', zone: 'UTC', at: NOON },
    resetsAt: NOON + 12 * 3_600_000,
  },
};

export const links = createAlertLinks('a key of 32 characters or so, long');
export const PAGE = `/alerts/${encodeURIComponent(ALERT_ID)}`;
export const SIGNED = `${PAGE}?t=${links.sign(ALERT_ID)}`;

export interface Told {
  readonly act: 'acknowledge' | 'resolve';
  readonly id: string;
  readonly actor: Actor;
}

/** `answer` is what the workflow says to the next word; what it throws is Temporal's trouble. */
export async function startAlertGateway(options: Partial<GatewayOptions> = { links }) {
  const told: Told[] = [];
  const temporal = { answer: (said: Told): Promise<UpdateAnswer> => Promise.resolve(done(said)) };
  const take = (act: Told['act']) => (id: string, actor: Actor) => {
    told.push({ act, id, actor });
    return temporal.answer({ act, id, actor });
  };
  const started = await startTestGateway({
    alerts: { acknowledge: take('acknowledge'), resolve: take('resolve') },
    ...options,
    policy: { actMs: 100, ...options.policy },
  });
  started.ledger.alertViews.push(ALERT);
  /** The alert's row, and its journal, as they are from now on. */
  const put = (phase: AlertView['phase'], by: string): void => {
    started.ledger.alertViews.splice(0, 1, { ...ALERT, phase });
    const what = phase === 'resolved' ? 'resolved' : 'acknowledged';
    started.ledger.journals.set(ALERT_ID, [{ no: 1, at: NOON, what, by, reason: 'on it' }]);
  };
  const page = async (path: string, form?: Record<string, string>) => {
    const response = await fetch(started.gateway.url + path, {
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      redirect: 'manual',
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { ...started, told, temporal, put, page };
}

/** What the workflow answers once it has taken a word. */
export function done({ act, actor }: Told): UpdateAnswer {
  const word = { ...actor, at: NOON + 1_000 };
  const status: AlertStatus = {
    ...{ id: ALERT_ID, org: 'default', subject: ALERT.subject, facts: ALERT.facts },
    ...{ raisedAt: NOON, deliveries: [], exhausted: false, rejected: 0, result: 'pending' },
    ...(act === 'resolve'
      ? { phase: 'resolved', resolved: word }
      : { phase: 'acknowledged', acknowledged: word }),
  };
  return { type: 'done', status };
}
