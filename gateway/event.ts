/**
 * One usage event as it stands in a batch -> what the ledger keeps, or the fault it has. Written
 * by hand: this runs for every event.
 *
 * G-E1. What identifies or counts (agent, run, key, tokens, cost, time) must be right; what only
 *       describes (provider, model, status) is cleaned; what is not known is ignored (spec §8).
 * G-E2. No input throws, and no text with NUL or lone surrogates reaches the ledger.
 * G-E3. What says which lease it settles never costs the event: wrong, it counts without one.
 */
import { civilFromDays, daysFromCivil } from '../domain/civil.js';
import { usdToNanos } from '../domain/money.js';
import { placeEvent } from '../domain/period.js';
import type { UsageEvent, UsageFlag } from '../ledger/ledger.js';
import { fault, isAbsent, isNotFinite, kindOf, type EventFault } from './event-fault.js';
import { leaseIn } from './event-lease.js';
import type { Pricer } from './price.js';

export interface ReadEvent {
  readonly type: 'event';
  readonly event: UsageEvent;
  /** When its sender says it happened, unclamped, epoch ms. */
  readonly sentAt: number;
  /** What is wrong with it and did not cost it. */
  readonly warning?: EventFault;
}

export interface EventContext {
  readonly receivedAt: number;
  readonly newId: () => string;
  readonly pricer: Pricer;
}

const MAX_NAME = 200;
const NO_FLAGS: readonly UsageFlag[] = [];

/** Reads, places (B4) and prices (B6) one event. */
export function readEvent(raw: unknown, context: EventContext): ReadEvent | EventFault {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return fault('', `expected an object, got ${kindOf(raw)}`);
  }
  const fields = raw as Readonly<Record<string, unknown>>;
  const agent = nameIn(fields, 'agent_name');
  if (typeof agent === 'object') return agent;
  if (agent === undefined) return fault('agent_name', 'is missing: every event names its agent');
  const key = nameIn(fields, 'idempotency_key');
  if (typeof key === 'object') return key;
  const run = nameIn(fields, 'run_id');
  if (typeof run === 'object') return run;
  const inputTokens = countIn(fields, 'input_tokens');
  if (typeof inputTokens === 'object') return inputTokens;
  const outputTokens = countIn(fields, 'output_tokens');
  if (typeof outputTokens === 'object') return outputTokens;
  if (!Number.isSafeInteger(inputTokens + outputTokens)) {
    return fault('output_tokens', 'together with input_tokens passes 2^53');
  }
  const costReported = isAbsent(fields['cost']) ? 0 : usdToNanos(fields['cost']);
  if (typeof costReported === 'object') {
    return fault('cost', notFinite(fields['cost']) ?? costReported.message);
  }
  const durationMs = durationIn(fields);
  if (typeof durationMs === 'object') return durationMs;
  const sentAt = timeIn(fields, context.receivedAt);
  if (typeof sentAt === 'object') return sentAt;

  const provider = wordIn(fields, 'provider', 'unknown');
  const model = wordIn(fields, 'model', 'unknown');
  const { at, clamped } = placeEvent(sentAt, context.receivedAt);
  const price = context.pricer.price({
    ...{ provider, model, inputTokens, outputTokens, costReported, at },
  });
  const leased = leaseIn(fields);
  const unleased = leased.type === 'fault';
  const event: UsageEvent = {
    idempotencyKey: key ?? context.newId(),
    agent,
    ...(run === undefined ? {} : { run }),
    ...{ provider, model, inputTokens, outputTokens, costReported },
    costUsed: price.costUsed,
    ...(price.priceVersion === undefined ? {} : { priceVersion: price.priceVersion }),
    durationMs,
    status: wordIn(fields, 'status', 'success'),
    at,
    receivedAt: context.receivedAt,
    flags: flagsOf({ clamped, unpriced: price.unpriced, unleased }),
    ...(leased.type === 'lease' ? { lease: leased.lease, leaseSeq: leased.leaseSeq } : {}),
  };
  return { type: 'event', event, sentAt, ...(unleased ? { warning: leased } : {}) };
}

