/**
 * Reads a report somebody sent, be it nonsense: a `Report`, or a word on what is wrong with it.
 * Never throws; a bad message is counted and costs nothing else (spec §8).
 */
import { CHANNELS, DIMENSIONS } from '../words.js';
import type { Base, Limit, Limits, Route, Threshold } from './limits.js';
import type { Report } from './report.js';
import type { RunLife } from './totals.js';

type Fields = Readonly<Record<string, unknown>>;
type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly at: string };

const ok = <T>(value: T): Read<T> => ({ ok: true, value });
const bad = (at: string): { ok: false; at: string } => ({ ok: false, at });

/** A calendar date past this is a mistake of units: 1 January 2200. */
const LATEST = 7_258_118_400_000;
const MAX_NAME = 200;

/** -> the report, or `{ problem }` naming the path and what was expected. */
export function readReport(message: unknown): Report | { readonly problem: string } {
  const read = reportOf(message);
  return read.ok ? read.value : { problem: `reportTotals: ${read.at}` };
}

function reportOf(message: unknown): Read<Report> {
  if (!isFields(message)) return bad('expected an object');
  const { sender, epoch, seq, cost, tokens, calls } = message;
  if (typeof sender !== 'string' || sender === '' || sender.length > MAX_NAME) {
    return bad(`sender: expected a name of 1 to ${String(MAX_NAME)} characters`);
  }
  if (sender === '__proto__' || !sender.isWellFormed()) return bad('sender: not a usable name');
  if (!isCount(epoch)) return bad('epoch: expected an integer from 0');
  if (!isCount(seq)) return bad('seq: expected an integer from 0');
  if (!isCount(cost)) return bad('cost: expected nano-USD, an integer from 0 below 2^53');
  if (!isCount(tokens)) return bad('tokens: expected an integer from 0 below 2^53');
  if (!isCount(calls)) return bad('calls: expected an integer from 0 below 2^53');
  const times = timesOf(message);
  if (!times.ok) return times;
  const rest = restOf(message);
  if (!rest.ok) return rest;
  return ok({ sender, epoch, seq, cost, tokens, calls, ...times.value, ...rest.value });
}

function timesOf(message: Fields): Read<Pick<Report, 'firstAt' | 'lastAt'>> {
  const { firstAt, lastAt } = message;
  if (firstAt !== undefined && !isMoment(firstAt)) return bad('firstAt: expected epoch ms');
  if (lastAt !== undefined && !isMoment(lastAt)) return bad('lastAt: expected epoch ms');
  if (firstAt !== undefined && lastAt !== undefined && lastAt < firstAt) {
    return bad('lastAt: lies before firstAt');
  }
  return ok({
    ...(firstAt === undefined ? {} : { firstAt }),
    ...(lastAt === undefined ? {} : { lastAt }),
  });
}

function restOf(message: Fields): Read<Pick<Report, 'limitsRev' | 'limits' | 'run' | 'closing'>> {
  const { limitsRev, limits, run, closing } = message;
  if (limitsRev !== undefined && !isCount(limitsRev)) return bad('limitsRev: expected an integer');
  if (closing !== undefined && typeof closing !== 'boolean')
    return bad('closing: expected a boolean');
  const readLimits = limits === undefined ? undefined : limitsOf(limits);
  if (readLimits?.ok === false) return readLimits;
  const readRun = run === undefined ? undefined : runOf(run);
  if (readRun?.ok === false) return readRun;
  return ok({
    ...(limitsRev === undefined ? {} : { limitsRev }),
    ...(closing === undefined ? {} : { closing }),
    ...(readLimits === undefined ? {} : { limits: readLimits.value }),
    ...(readRun === undefined ? {} : { run: readRun.value }),
  });
}

function runOf(run: unknown): Read<RunLife> {
  if (!isFields(run) || typeof run['open'] !== 'boolean')
    return bad('run.open: expected a boolean');
  const { startedAt, heardAt, open } = run;
  if (startedAt !== undefined && !isMoment(startedAt))
    return bad('run.startedAt: expected epoch ms');
  if (heardAt !== undefined && !isMoment(heardAt)) return bad('run.heardAt: expected epoch ms');
  return ok({
    open,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(heardAt === undefined ? {} : { heardAt }),
  });
}

