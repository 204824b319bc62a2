/**
 * One budget period as it lives in the whole: a row of the ledger, the relay's plan, the period's
 * machine and its alerts' machines, direct senders and providers, joined by a network that delays,
 * doubles, reorders and loses, a ledger and a Temporal that go away, and a workflow that is lost
 * and starts again from its row. All from one seed.
 */
import type { AlertEffect, AlertEvent } from '../../domain/alert/events.js';
import type { Outcome } from '../../domain/alert/outcome.js';
import type { Policy } from '../../domain/alert/policy.js';
import { alertMachine, beginAlert, wordAgainst } from '../../domain/alert/reduce.js';
import type { AlertInput, AlertState } from '../../domain/alert/state.js';
import type { BudgetEffect, BudgetEvent } from '../../domain/budget/events.js';
import { beginBudget, type BudgetPeriodInput } from '../../domain/budget/input.js';
import { evaluateLate } from '../../domain/budget/late.js';
import { budgetMachine } from '../../domain/budget/reduce.js';
import type { Report } from '../../domain/budget/report.js';
import { LEDGER, type BudgetState } from '../../domain/budget/state.js';
import type { PeriodOpening } from '../../domain/budget/input.js';
import { planOf, reportOf, rowOf } from '../../relay/plan.js';
import type { ClaimedPeriod } from '../../ledger/ledger.js';
import { createActor, type Actor } from './actor.js';
import type { Dice } from './dice.js';
import * as book from './period-row.js';
import type { VirtualClock } from './virtual-clock.js';

export type PeriodActor = Actor<BudgetState, BudgetEvent>;
export type AlertActor = Actor<AlertState, AlertEvent>;

/** What a provider received. */
export interface Arrival {
  readonly at: number;
  readonly alertId: string;
  readonly deliveryId: string;
  readonly purpose: 'fire' | 'resolve';
  readonly attempt: number;
  /** `cost/8000/slack/1000`: a firing, by the limit's value (T2). */
  readonly firing: string;
}

export interface Watch {
  onPeriodStep(before: BudgetState, event: BudgetEvent, after: BudgetState): void;
  onLife(state: BudgetState): void;
  onAlert(input: AlertInput): void;
  onSend(alert: AlertState, effect: Extract<AlertEffect, { type: 'deliver' }>): void;
  onPublish(before: book.Row, after: book.Row): void;
}

export interface PeriodWorld {
  readonly row: book.Row;
  readonly alerts: ReadonlyMap<string, AlertActor>;
  readonly arrivals: readonly Arrival[];
  readonly lives: number;
  period(): PeriodActor | undefined;
  /** Nothing fails and nothing is late any more. */
  healed: boolean;
  ledgerAway: boolean;
  temporalAway: boolean;
  /** A life was lost after it raised alerts, before the row heard of them. */
  forgotFirings: boolean;
  ingest(usage: book.Usage): void;
  tellRun(what: 'started' | 'heartbeat' | 'ended'): void;
  setLimits(limits: book.Row['limits']): void;
  reportDirect(report: Report): 'delivered' | 'already_ended' | 'away';
  lose(): void;
  actOn(alertId: string, what: 'acknowledged' | 'resolved'): void;
}

const LEASE_MS = 5_000;
const INTERVAL_MS = 10_000;

