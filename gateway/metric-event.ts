/**
 * One metric event as it stands in a batch -> what rules are held against, or the fault it has.
 * As with usage (event.ts): what is not known is ignored, and no input throws.
 */
import { placeEvent } from '../domain/period.js';
import type { MetricValue } from '../domain/rule.js';
import { isBroken, nameIn, timeIn } from './event.js';
import { fault, isAbsent, kindOf, type EventFault } from './event-fault.js';

export interface ReadMetrics {
  readonly type: 'metrics';
  readonly agent: string;
  /** Absent: it cannot be sent again. */
  readonly key?: string;
  /** When it happened, epoch ms; its receipt where it says something impossible. */
  readonly at: number;
  readonly metrics: ReadonlyMap<string, MetricValue>;
}

const MAX_METRICS = 200;
const MAX_METRIC_NAME = 200;
const MAX_TEXT = 1_000;

export function readMetrics(raw: unknown, receivedAt: number): ReadMetrics | EventFault {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return fault('', `expected an object, got ${kindOf(raw)}`);
  }
  const fields = raw as Readonly<Record<string, unknown>>;
  const agent = nameIn(fields, 'agent_id');
  if (typeof agent === 'object') return agent;
  if (agent === undefined) return fault('agent_id', 'is missing: every event names its agent');
  const key = nameIn(fields, 'idempotency_key');
  if (typeof key === 'object') return key;
  const sentAt = timeIn(fields, receivedAt);
  if (typeof sentAt === 'object') return sentAt;
  const metrics = metricsIn(fields['metrics']);
  if ('problem' in metrics) return metrics;
  return {
    ...{ type: 'metrics', agent, metrics, at: placeEvent(sentAt, receivedAt).at },
    ...(key === undefined ? {} : { key }),
  };
}

function metricsIn(value: unknown): ReadonlyMap<string, MetricValue> | EventFault {
  if (isAbsent(value)) return fault('metrics', 'is missing: expected {"error_rate": 0.07}');
  if (typeof value !== 'object' || Array.isArray(value)) {
    return fault('metrics', `expected an object, got ${kindOf(value)}`);
  }
  const entries = Object.entries(value) as [string, unknown][];
  if (entries.length === 0) return fault('metrics', 'is empty: expected at least one metric');
  if (entries.length > MAX_METRICS) {
    return fault('metrics', `has more than ${String(MAX_METRICS)} metrics`);
  }
  const metrics = new Map<string, MetricValue>();
  for (const [name, each] of entries) {
    const problem = nameFault(name) ?? valueFault(each);
    if (problem !== undefined) return fault(`metrics.${name.slice(0, 80)}`, problem);
    metrics.set(name, each as MetricValue);
  }
  return metrics;
}

function nameFault(name: string): string | undefined {
  if (name === '') return 'a metric needs a name';
  if (name.length > MAX_METRIC_NAME) {
    return `its name is longer than ${String(MAX_METRIC_NAME)} characters`;
  }
  return isBroken(name) ? 'its name has characters that are no text' : undefined;
}

/** What JSON cannot write comes as text (body.ts); 1e999 is read as an infinity. */
const NOT_FINITE = /^(?:NaN|-?Infinity)$/;

function valueFault(value: unknown): string | undefined {
  if (typeof value === 'boolean') return undefined;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : 'expected a number that can be held';
  }
  if (typeof value !== 'string' || NOT_FINITE.test(value)) {
    return `expected a number, true, false or text, got ${kindOf(value)}`;
  }
  if (value.length > MAX_TEXT) return `is longer than ${String(MAX_TEXT)} characters`;
  return isBroken(value) ? 'has characters that are no text (NUL, lone surrogate)' : undefined;
}
