/** Drives the alert machine by hand: deliveries are answered as a test says. */
import type { AlertEffect, AlertEvent } from '../../domain/alert/events.js';
import type { Outcome, OutcomeKind, Suppression } from '../../domain/alert/outcome.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertMachine, beginAlert } from '../../domain/alert/reduce.js';
import type {
  AlertInput,
  AlertRoute,
  DeliverAnswer,
  JournalEntry,
  Response,
  RuleAlert,
  ThresholdAlert,
} from '../../domain/alert/state.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import type { ChannelName } from '../../domain/words.js';
import { T0, limitsOf, rowWith } from './budget-driver.js';

export const HOUR = 3_600_000;

/** One route a channel, to destinations `d0`, `d1`, …; the threshold decides the priority (T6). */
export function inputOf(
  channels: readonly ChannelName[],
  bps = 8_000,
  response?: Response,
): ThresholdAlert {
  const row = rowWith(limitsOf(1_000, []));
  const routes = channels.map((channel, index) => ({ channel, destination: `d${String(index)}` }));
  const input = alertInputOf(
    { ...row, policy: DEFAULT_POLICY, limitsRev: 1 },
    { dimension: 'cost', bps, limit: 1_000, spent: 1_000, routes },
    1,
    T0,
  );
  return response === undefined ? input : { ...input, response };
}

/** An alert of a rule, to the routes it was given. */
export function ruleInputOf(
  routes: readonly AlertRoute[],
  priority: 'low' | 'medium' | 'high' | 'critical' = 'medium',
  response?: Response,
): RuleAlert {
  return {
    ...{ id: 'alert/acme/rule/errors/bot/1', org: 'acme', kind: 'rule', subject: 'agent/acme/bot' },
    facts: {
      ...{ kind: 'rule', org: 'acme', agentName: 'bot', rule: 'errors', title: 'Too many errors' },
      ...{ lines: [], severity: 'error', priority, at: T0 },
    },
    ...{ routes, policy: DEFAULT_POLICY },
    ...(response === undefined ? {} : { response }),
  };
}

export const outcome = (kind: OutcomeKind, retryAfterMs?: number): Outcome => ({
  kind,
  reason: kind,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

export interface Sent {
  readonly channel: string;
  readonly destination: string;
  readonly purpose: string;
  readonly attempt: number;
  /** Ms since the alert was raised. */
  readonly at: number;
}

/** `answers`: what each channel's attempts come to, in order; the last one repeats. */
export function driveAlert(
  input: AlertInput,
  answers: (
    channel: string,
    attempt: number,
    destination: string,
  ) => Outcome | Suppression | DeliverAnswer | 'hang',
  rotate = false,
) {
  let state = beginAlert(input, T0);
  const sent: Sent[] = [];
  const journal: JournalEntry[] = [];
  const hanging: Extract<AlertEffect, { type: 'deliver' }>[] = [];
  const driver = {
    now: T0,
    ledgerAway: false,
    sent,
    journal,
    hanging,
    get state() {
      return state;
    },
    send: (event: AlertEvent) => {
      const [next, effects] = alertMachine.reduce(state, event, driver.now);
      state = rotate ? (JSON.parse(JSON.stringify(next)) as typeof next) : next;
      for (const effect of effects) {
        if (effect.type === 'journal') {
          if (driver.ledgerAway) driver.send({ type: 'journalFailed' });
          else {
            journal.push(...effect.entries);
            driver.send({ type: 'journalled', upTo: effect.entries.at(-1)?.no ?? 0 });
          }
          continue;
        }
        if (effect.type === 'tellParts') continue;
        const { delivery, attempt } = effect;
        sent.push({
          channel: delivery.route.channel,
          destination: delivery.route.destination ?? '',
          purpose: delivery.purpose,
          attempt,
          at: driver.now - T0,
        });
        const answer = answers(delivery.route.channel, attempt, delivery.route.destination ?? '');
        if (answer === 'hang') hanging.push(effect);
        else
          driver.send({
            ...{ type: 'attempted', delivery: delivery.id, attempt },
            answer: answerOf(answer),
          });
      }
    },
    pass: (ms: number) => {
      const until = driver.now + ms;
      for (let ticks = 0; ; ticks += 1) {
        const due = alertMachine.dueAt(state);
        if (due === undefined || due > until) break;
        if (ticks > 1_000) throw new Error('the timer spins');
        driver.now = Math.max(driver.now, due);
        driver.send({ type: 'ticked' });
      }
      driver.now = until;
    },
  };
  driver.send({ type: 'began' });
  return driver;
}

function answerOf(answer: Outcome | Suppression | DeliverAnswer): DeliverAnswer {
  if (typeof answer === 'string') return { type: 'suppressed', reason: answer };
  return 'type' in answer ? answer : { type: 'sent', outcome: answer };
}
