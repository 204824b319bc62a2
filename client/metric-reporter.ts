/**
 * Holds an agent's metrics against its rules in the agent's own process, and signals what matched:
 * no HTTP on the way. As with usage, it tells its counts so far, so that a repeated, reordered or
 * lost signal changes nothing.
 *
 * MR-1. A match that could raise an alert (R2) is told at once, anything else by time.
 * MR-2. Counts of a rule never start over while the reporter lives, whatever becomes of the rule.
 * MR-3. One signal is under way at a time; what comes meanwhile goes with the next.
 */
import type { MatchReport } from '../domain/agent/report.js';
import {
  appliesTo,
  isConditionFault,
  meets,
  parseCondition,
  type Condition,
  type MetricValue,
  type Rule,
} from '../domain/rule.js';
import type { KavachClient } from './client.js';
import { systemTimers, type Timers } from './timers.js';

/** An organisation's rules under one revision; those of other agents are left out. */
export interface KnownRules {
  readonly rev: number;
  readonly rules: readonly Rule[];
}

export interface MetricReporterOptions {
  readonly client: Pick<KavachClient, 'reportMatches'>;
  readonly org: string;
  readonly agent: string;
  /** Of this process: a restarted one is a new sender, never the same name twice. */
  readonly sender: string;
  readonly rules: () => Promise<KnownRules>;
  /** How often they are asked for. Default 30 s. */
  readonly refreshEveryMs?: number;
  /** How often counts are told that raise nothing. Default 10 s. */
  readonly intervalMs?: number;
  readonly timers?: Timers;
  /** Told of what did not work; the reporter tries again by itself. */
  readonly onError?: (error: Error) => void;
}

export interface MetricReporter {
  /** Resolves when the rules are known, or could not be read. */
  readonly ready: Promise<void>;
  /** Never waits and never throws for a value it does not know: `{ error_rate: 0.07 }`. */
  record(metrics: Readonly<Record<string, MetricValue>>): void;
  /** Tells what is left, and ends. False: not all of it could be told in time. */
  drain(timeoutMs?: number): Promise<boolean>;
}

interface Tally {
  matches: number;
  misses: number;
  heardAt: number;
  matchedAt?: number;
  /** When a match of it was last told at once. */
  urgentAt: number;
}

interface Watched {
  readonly rule: Rule;
  readonly condition: Condition;
  readonly tally: Tally;
}

/** From one signal to the next, whatever happens: a workflow takes about five a second. */
const GAP_MS = 250;

export function createMetricReporter(options: MetricReporterOptions): MetricReporter {
  const { client, org, agent, sender } = options;
  const timers = options.timers ?? systemTimers;
  const intervalMs = options.intervalMs ?? 10_000;
  const refreshEveryMs = options.refreshEveryMs ?? 30_000;
  const tallies = new Map<string, Tally>();
  let watched: readonly Watched[] = [];
  let rev = 0;
  let seq = 0;
  let isDirty = false;
  let isSending = false;
  let isOver = false;
  let sentAt = Number.NEGATIVE_INFINITY;
  let dueAt = Number.POSITIVE_INFINITY;
  let cancel = (): void => undefined;
  let cancelRefresh = (): void => undefined;
  let onTold = (): void => undefined;

  const failed = (error: unknown): void => {
    options.onError?.(error instanceof Error ? error : new Error(String(error)));
  };

  const refresh = async (): Promise<void> => {
    try {
      const known = await options.rules();
      rev = known.rev;
      watched = known.rules.filter((rule) => appliesTo(rule, agent)).flatMap(watch);
    } catch (error) {
      failed(error);
    }
    if (!isOver) cancelRefresh = timers.after(refreshEveryMs, () => void refresh());
  };

  const watch = (rule: Rule): Watched[] => {
    const condition = parseCondition(rule.condition);
    if (isConditionFault(condition)) return [];
    const before = watched.find((each) => each.rule.id === rule.id);
    const tally = tallies.get(rule.id) ?? {
      ...{ matches: 0, misses: 0, heardAt: 0, urgentAt: Number.NEGATIVE_INFINITY },
    };
    // What was false before was another condition.
    if (before !== undefined && before.rule.condition !== rule.condition) tally.misses = 0;
    tallies.set(rule.id, tally);
    return [{ rule, condition, tally }];
  };

  const wake = (at: number): void => {
    if (isSending || at >= dueAt) return;
    cancel();
    dueAt = at;
    cancel = timers.after(Math.max(at - timers.now(), 0), () => {
      dueAt = Number.POSITIVE_INFINITY;
      void tell();
    });
  };

  const tell = async (): Promise<void> => {
    if (isSending || !isDirty) return;
    isSending = true;
    isDirty = false;
    sentAt = timers.now();
    let waitMs = intervalMs;
    try {
      await client.reportMatches({ org, agent }, nextReport());
    } catch (error) {
      failed(error);
      isDirty = true;
      waitMs = 1_000;
    }
    isSending = false;
    if (isDirty) wake(isOver ? timers.now() : sentAt + waitMs);
    else onTold();
  };

  const nextReport = (): MatchReport => {
    seq += 1;
    const rules = watched
      .filter(({ tally }) => tally.matches > 0)
      .map(({ rule, tally: { urgentAt: _urgent, ...count } }) => ({ rule: rule.id, ...count }));
    return { sender, epoch: 1, seq, rev, rules };
  };

  const record = (metrics: Readonly<Record<string, MetricValue>>): void => {
    if (isOver) throw new Error('The metric reporter has been drained: make a new one.');
    const now = timers.now();
    let isUrgent = false;
    for (const { rule, condition, tally } of watched) {
      const value = Object.hasOwn(metrics, condition.metric)
        ? metrics[condition.metric]
        : undefined;
      const matched = value === undefined ? undefined : meets(condition, value);
      if (matched === undefined) continue;
      tally.heardAt = now;
      tally.misses = matched ? 0 : tally.misses + 1;
      if (matched) {
        tally.matches += 1;
        tally.matchedAt = now;
        if (now - tally.urgentAt >= rule.cooldownMs) {
          tally.urgentAt = now;
          isUrgent = true;
        }
      }
      if (tally.matches > 0) isDirty = true;
    }
    if (isDirty) wake(Math.max(sentAt + (isUrgent ? GAP_MS : intervalMs), now));
  };

  const drain = async (timeoutMs = 5_000): Promise<boolean> => {
    isOver = true;
    cancelRefresh();
    if (!isDirty && !isSending) return true;
    const told = new Promise<boolean>((resolve) => {
      const stop = timers.after(timeoutMs, () => {
        resolve(false);
      });
      onTold = () => {
        stop();
        resolve(true);
      };
    });
    wake(timers.now());
    const isTold = await told;
    cancel();
    return isTold;
  };

  return { ready: refresh(), record, drain };
}
