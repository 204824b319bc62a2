/**
 * Which thresholds fire, and which are armed again.
 *
 * T2. A (dimension, threshold, channel) fires once per limit value of a period.
 * T3. One change that passes several fires each of them, lowest first.
 * T4. Crossings of one (dimension, threshold) at one moment form one crossing with all channels.
 * T5. Only a raise re-arms; a crossing inside the cooldown is held and fires at its end.
 */
import { thresholdAmount } from '../ratio.js';
import type { ThresholdAlert } from '../alert/state.js';
import type { Dimension } from '../words.js';
import { latchKey } from './latch-key.js';
import type { Limits, Route } from './limits.js';
import type { Latch, Latches } from './state.js';

export type Spent = Readonly<Record<Dimension, number>>;

export interface Crossing {
  readonly dimension: Dimension;
  readonly bps: number;
  readonly limit: number;
  readonly spent: number;
  readonly routes: readonly Route[];
}

const FRESH: Latch = { fired: [] };
/** More changes of a limit than anybody makes in a period; keeps the state bounded. */
const REMEMBERED_LIMITS = 64;

/**
 * Fires what is reached and armed, and spends its latches. `rekills` are kills that fired for this
 * limit value before and were lifted by a raise that is over: they hold again, and are not told
 * twice (T2, K4).
 */
export function fireThresholds(
  limits: Limits,
  latches: Latches,
  spent: Spent,
  now: number,
  cooldownMs: number,
): { latches: Latches; crossings: readonly Crossing[]; rekills: readonly Crossing[] } {
  const next: Record<string, Latch> = { ...latches };
  const crossings: Crossing[] = [];
  const rekills: Crossing[] = [];
  for (const limit of limits.limits) {
    const amountSpent = spent[limit.dimension];
    for (const threshold of limit.thresholds) {
      if (amountSpent < thresholdAmount(limit.amount, threshold.bps)) continue;
      const firing: Route[] = [];
      const killing: Route[] = [];
      const touched: Record<string, Latch> = {};
      for (const route of threshold.routes) {
        const key = latchKey(limit.dimension, threshold.bps, route.channel);
        const latch = next[key] ?? FRESH;
        if (latch.reached !== undefined) continue;
        if (isQuiet(latch, route, now)) continue;
        const again = latch.fired.includes(limit.amount);
        if (!again) firing.push(route);
        else if (route.channel === 'kill') killing.push(route);
        touched[key] = spend(latch, limit.amount, again, route, now, cooldownMs);
      }
      Object.assign(next, touched);
      const crossing = {
        dimension: limit.dimension,
        bps: threshold.bps,
        limit: limit.amount,
        spent: amountSpent,
      };
      if (firing.length > 0) crossings.push({ ...crossing, routes: firing });
      if (killing.length > 0) rekills.push({ ...crossing, routes: killing });
    }
  }
  crossings.sort((a, b) => a.bps - b.bps);
  return { latches: next, crossings, rekills };
}

/** `kill` has no cooldown (T5). */
function isQuiet(latch: Latch, route: Route, now: number): boolean {
  return route.channel !== 'kill' && latch.quietUntil !== undefined && latch.quietUntil > now;
}

function spend(
  latch: Latch,
  limit: number,
  again: boolean,
  route: Route,
  now: number,
  cooldownMs: number,
): Latch {
  if (again) return { ...latch, reached: limit };
  return {
    reached: limit,
    fired: [...latch.fired, limit].slice(-REMEMBERED_LIMITS),
    ...(route.channel === 'kill' ? {} : { quietUntil: now + cooldownMs }),
  };
}

/** The latches as they were before these alerts fired: nobody has been told of them yet. */
export function unfire(latches: Latches, alerts: readonly ThresholdAlert[]): Latches {
  if (alerts.length === 0) return latches;
  const next: Record<string, Latch> = { ...latches };
  for (const { facts, routes } of alerts) {
    const channels = new Set(routes.map((route) => route.channel));
    if (facts.kills === true) channels.add('kill');
    for (const channel of channels) {
      const key = latchKey(facts.dimension, facts.thresholdBps, channel);
      const fired = next[key]?.fired.filter((value) => value !== facts.limit);
      if (fired !== undefined) next[key] = { fired };
    }
  }
  return next;
}

/**
 * T5. After a change of limits: what the new limit leaves unreached is armed again if that limit
 * is a raise; what stays reached is from now on reached under the new one.
 */
export function rearmThresholds(limits: Limits, latches: Latches, spent: Spent): Latches {
  const next: Record<string, Latch> = { ...latches };
  for (const limit of limits.limits) {
    for (const threshold of limit.thresholds) {
      const stands = spent[limit.dimension] >= thresholdAmount(limit.amount, threshold.bps);
      for (const route of threshold.routes) {
        const key = latchKey(limit.dimension, threshold.bps, route.channel);
        const latch = latches[key];
        if (latch?.reached === undefined) continue;
        const { reached, ...armed } = latch;
        if (stands) next[key] = { ...latch, reached: limit.amount };
        else if (limit.amount > reached) next[key] = armed;
      }
    }
  }
  return next;
}

/** The earliest end of a cooldown that holds back a crossing which still stands (T5). */
export function heldUntil(limits: Limits, latches: Latches, spent: Spent): number | undefined {
  let earliest: number | undefined;
  for (const limit of limits.limits) {
    for (const threshold of limit.thresholds) {
      if (spent[limit.dimension] < thresholdAmount(limit.amount, threshold.bps)) continue;
      for (const route of threshold.routes) {
        const latch = latches[latchKey(limit.dimension, threshold.bps, route.channel)];
        if (latch === undefined || latch.reached !== undefined) continue;
        if (route.channel === 'kill' || latch.quietUntil === undefined) continue;
        earliest = Math.min(earliest ?? latch.quietUntil, latch.quietUntil);
      }
    }
  }
  return earliest;
}
