/**
 * A period's alerts and the providers they are sent to, which accept, refuse, hang and leave in
 * doubt; the ledger's part of it (unique firings, journal) is here, too.
 */
import { isWorded } from '../../domain/alert/facts.js';
import type { AlertEffect, AlertEvent } from '../../domain/alert/events.js';
import type { Outcome, Suppression } from '../../domain/alert/outcome.js';
import { wordAgainst } from '../../domain/alert/holds.js';
import { alertMachine, beginAlert } from '../../domain/alert/reduce.js';
import type { AlertInput, AlertState, Purpose } from '../../domain/alert/state.js';
import { createActor, type Actor } from './actor.js';
import { copy, type Chaos } from './chaos.js';
import type { Dice } from './dice.js';
import type { VirtualClock } from './virtual-clock.js';

export type AlertActor = Actor<AlertState, AlertEvent>;

/** What a provider received. */
export interface Arrival {
  readonly at: number;
  readonly alertId: string;
  readonly deliveryId: string;
  readonly purpose: Purpose;
  readonly attempt: number;
  /** `cost/8000/slack/1000`: a firing, by the limit's value (T2). */
  readonly firing: string;
}

export interface ProvidersWatch {
  onAlert(input: AlertInput): void;
  onSend(alert: AlertState, effect: Extract<AlertEffect, { type: 'deliver' }>): void;
  /** The ledger holds nothing against it: it leaves the house. */
  onOpen?(effect: Extract<AlertEffect, { type: 'deliver' }>): void;
}

export interface Providers {
  readonly alerts: ReadonlyMap<string, AlertActor>;
  readonly arrivals: readonly Arrival[];
  /** An id that was started before is started. */
  readonly startAlert: (input: AlertInput) => void;
  /** A person's word. */
  readonly actOn: (alertId: string, what: 'acknowledged' | 'resolved') => void;
}

