/**
 * Alerts in this process, by the rules of their workflow (domain/alert): each delivery on its own,
 * the ladder's retries in memory. Best effort: what the process takes with it is not sent.
 * AL-1. What did not reach anybody is told to the logger, with its reason and without an address.
 * AL-2. T7, T9. Of an end hear PagerDuty, once the last alert of its incident is over, and webhooks.
 */
import type { AlertEffect, AlertEvent } from '../../domain/alert/events.js';
import { incidentOf } from '../../domain/alert/incident.js';
import { alertMachine, beginAlert } from '../../domain/alert/reduce.js';
import { TOLD_OF_RESOLUTION } from '../../domain/alert/sequels.js';
import type {
  AlertState,
  DeliverAnswer,
  JournalEntry,
  ThresholdAlert,
} from '../../domain/alert/state.js';
import { idempotencyKey } from '../../domain/ids.js';
import type { Clock, Timers } from '../engine/surroundings.js';
import type { Logger } from '../options.js';
import { driveMachine, type Driven } from './drive.js';
import type { Send } from './send.js';

export interface Alerts {
  readonly raise: (input: ThresholdAlert) => void;
  /** T7. Its period is over. */
  readonly end: (alertId: string, at: number) => void;
  /** Waits for the attempts under way, at most so long; what waits for another try is given up. */
  close(timeoutMs: number): Promise<void>;
}

export interface AlertsOptions {
  readonly agentName: string;
  readonly send: Send;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Of this process: another one's alert of the same name is no repeat of ours (A11). */
  readonly session: string;
}

type Deliver = Extract<AlertEffect, { type: 'deliver' }>;

export function createAlerts(options: AlertsOptions): Alerts {
  const { agentName, send, clock, timers, logger, session } = options;
  const alerts = new Map<string, Driven<AlertState, AlertEvent>>();
  const underWay = new Set<Promise<void>>();

  function raise(input: ThresholdAlert): void {
    // A kill alone tells nobody.
    if (input.routes.length === 0) return;
    const perform = (effect: AlertEffect, tell: (event: AlertEvent) => void): void => {
      if (effect.type === 'deliver') start(effect, tell);
      if (effect.type !== 'journal') return;
      effect.entries.forEach(say);
      tell({ type: 'journalled', upTo: effect.entries.at(-1)?.no ?? 0 });
    };
    const begun = beginAlert(input, clock.wall());
    const onChange = (): void => {
      if (alertMachine.isSettled(driven.state())) alerts.delete(input.id);
    };
    const driven = driveMachine(alertMachine, begun, { clock, timers, perform, onChange });
    alerts.set(input.id, driven);
    driven.tell({ type: 'began' });
  }

  function start(effect: Deliver, tell: (event: AlertEvent) => void): void {
    const { delivery, attempt } = effect;
    const attempted = deliver(effect).then((answer) => {
      underWay.delete(attempted);
      tell({ type: 'attempted', delivery: delivery.id, attempt, answer });
    });
    underWay.add(attempted);
  }

  async function deliver({ input, delivery }: Deliver): Promise<DeliverAnswer> {
    const { id, route, purpose } = delivery;
    if (purpose === 'resolve') {
      if (!TOLD_OF_RESOLUTION.has(route.channel)) return { type: 'suppressed', reason: 'resolved' };
      if (route.channel === 'pagerduty' && isFiring(incidentOf(input))) {
        return { type: 'suppressed', reason: 'still_firing' };
      }
    }
    const outcome = await send({
      ...{ input, delivery, now: clock.wall() },
      idempotencyKey: idempotencyKey(`${session} ${id}`),
    });
    return { type: 'sent', outcome };
  }

  /** T9. Another alert of the incident was told to PagerDuty, and is not over. */
  function isFiring(incident: string): boolean {
    return [...alerts.values()].some((driven) => {
      const { input, phase, deliveries } = driven.state();
      return (
        phase !== 'resolved' &&
        incidentOf(input) === incident &&
        deliveries.some(
          ({ route, status }) => route.channel === 'pagerduty' && status === 'accepted',
        )
      );
    });
  }

  function say({ what, channel, attempt, reason }: JournalEntry): void {
    const fields = { channel, attempt, reason };
    if (what === 'attempt' && reason?.startsWith('accepted') === false) {
      logger.warn?.(`An alert of agent ${agentName} was not taken.`, fields);
    } else if (what === 'failed') {
      logger.error?.(`An alert of agent ${agentName} could not be sent.`, fields);
    } else if (what === 'exhausted') {
      logger.error?.(`An alert of agent ${agentName} has reached nobody.`, {});
    } else {
      logger.debug?.(`An alert of agent ${agentName}: ${what}.`, fields);
    }
  }

  async function close(timeoutMs: number): Promise<void> {
    for (const driven of alerts.values()) driven.stop();
    const release = timers.hold();
    let giveUp: () => void = () => undefined;
    const patience = new Promise<void>((resolve) => {
      giveUp = timers.after(timeoutMs, resolve);
    });
    await Promise.race([Promise.all(underWay), patience]);
    giveUp();
    release();
    for (const driven of alerts.values()) {
      for (const { status, route, attempts } of driven.state().deliveries) {
        if (status !== 'due' && status !== 'sending') continue;
        const fields = { channel: route.channel, attempts: attempts.length };
        logger.error?.(`An alert of agent ${agentName} was given up at its guard's end.`, fields);
      }
    }
  }

  return {
    raise,
    end: (alertId, at) => {
      alerts.get(alertId)?.tell({ type: 'subjectEnded', at });
    },
    close,
  };
}