function limitsOf(limits: unknown): Read<Limits> {
  if (!isFields(limits) || !isCount(limits['rev'])) return bad('limits.rev: expected an integer');
  const list = limits['limits'];
  if (!Array.isArray(list) || list.length > DIMENSIONS.length) {
    return bad('limits.limits: expected at most one limit a dimension');
  }
  const read: Limit[] = [];
  for (const [index, each] of list.entries()) {
    const limit = limitOf(each, `limits.limits[${String(index)}]`);
    if (!limit.ok) return limit;
    if (read.some((known) => known.dimension === limit.value.dimension)) {
      return bad(`limits.limits[${String(index)}].dimension: given twice`);
    }
    read.push(limit.value);
  }
  const base = limits['base'] === undefined ? undefined : baseOf(limits['base']);
  if (base?.ok === false) return base;
  return ok({
    ...{ rev: limits['rev'], limits: read },
    ...(base === undefined ? {} : { base: base.value }),
  });
}

function baseOf(base: unknown): Read<Base> {
  if (!isFields(base) || !isMoment(base['at'])) return bad('limits.base.at: expected epoch ms');
  const read: { -readonly [Key in keyof Base]: Base[Key] } = { at: base['at'] };
  for (const dimension of ['cost', 'tokens_total', 'calls'] as const) {
    const value = base[dimension];
    if (value === undefined) continue;
    if (!isCount(value)) return bad(`limits.base.${dimension}: expected an integer from 0`);
    read[dimension] = value;
  }
  return ok(read);
}

function limitOf(limit: unknown, path: string): Read<Limit> {
  if (!isFields(limit)) return bad(`${path}: expected an object`);
  const { dimension, amount, enforcement, thresholds } = limit;
  if (!isOneOf(DIMENSIONS, dimension)) return bad(`${path}.dimension: unknown`);
  if (!isCount(amount)) return bad(`${path}.amount: expected an integer from 0`);
  if (enforcement !== 'alert' && enforcement !== 'block') {
    return bad(`${path}.enforcement: expected alert or block`);
  }
  if (!Array.isArray(thresholds) || thresholds.length > 100) {
    return bad(`${path}.thresholds: expected at most 100`);
  }
  const read: Threshold[] = [];
  for (const [index, each] of thresholds.entries()) {
    const threshold = thresholdOf(each, `${path}.thresholds[${String(index)}]`);
    if (!threshold.ok) return threshold;
    read.push(threshold.value);
  }
  read.sort((a, b) => a.bps - b.bps);
  return ok({ dimension, amount, enforcement, thresholds: read });
}

function thresholdOf(threshold: unknown, path: string): Read<Threshold> {
  if (!isFields(threshold)) return bad(`${path}: expected an object`);
  const { bps, routes } = threshold;
  if (!isCount(bps) || bps < 1 || bps > 10_000) return bad(`${path}.bps: expected 1 to 10000`);
  if (!Array.isArray(routes) || routes.length > 200) return bad(`${path}.routes: expected a list`);
  const read: Route[] = [];
  for (const [index, each] of routes.entries()) {
    const route = routeOf(each, `${path}.routes[${String(index)}]`);
    if (!route.ok) return route;
    read.push(route.value);
  }
  return ok({ bps, routes: read });
}

function routeOf(route: unknown, path: string): Read<Route> {
  if (!isFields(route)) return bad(`${path}: expected an object`);
  const { channel, destination, agents } = route;
  if (!isOneOf(CHANNELS, channel)) return bad(`${path}.channel: unknown`);
  if (destination !== undefined && typeof destination !== 'string') {
    return bad(`${path}.destination: expected a reference`);
  }
  if (agents !== undefined && !isNames(agents)) return bad(`${path}.agents: expected names`);
  return ok({
    channel,
    ...(destination === undefined ? {} : { destination }),
    ...(agents === undefined ? {} : { agents }),
  });
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
const isMoment = (value: unknown): value is number => isCount(value) && value <= LATEST;
const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
function isOneOf<const T extends string>(words: readonly T[], value: unknown): value is T {
  return (words as readonly unknown[]).includes(value);
}
