/** What was crossed against what the sink was sent: how late, whether at all, and how often. Pure. */
import type { SinkRequest } from '../fakes/sink.js';
import type { SentCrossing } from './recovery-traffic.js';

/** Of the time after the kill within which a crossing counts as hit by it. */
export const SHADOW_MS = 20_000;

export interface Arrived extends SentCrossing {
  /** Ms from the first sending of its batch to the first byte of its alert at the sink. */
  readonly tookMs: number;
  readonly alertId: string;
}

export interface Account {
  readonly arrived: readonly Arrived[];
  /** Crossings that the sink never heard of. */
  readonly missed: readonly SentCrossing[];
  /** Crossings that became more than one alert. */
  readonly decidedTwice: number;
  /** Alerts of crossings that were not there. */
  readonly unexpected: number;
  /** Alerts whose requests came under more than one idempotency key, or without one. */
  readonly underTwoKeys: number;
  /** Requests beyond the first of their alert: the sink drops them by their key. */
  readonly repeats: number;
}

interface Heard {
  firstAt: number;
  readonly alerts: Set<string>;
  readonly keys: Set<string>;
  requests: number;
}

export function accountOf(
  crossings: readonly SentCrossing[],
  requests: readonly SinkRequest[],
): Account {
  const heard = new Map<string, Heard>();
  for (const { at, body, key } of requests) {
    const { id, data } = JSON.parse(body) as WebhookBody;
    const name = nameOf(data.agent_name, data.threshold_bps);
    const known = heard.get(name) ?? newlyHeard(at);
    heard.set(name, known);
    known.firstAt = Math.min(known.firstAt, at);
    known.alerts.add(id);
    known.keys.add(key ?? '');
    known.requests += 1;
  }
  const arrived: Arrived[] = [];
  const missed: SentCrossing[] = [];
  for (const crossing of crossings) {
    const found = heard.get(nameOf(crossing.agent, crossing.bps));
    if (found === undefined) missed.push(crossing);
    else {
      const [alertId = ''] = found.alerts;
      arrived.push({ ...crossing, tookMs: found.firstAt - crossing.at, alertId });
    }
  }
  const all = [...heard.values()];
  return {
    ...{ arrived, missed, unexpected: heard.size - arrived.length },
    decidedTwice: all.filter(({ alerts }) => alerts.size > 1).length,
    underTwoKeys: all.filter(({ alerts, keys }) => keys.has('') || keys.size !== alerts.size)
      .length,
    repeats: all.reduce((sum, each) => sum + each.requests - each.alerts.size, 0),
  };
}

/**
 * By when they were under way: one that began before the kill and arrived after it was hit by it.
 */
export function splitByKill(arrived: readonly Arrived[], killedAt: number) {
  const began = (from: number, to: number): readonly Arrived[] =>
    arrived.filter(({ at, tookMs }) => {
      const counted = at < killedAt && at + tookMs > killedAt ? killedAt : at;
      return counted >= from && counted < to;
    });
  return {
    before: began(0, killedAt),
    inside: began(killedAt, killedAt + SHADOW_MS),
    later: began(killedAt + SHADOW_MS, Number.POSITIVE_INFINITY),
  };
}

interface WebhookBody {
  readonly id: string;
  readonly data: { readonly agent_name: string; readonly threshold_bps: number };
}

function nameOf(agent: string, bps: number): string {
  return `${agent} ${String(bps)}`;
}

function newlyHeard(firstAt: number): Heard {
  return { firstAt, alerts: new Set(), keys: new Set(), requests: 0 };
}
