/**
 * Alerts that no budget raises: what a storm held back from one destination (A14), and what the
 * service has to say of itself to its operators (A15). Pure; whoever calls keeps the addresses.
 */
import { noticeWorkflowId } from '../ids.js';
import type { ChannelName, Priority, Severity } from '../words.js';
import type { NoticeLine } from './facts.js';
import type { Policy } from './policy.js';
import type { AlertRoute, NoticeAlert } from './state.js';

export const SERVICE_NAME = 'Kavach';

/** Alerts that went to nobody, as too many went to one destination. */
export interface Storm {
  readonly org: string;
  readonly destination: string;
  readonly channel: ChannelName;
  /** How many. */
  readonly held: number;
  /** When the minute of the first of them began, epoch ms. */
  readonly from: number;
  /** Those of them that are known, the most severe first. */
  readonly alerts: readonly HeldAlert[];
}

export interface HeldAlert {
  readonly agent: string;
  readonly severity: Severity;
  /** K1. */
  readonly kills: boolean;
}

const NAMED = 5;

/** A14. Goes where they would have gone, as urgent as what it stands for may be. */
export function stormNotice(storm: Storm, policy: Policy, now: number): NoticeAlert {
  const { org, destination, channel, held, from, alerts } = storm;
  const worst = alerts[0]?.severity ?? 'error';
  const agents = [...new Set(alerts.map(({ agent }) => agent))];
  const killed = [...new Set(alerts.filter(({ kills }) => kills).map(({ agent }) => agent))];
  return {
    id: noticeWorkflowId(org, 'storm', `${destination}-${String(from)}`),
    org,
    kind: 'notice',
    subject: `storm/${destination}`,
    facts: {
      ...{ kind: 'notice', org, topic: 'storm', agentName: SERVICE_NAME },
      title:
        `${held === 1 ? '1 more alert was' : `${String(held)} more alerts were`} raised within ` +
        `${minutesOf(now - from)} and not sent one by one`,
      lines: [
        { label: 'Held back', value: String(held) },
        ...(alerts.length === 0 ? [] : [{ label: 'The worst', value: worst }]),
        ...(killed.length === 0 ? [] : [{ label: 'Killed', value: listed(killed) }]),
        ...(agents.length === 0 ? [] : [{ label: 'Agents', value: listed(agents) }]),
        { label: 'Where to look', value: 'The list of alerts has all of them (kavach alerts)' },
      ],
      // A7: a text message has to be urgent to be sent at all.
      ...{ severity: worst, priority: worst === 'critical' ? 'critical' : 'high', at: now },
    },
    routes: [{ channel, destination }],
    policy,
  };
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED;
  const named = names
    .slice(0, NAMED)
    .map((name) => name.slice(0, 40))
    .join(', ');
  return rest > 0 ? `${named} and ${String(rest)} more` : named;
}

function minutesOf(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  return minutes === 1 ? 'a minute' : `${String(minutes)} minutes`;
}

export type ServiceNoticeKind =
  | 'destination_gone'
  | 'destination_failing'
  | 'permanent_failure'
  | 'no_destination'
  | 'sms_cap'
  | 'unpriced'
  | 'quarantined'
  | 'period_parked'
  | 'relay_lag'
  | 'config_conflict'
  | 'key_refused';

export interface ServiceNotice {
  readonly id: number;
  readonly at: number;
  readonly kind: ServiceNoticeKind;
  /** A sentence for people, without any address. */
  readonly text: string;
  /** A destination it is about. */
  readonly destination?: string;
}

interface Weight {
  readonly title: string;
  /** Somebody may miss an alert, or none is decided, until it is mended. */
  readonly isUrgent: boolean;
}

const WEIGHTS: Readonly<Record<ServiceNoticeKind, Weight>> = {
  destination_gone: { title: 'A destination is gone', isUrgent: true },
  destination_failing: { title: 'A destination keeps failing', isUrgent: true },
  permanent_failure: { title: 'A delivery was refused for good', isUrgent: true },
  no_destination: { title: 'Alerts have nowhere to go', isUrgent: true },
  sms_cap: { title: 'A number has had its text messages of the day', isUrgent: false },
  unpriced: { title: 'A model has no price', isUrgent: false },
  quarantined: { title: 'What an agent sent was set aside', isUrgent: false },
  period_parked: { title: 'A period is not watched', isUrgent: true },
  relay_lag: { title: 'Alerts are late', isUrgent: true },
  key_refused: { title: 'An API key that is over is still used', isUrgent: true },
  config_conflict: { title: 'Configurations contradict each other', isUrgent: false },
};

/** A message lists so many; the rest is counted. */
const LISTED = 8;

/**
 * A15. All that is untold, in one alert, oldest first. Goes to the first of the operators that it
 * is not about; the others are its fallbacks (A5). Undefined where there is nothing or nobody.
 */
export function serviceNotice(
  org: string,
  notices: readonly ServiceNotice[],
  operators: readonly AlertRoute[],
  policy: Policy,
): NoticeAlert | undefined {
  const [first] = notices;
  const last = notices.at(-1);
  const about = new Set(notices.map(({ destination }) => destination));
  const fit = operators.find(({ destination }) => !about.has(destination));
  const route = fit ?? operators[0];
  if (first === undefined || last === undefined || route === undefined) return undefined;
  const isUrgent = notices.some(({ kind }) => WEIGHTS[kind].isUrgent);
  const [severity, priority]: [Severity, Priority] = isUrgent
    ? ['error', 'high']
    : ['warning', 'medium'];
  return {
    id: noticeWorkflowId(org, 'service', `${String(last.id)}-${String(last.at)}`),
    org,
    kind: 'notice',
    subject: 'service',
    facts: {
      ...{ kind: 'notice', org, topic: 'service', agentName: SERVICE_NAME },
      title: titleOf(first, notices.length),
      lines: linesOf(notices),
      ...{ severity, priority, at: last.at },
    },
    routes: [route],
    policy,
  };
}

function titleOf({ kind }: ServiceNotice, count: number): string {
  const { title } = WEIGHTS[kind];
  return count === 1 ? title : `${title}, and ${String(count - 1)} more to know`;
}

function linesOf(notices: readonly ServiceNotice[]): NoticeLine[] {
  const lines = notices
    .slice(0, LISTED)
    .map(({ kind, text }) => ({ label: WEIGHTS[kind].title, value: text }));
  const rest = notices.length - lines.length;
  if (rest === 0) return lines;
  return [
    ...lines,
    { label: 'And', value: `${String(rest)} more: the list of notices has them (kavach notices)` },
  ];
}