export function createPeriodWorld(
  opening: PeriodOpening,
  policy: Policy,
  clock: VirtualClock,
  dice: Dice,
  watch: Watch,
): PeriodWorld {
  const row = book.createRow(opening, policy.runIdleMs);
  const alerts = new Map<string, AlertActor>();
  const arrivals: Arrival[] = [];
  const firings = new Map<string, string>();
  const written = new Map<string, number>();
  let outbox: AlertInput[] = [];
  let actor: PeriodActor | undefined;
  let lives = 0;
  let wakesAt = Number.POSITIVE_INFINITY;

  const trouble = (probability: number): boolean => !world.healed && dice.chance(probability);
  const delay = (): number => (world.healed ? 5 : dice.between(1, dice.chance(0.1) ? 3_000 : 200));
  const lateness = (): number => (trouble(0.05) ? dice.between(1, 20_000) : 0);
  const rotates = (): boolean => dice.chance(0.1);
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

  // ------------------------------------------------------------------ Temporal

  const begin = (input: Exclude<BudgetPeriodInput, { kind: 'carried' }>): void => {
    const state = beginBudget(copy(input));
    lives += 1;
    watch.onLife(state);
    actor = createActor(budgetMachine, state, {
      ...{ clock, perform: performPeriod, rotates, lateness },
      onStep: watch.onPeriodStep,
    });
  };

  /** Signal-with-start: the signal is taken before the main function begins. */
  const tell = (
    input: Exclude<BudgetPeriodInput, { kind: 'carried' }>,
    report: Report,
  ): 'delivered' | 'already_ended' => {
    const isNew = actor === undefined || actor.phase() === 'lost';
    if (isNew) begin(input);
    if (actor?.phase() === 'ended') return 'already_ended';
    actor?.dispatch({ type: 'reported', report: copy(report) });
    if (isNew) actor?.dispatch({ type: 'began' });
    return 'delivered';
  };

  const startAlert = (input: AlertInput): void => {
    if (alerts.has(input.id)) return;
    watch.onAlert(input);
    const alert = createActor(alertMachine, beginAlert(copy(input), clock.now()), {
      ...{ clock, rotates, lateness, onStep: () => undefined },
      perform: (effect: AlertEffect, done: (event: AlertEvent) => void) => {
        if (effect.type === 'deliver') deliver(effect, done);
        else journal(effect, done);
      },
    });
    alerts.set(input.id, alert);
    alert.dispatch({ type: 'began' });
  };

  function performPeriod(effect: BudgetEffect, done: (event: BudgetEvent) => void): void {
    const soon = (event: BudgetEvent): void => {
      clock.after(delay(), () => {
        done(event);
      });
    };
    switch (effect.type) {
      case 'openPeriod':
        clock.after(delay(), () => {
          if (world.ledgerAway) soon({ type: 'openFailed' });
          else soon({ type: 'opened', row: openedRow() });
        });
        break;
      case 'publish':
        if (trouble(0.02)) clock.after(dice.between(0, 500), world.lose);
        clock.after(delay(), () => {
          publish(effect, soon);
        });
        break;
      case 'raiseAlert':
        if (trouble(0.05)) clock.after(dice.between(0, 500), world.lose);
        // The command is the server's from the moment the task is completed: a parent that is lost
        // meanwhile changes nothing.
        clock.after(delay(), () => {
          startAlert(effect.input);
          soon({ type: 'alertRaised', alertId: effect.input.id });
        });
        break;
      case 'endAlert':
        clock.after(delay(), () => {
          alerts.get(effect.alertId)?.dispatch({ type: 'subjectEnded', at: effect.at });
          soon({ type: 'alertEnded', alertId: effect.alertId });
        });
        break;
    }
  }

  function openedRow() {
    row.started = true;
    const { epoch, seq, own } = row;
    const senders = { ...row.senders, [LEDGER]: { epoch, seq, totals: own } };
    return copy({ ...rowOf({ ...row, closing: false, crossing: false }), senders });
  }

  function publish(
    effect: Extract<BudgetEffect, { type: 'publish' }>,
    soon: (event: BudgetEvent) => void,
  ): void {
    const write = (): void => {
      const before = copy(row);
      if (book.publish(row, effect.published, clock.now())) watch.onPublish(before, row);
      wake();
    };
    const { mark, covers } = effect;
    if (!world.ledgerAway && !trouble(0.1)) {
      write();
      soon({ type: 'published', mark, covers });
      return;
    }
    clock.after(10_000, () => {
      soon({ type: 'publishFailed' });
    });
    // The statement was on its way and is carried out after all, before or after the next one.
    if (trouble(0.5)) {
      clock.after(dice.between(1, 30_000), () => {
        if (!world.ledgerAway) write();
      });
    }
  }

  // ------------------------------------------------------------------ alerts

  const journal = (
    { status, entries }: Extract<AlertEffect, { type: 'journal' }>,
    done: (event: AlertEvent) => void,
  ): void => {
    clock.after(delay(), () => {
      const last = written.get(status.id) ?? 0;
      const first = entries[0]?.no ?? 1;
      if (first > last + 1) throw new Error(`a gap in the journal of ${status.id}`);
      const upTo = entries.at(-1)?.no ?? 0;
      const fails = world.ledgerAway || trouble(0.1);
      if (!fails || (!world.ledgerAway && dice.chance(0.5))) {
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
    if (trouble(0.1)) {
      clock.after(dice.between(0, 60_000), () => {
        world.actOn(input.id, 'acknowledged');
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
    if (world.ledgerAway || trouble(0.05)) {
      clock.after(delay(), () => {
        done({ type: 'attemptNotMade', ...ref, reason: 'the ledger is away' });
      });
      return;
    }
    const suppressed = openDelivery(input, delivery);
    if (suppressed !== undefined) {
      clock.after(delay(), () => {
        done({
          type: 'attempted',
          ...ref,
          answer: { type: 'suppressed', reason: suppressed },
        });
      });
      return;
    }
    switch (world.healed ? 'accepted' : dice.pick(FATES)) {
      case 'accepted':
        arrive(2);
        sent({ kind: 'accepted', reason: 'HTTP 200' }, 5);
        break;
      case 'transient':
        sent({ kind: 'transient', reason: 'HTTP 503' }, delay());
        break;
      case 'throttled': {
        const retryAfterMs = dice.between(0, 1_200_000);
        sent({ kind: 'throttled', reason: 'HTTP 429', retryAfterMs }, delay());
        break;
      }
      case 'permanent':
        sent({ kind: 'permanent_config', reason: 'HTTP 404' }, delay());
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

  /** What the ledger's unique firing decides, and who wants to hear that it is over (T7). */
  const openDelivery = (
    input: AlertInput,
    { route, purpose }: { readonly route: AlertInput['routes'][number]; readonly purpose: string },
  ): 'superseded' | 'resolved' | undefined => {
    if (purpose === 'resolve') return route.channel === 'webhook' ? undefined : 'resolved';
    const key = `${firingOf(input, route.channel)}/${String(input.firing.limitsRev)}`;
    const holder = firings.get(key) ?? input.id;
    firings.set(key, holder);
    return holder === input.id ? undefined : 'superseded';
  };

  // ------------------------------------------------------------------ the relay

  const wakeAt = (at: number): void => {
    if (at >= wakesAt) return;
    wakesAt = at;
    clock.after(at - clock.now(), () => {
      if (wakesAt !== at) return;
      wakesAt = Number.POSITIVE_INFINITY;
      relay();
    });
  };

  const wake = (): void => {
    const { dueAt, leaseUntil } = row;
    if (outbox.length === 0 && dueAt === undefined) return;
    const at = outbox.length > 0 ? 0 : Math.max(dueAt ?? 0, leaseUntil);
    wakeAt(Math.max(at, clock.now()) + dice.between(1, 200));
  };

  const relay = (): void => {
    if (world.ledgerAway) {
      wakeAt(clock.now() + 1_000);
      return;
    }
    if (!world.temporalAway) for (const input of outbox.splice(0)) startAlert(copy(input));
    const claim = book.claim(row, clock.now(), LEASE_MS);
    // The relay that held it is gone: its lease has to run out.
    if (claim !== undefined && !trouble(0.05)) act(claim);
    if (outbox.length > 0) wakeAt(clock.now() + 1_000);
    else wake();
  };

  const act = (claim: ClaimedPeriod): void => {
    switch (planOf(claim)) {
      case 'report':
        report(claim);
        break;
      case 'none':
        answer(() => {
          book.reported(row, claim, clock.now(), INTERVAL_MS, claim.started);
        });
        break;
      case 'close':
        close(claim);
        break;
      case 'late': {
        const verdict = evaluateLate({ ...rowOf(claim), own: claim.own }, policy, clock.now());
        answer(() => {
          if (book.recordLate(row, claim, verdict, clock.now()) && verdict.alert !== undefined) {
            outbox.push(verdict.alert);
          }
        });
        break;
      }
    }
  };

  const report = (claim: ClaimedPeriod): void => {
    const input = { kind: 'row', row: rowOf(claim), policy } as const;
    clock.after(delay(), () => {
      if (world.temporalAway) {
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
        return;
      }
      if (trouble(0.05)) {
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
        return;
      }
      const told = tell(input, reportOf(claim));
      if (trouble(0.1)) clock.after(dice.between(1, 60_000), () => repeat(reportOf(claim)));
      if (trouble(0.1)) {
        // It arrived, and nobody knows: told again.
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
      } else if (told === 'already_ended') close(claim);
      else {
        answer(() => {
          book.reported(row, claim, clock.now(), INTERVAL_MS, true);
        });
      }
    });
  };

  const repeat = (report: Report): void => {
    if (actor?.phase() === 'running') actor.dispatch({ type: 'reported', report: copy(report) });
  };

  const close = (claim: ClaimedPeriod): void => {
    const verdict = evaluateLate({ ...rowOf(claim), own: claim.own }, policy, clock.now());
    answer(() => {
      book.closeRow(row, claim, verdict.alert === undefined ? claim.seq : 0, clock.now());
    });
  };

  /** A write of the relay: lost with a ledger that is away, the lease then does the rest. */
  const answer = (write: () => void): void => {
    clock.after(world.healed ? 1 : dice.between(1, 300), () => {
      if (!world.ledgerAway && !trouble(0.03)) write();
      wake();
    });
  };

  const world: PeriodWorld & { healed: boolean } = {
    row,
    alerts,
    arrivals,
    get lives() {
      return lives;
    },
    period: () => actor,
    healed: false,
    ledgerAway: false,
    temporalAway: false,
    ingest: (usage) => {
      if (world.ledgerAway) {
        // Not acknowledged: whoever sent it sends it again.
        clock.after(2_000, () => {
          world.ingest(usage);
        });
        return;
      }
      book.ingest(row, usage, clock.now(), policy.runIdleMs);
      wake();
    },
    tellRun: (what) => {
      if (world.ledgerAway) return;
      book.tellRun(row, what, clock.now(), policy.runIdleMs);
      wake();
    },
    setLimits: (limits) => {
      if (world.ledgerAway) return;
      book.setLimits(row, limits, clock.now());
      wake();
    },
    reportDirect: (report) =>
      world.temporalAway ? 'away' : tell({ kind: 'open', opening, policy }, report),
    forgotFirings: false,
    lose: () => {
      if (actor?.phase() !== 'running') return;
      // Its alerts live on, and the row does not know of them.
      const known = new Set(row.openAlerts.map(({ alertId }) => alertId));
      const { openAlerts } = actor.state();
      world.forgotFirings ||= openAlerts.some(({ alertId }) => !known.has(alertId));
      actor.lose();
    },
    actOn: (alertId, what) => {
      const alert = alerts.get(alertId);
      if (alert?.phase() === 'running') alert.dispatch({ type: what, by: 'ana' });
    },
  };
  wake();
  return world;
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

export function firingOf({ facts }: AlertInput, channel: string): string {
  const { dimension, thresholdBps, limit } = facts;
  return `${dimension}/${String(thresholdBps)}/${channel}/${String(limit)}`;
}