type Told = Extract<UsageFlag, 'clamped' | 'unpriced' | 'unleased'>;
const TOLD: readonly Told[] = ['clamped', 'unpriced', 'unleased'];

function flagsOf(told: Readonly<Record<Told, boolean>>): readonly UsageFlag[] {
  return TOLD.some((flag) => told[flag]) ? TOLD.filter((flag) => told[flag]) : NO_FLAGS;
}

/** A name that identifies: undefined where it is absent or empty. */
export function nameIn(
  fields: Readonly<Record<string, unknown>>,
  field: string,
): string | undefined | EventFault {
  const value = fields[field];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') return fault(field, `expected a string, got ${kindOf(value)}`);
  if (value.length > MAX_NAME) return fault(field, `is longer than ${String(MAX_NAME)} characters`);
  if (isBroken(value)) return fault(field, 'has characters that are no text (NUL, lone surrogate)');
  return value.trim() === '' ? undefined : value;
}

/** A word that only describes: cleaned and cut, never a reason to lose the event. */
function wordIn(
  fields: Readonly<Record<string, unknown>>,
  field: string,
  otherwise: string,
): string {
  const value = fields[field];
  if (typeof value !== 'string' || value === '') return otherwise;
  if (value.length <= MAX_NAME && !isBroken(value)) return value;
  return value.slice(0, MAX_NAME).replaceAll(BROKEN, '\ufffd');
}

// NUL is the one character Postgres text cannot hold.
const BROKEN = /\0|\p{Surrogate}/gu;

export function isBroken(text: string): boolean {
  return text.search(BROKEN) >= 0;
}

function countIn(fields: Readonly<Record<string, unknown>>, field: string): number | EventFault {
  const value = fields[field];
  if (isAbsent(value)) return 0;
  if (typeof value !== 'number') return fault(field, `expected a number, got ${kindOf(value)}`);
  if (!Number.isSafeInteger(value) || value < 0) {
    return fault(field, `expected an integer from 0 to 2^53 - 1, got ${String(value)}`);
  }
  return value === 0 ? 0 : value; // `-0` is 0.
}

function durationIn(fields: Readonly<Record<string, unknown>>): number | EventFault {
  const value = fields['duration_ms'];
  if (isAbsent(value)) return 0;
  if (typeof value !== 'number') {
    return fault('duration_ms', `expected a number, got ${kindOf(value)}`);
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    return fault('duration_ms', `expected 0 to 2^53 - 1 ms, got ${String(value)}`);
  }
  return Math.floor(value + 0.5);
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$/i;

/** ISO 8601; without a zone it is UTC; absent, the receipt counts. */
export function timeIn(
  fields: Readonly<Record<string, unknown>>,
  receivedAt: number,
): number | EventFault {
  const value = fields['timestamp'];
  if (isAbsent(value)) return receivedAt;
  const at = typeof value === 'string' ? readIso(value) : undefined;
  if (at !== undefined) return at;
  const seen = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  return fault('timestamp', `expected an ISO 8601 time such as 2026-11-21T12:00:00Z, got ${seen}`);
}

/** ISO 8601 -> epoch ms; without a zone it is UTC. Undefined for anything else. */
export function readIso(text: string): number | undefined {
  const match = ISO.exec(text);
  const at = match === null ? NaN : instantOf(match);
  return Number.isNaN(at) ? undefined : at;
}

function instantOf([text, year, month, day, zone]: RegExpExecArray): number {
  // `Date` takes the 30th of February for the 2nd of March.
  if (!isDay(Number(year), Number(month), Number(day))) return NaN;
  return Date.parse(zone === undefined ? `${text}Z` : text);
}

function isDay(year: number, month: number, day: number): boolean {
  return day <= 28 || civilFromDays(daysFromCivil({ year, month, day })).day === day;
}

/** A number that JSON cannot write, and Python does. */
function notFinite(value: unknown): string | undefined {
  return isNotFinite(value) ? `expected a number, got ${value}` : undefined;
}
