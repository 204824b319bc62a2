/**
 * PagerDuty events (Events API v2) without their routing key, which is a secret and is added when
 * they are sent (C-1). A threshold of one incident is a trigger of the same key (T9), so a higher
 * one raises its severity.
 */
import { isWorded } from '../domain/alert/facts.js';
import { templateVariables } from '../domain/template.js';
import { describeAlert, oneLine } from './alert-title.js';
import type { AlertView } from './channel.js';
import { parseJson } from './json.js';

const SUMMARY_LIMIT = 1_024;
const SOURCE_LIMIT = 255;
/** PagerDuty refuses events above 512 KB; the routing key is still to come. */
const EVENT_LIMIT_BYTES = 512_000 - 256;
const NOTE = 'The details were too long for PagerDuty: see the alert in Kavach.';

export type PagerdutyEvent = Readonly<Record<string, unknown>> & {
  readonly event_action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedup_key: string;
};

const ACTIONS = { firing: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve' } as const;

/** The stored event. Acknowledge and resolve only name their incident. */
export function renderPagerduty(view: AlertView): string {
  const event: PagerdutyEvent = {
    event_action: ACTIONS[view.state],
    dedup_key: view.incidentKey,
  };
  if (event.event_action !== 'trigger') return JSON.stringify(event);
  const trigger = (details: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({ ...event, ...triggerOf(view, details) });
  const whole = trigger(detailsOf(view));
  return Buffer.byteLength(whole) <= EVENT_LIMIT_BYTES ? whole : trigger({ note: NOTE });
}

/** The stored form; undefined where it is none. */
export function parseEvent(body: string): PagerdutyEvent | undefined {
  const event = parseJson(body);
  return isEvent(event) ? event : undefined;
}

function isEvent(value: unknown): value is PagerdutyEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { event_action: action, dedup_key: key } = value as Record<string, unknown>;
  return typeof key === 'string' && Object.values<unknown>(ACTIONS).includes(action);
}

function triggerOf(view: AlertView, details: Readonly<Record<string, unknown>>) {
  const { facts, dashboardUrl } = view;
  return {
    payload: {
      summary: oneLine(summaryOf(view), SUMMARY_LIMIT),
      // PagerDuty refuses an empty one.
      source: oneLine(facts.agentName, SOURCE_LIMIT) || 'unnamed agent',
      severity: facts.severity,
      timestamp: new Date(facts.at).toISOString(),
      ...(isWorded(facts) ? {} : { component: `${facts.cadence} ${facts.dimension} budget` }),
      group: oneLine(facts.org, SOURCE_LIMIT),
      class: isWorded(facts) ? facts.kind : 'budget threshold',
      custom_details: details,
    },
    client: 'Kavach',
    ...(dashboardUrl === '' ? {} : linkTo(dashboardUrl)),
  };
}

function linkTo(href: string) {
  return { client_url: href, links: [{ href, text: 'Open in Kavach' }] };
}

function summaryOf(view: AlertView): string {
  const { title } = describeAlert(view);
  if (isWorded(view.facts)) return title;
  const { spent_fmt: spent, budget_fmt: budget, pct } = templateVariables(view.facts, '');
  return `${title}: ${spent ?? ''} of ${budget ?? ''} (${pct ?? ''}%)`;
}

function detailsOf(view: AlertView): Record<string, unknown> {
  const { facts } = view;
  const { lines, notes } = describeAlert(view);
  const { words } = view;
  return {
    ...Object.fromEntries(lines.map(({ label, value }) => [label.toLowerCase(), value])),
    ...(isWorded(facts) ? {} : { threshold: `${String(facts.thresholdBps / 100)}%` }),
    ...(words === undefined ? {} : { body: words.body.toWellFormed() }),
    ...(words?.metadata === undefined ? {} : { metadata: words.metadata }),
    agent: facts.agentName.toWellFormed(),
    priority: facts.priority,
    alert: view.alertId,
    code: view.code,
    ...(notes.length === 0 ? {} : { notes: notes.join(' ') }),
  };
}