export function createProviders(
  chaos: Chaos,
  clock: VirtualClock,
  dice: Dice,
  watch: ProvidersWatch,
): Providers {
  const alerts = new Map<string, AlertActor>();
  const arrivals: Arrival[] = [];
  const firings = new Map<string, string>();
  const written = new Map<string, number>();

  const startAlert = (input: AlertInput): void => {
    if (alerts.has(input.id)) return;
    watch.onAlert(input);
    const alert = createActor(alertMachine, beginAlert(copy(input), clock.now()), {
      ...{ clock, rotates: chaos.rotates, lateness: chaos.lateness, onStep: () => undefined },
      perform: (effect: AlertEffect, done: (event: AlertEvent) => void) => {
        if (effect.type === 'deliver') deliver(effect, done);
        else if (effect.type === 'journal') journal(effect, done);
        else done({ type: 'partsTold' });
      },
    });
    alerts.set(input.id, alert);
    alert.dispatch({ type: 'began' });
  };

  const journal = (
    { status, entries }: Extract<AlertEffect, { type: 'journal' }>,
    done: (event: AlertEvent) => void,
  ): void => {
    clock.after(chaos.delay(), () => {
      const last = written.get(status.id) ?? 0;
      const first = entries[0]?.no ?? 1;
      if (first > last + 1) throw new Error(`a gap in the journal of ${status.id}`);
      const upTo = entries.at(-1)?.no ?? 0;
      const fails = chaos.ledgerAway || chaos.trouble(0.1);
      if (!fails || (!chaos.ledgerAway && dice.chance(0.5))) {
        written.set(status.id, Math.max(last, upTo));
      }
      done(fails ? { type: 'journalFailed' } : { type: 'journalled', upTo });
    });
  };

  const deliver = (
    effect: Extract<AlertEffect, { type: 'deliver' }>,
    done: (event: AlertEvent) => void,
  ): void => {
    const { input, delivery, attempt } = effect;
    const state = alerts.get(input.id)?.state();
    const held = state === undefined ? undefined : wordAgainst(state, delivery.purpose);
    if (held !== undefined) {
      const answer = { type: 'suppressed', reason: held } as const;
      clock.after(0, () => {
        done({ type: 'attempted', delivery: delivery.id, attempt, answer });
      });
      return;
    }
    if (state !== undefined) watch.onSend(state, effect);
    if (chaos.trouble(0.1)) {
      clock.after(dice.between(0, 60_000), () => {
        actOn(input.id, 'acknowledged');
      });
    }
    const ref = { delivery: delivery.id, attempt };
    const sent = (outcome: Outcome, ms: number): void => {
      clock.after(ms, () => {
        done({ type: 'attempted', ...ref, answer: { type: 'sent', outcome } });
      });
    };
    const arrive = (ms: number): void => {
      clock.after(ms, () => {
        const firing = firingOf(input, delivery.route.channel);
        const { id: deliveryId, purpose } = delivery;
        arrivals.push({
          ...{ at: clock.now(), alertId: input.id, deliveryId, purpose, attempt, firing },
        });
      });
    };
    if (chaos.ledgerAway || chaos.trouble(0.05)) {
      clock.after(chaos.delay(), () => {
        done({ type: 'attemptNotMade', ...ref, reason: 'the ledger is away' });
      });
      return;
    }
    const until = delivery.purpose === 'fire' ? chaos.silencedUntil?.() : undefined;
    if (until !== undefined) {
      clock.after(chaos.delay(), () => {
        done({ type: 'attempted', ...ref, answer: { type: 'held', reason: 'silenced', until } });
      });
      return;
    }
    if (chaos.accepts?.(delivery.route.destination ?? '') === true) {
      watch.onOpen?.(effect);
      sent({ kind: 'accepted', reason: 'HTTP 200' }, chaos.delay());
      return;
    }
    const suppressed = openDelivery(input, delivery);
    if (suppressed !== undefined) {
      clock.after(chaos.delay(), () => {
        done({
          type: 'attempted',
          ...ref,
          answer: { type: 'suppressed', reason: suppressed },
        });
      });
      return;
    }
    watch.onOpen?.(effect);
    if (delivery.route.channel === 'push' && chaos.confirmsIn !== undefined) {
      offer(effect, done);
      return;
    }
    switch (chaos.healed ? 'accepted' : dice.pick(FATES)) {
      case 'accepted':
        arrive(2);
        sent({ kind: 'accepted', reason: 'HTTP 200' }, 5);
        break;
      case 'transient':
        sent({ kind: 'transient', reason: 'HTTP 503' }, chaos.delay());
        break;
      case 'throttled': {
        const retryAfterMs = dice.between(0, 1_200_000);
        sent({ kind: 'throttled', reason: 'HTTP 429', retryAfterMs }, chaos.delay());
        break;
      }
      case 'permanent':
        sent({ kind: 'permanent_config', reason: 'HTTP 404' }, chaos.delay());
        break;
      case 'ambiguous':
        if (dice.chance(0.5)) arrive(dice.between(1, 4_000));
        sent({ kind: 'ambiguous', reason: 'no answer' }, 4_000);
        break;
      case 'lost':
        if (dice.chance(0.5)) arrive(dice.between(1, 4_000));
        clock.after(5_000, () => {
          done({ type: 'attemptLost', ...ref });
        });
        break;
    }
  };

  /** A confirmation may come before the answer of the attempt, or after its time, or never. */
  const offer = (
    { input, delivery, attempt }: Extract<AlertEffect, { type: 'deliver' }>,
    done: (event: AlertEvent) => void,
  ): void => {
    const ref = { delivery: delivery.id, attempt };
    const confirmsIn = chaos.confirmsIn?.();
    if (confirmsIn !== undefined) {
      clock.after(confirmsIn, () => {
        const alert = alerts.get(input.id);
        if (alert?.phase() === 'running')
          alert.dispatch({ type: 'confirmed', delivery: ref.delivery });
      });
    }
    clock.after(chaos.delay(), () => {
      const answer = { type: 'offered', confirmWithinMs: 5_000 } as const;
      done(
        chaos.trouble(0.1)
          ? { type: 'attemptLost', ...ref }
          : { type: 'attempted', ...ref, answer },
      );
    });
  };

  /** What the ledger's unique firing decides, and who wants to hear that it is over (T7). */
  const openDelivery = (
    input: AlertInput,
    { route, purpose, cause = 'route' }: Extract<AlertEffect, { type: 'deliver' }>['delivery'],
  ): Suppression | undefined => {
    if (purpose === 'acknowledge') return undefined;
    if (purpose === 'resolve') {
      const isTold = route.channel === 'webhook' || route.channel === 'pagerduty';
      return isTold ? undefined : 'resolved';
    }
    if (chaos.holds !== undefined && chaos.trouble(0.1)) return dice.pick(chaos.holds);
    if (cause !== 'route' || input.kind !== 'threshold') return undefined;
    const key = `${firingOf(input, route.channel)}/${String(input.firing.limitsRev)}`;
    const holder = firings.get(key) ?? input.id;
    firings.set(key, holder);
    return holder === input.id ? undefined : 'superseded';
  };

  const actOn = (alertId: string, what: 'acknowledged' | 'resolved'): void => {
    const alert = alerts.get(alertId);
    if (alert?.phase() === 'running') alert.dispatch({ type: what, by: 'ana' });
  };

  return { alerts, arrivals, startAlert, actOn };
}

const FATES = [
  'accepted',
  'accepted',
  'accepted',
  'accepted',
  'transient',
  'transient',
  'throttled',
  'permanent',
  'ambiguous',
  'lost',
] as const;

export function firingOf({ id, facts }: AlertInput, channel: string): string {
  if (isWorded(facts)) return `${id}/${channel}`;
  const { dimension, thresholdBps, limit } = facts;
  return `${dimension}/${String(thresholdBps)}/${channel}/${String(limit)}`;
}
