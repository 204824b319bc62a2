/**
 * One budget period as it lives in the whole: a row of the ledger, the relay's plan, the period's
 * machine and its alerts' machines, direct senders and providers, joined by a network that delays,
 * doubles, reorders and loses, a ledger and a Temporal that go away, and a workflow that is lost
 * and starts again from its row. All from one seed.
 */
import type { Policy } from '../../domain/alert/policy.js';
import type { ThresholdAlert } from '../../domain/alert/state.js';
import type { BudgetEffect, BudgetEvent } from '../../domain/budget/events.js';
import {
  beginBudget,
  type BudgetPeriodInput,
  type PeriodOpening,
} from '../../domain/budget/input.js';
import { budgetMachine } from '../../domain/budget/reduce.js';
import type { Report } from '../../domain/budget/report.js';
import { LEDGER, type BudgetState } from '../../domain/budget/state.js';
import { rowOf } from '../../relay/plan.js';
import { createActor, type Actor } from './actor.js';
import { copy, createChaos, type Chaos } from './chaos.js';
import type { Dice } from './dice.js';
import { createProviders, type Providers, type ProvidersWatch } from './period-providers.js';
import { createRowRelay } from './period-relay.js';
import * as book from './period-row.js';
import type { VirtualClock } from './virtual-clock.js';

export type PeriodActor = Actor<BudgetState, BudgetEvent>;

export interface Watch extends ProvidersWatch {
  readonly onPeriodStep: (before: BudgetState, event: BudgetEvent, after: BudgetState) => void;
  onLife(state: BudgetState): void;
  onPublish(before: book.Row, after: book.Row): void;
}

export interface PeriodWorld {
  readonly row: book.Row;
  readonly chaos: Chaos;
  readonly alerts: Providers['alerts'];
  readonly arrivals: Providers['arrivals'];
  readonly lives: number;
  readonly period: () => PeriodActor | undefined;
  /** A life was lost after it raised alerts, before the row heard of them. */
  forgotFirings: boolean;
  ingest(usage: book.Usage): void;
  tellRun(what: 'started' | 'heartbeat' | 'ended'): void;
  setLimits(limits: book.Row['limits']): void;
  reportDirect(report: Report): 'delivered' | 'already_ended' | 'away';
  readonly lose: () => void;
  actOn(alertId: string, what: 'acknowledged' | 'resolved'): void;
}

export function createPeriodWorld(
  opening: PeriodOpening,
  policy: Policy,
  clock: VirtualClock,
  dice: Dice,
  watch: Watch,
): PeriodWorld {
  const row = book.createRow(opening, policy.runIdleMs);
  const chaos = createChaos(dice);
  const providers = createProviders(chaos, clock, dice, watch);
  let actor: PeriodActor | undefined;
  let lives = 0;

  const begin = (input: Exclude<BudgetPeriodInput, { kind: 'carried' }>): void => {
    const state = beginBudget(copy(input));
    lives += 1;
    watch.onLife(state);
    actor = createActor(budgetMachine, state, {
      ...{ clock, perform: performPeriod, rotates: chaos.rotates, lateness: chaos.lateness },
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

  function performPeriod(effect: BudgetEffect, done: (event: BudgetEvent) => void): void {
    const soon = (event: BudgetEvent): void => {
      clock.after(chaos.delay(), () => {
        done(event);
      });
    };
    switch (effect.type) {
      case 'openPeriod':
        clock.after(chaos.delay(), () => {
          if (chaos.ledgerAway) soon({ type: 'openFailed' });
          else soon({ type: 'opened', row: openedRow() });
        });
        break;
      case 'publish':
        if (chaos.trouble(0.02)) clock.after(dice.between(0, 500), world.lose);
        clock.after(chaos.delay(), () => {
          publish(effect, soon);
        });
        break;
      case 'raiseAlert':
        if (chaos.trouble(0.05)) clock.after(dice.between(0, 500), world.lose);
        raise(effect.input, soon);
        break;
      case 'endAlert':
        clock.after(chaos.delay(), () => {
          providers.alerts.get(effect.alertId)?.dispatch({ type: 'subjectEnded', at: effect.at });
          soon({ type: 'alertEnded', alertId: effect.alertId });
        });
        break;
    }
  }

  /** An activity: of a life that is lost it may not be tried again, and a failed one may have been done. */
  function raise(input: ThresholdAlert, soon: (event: BudgetEvent) => void): void {
    const life = actor;
    clock.after(chaos.delay(), () => {
      if (life?.phase() === 'lost' && dice.chance(0.5)) return;
      const fails = chaos.trouble(0.1);
      if (!fails || dice.chance(0.5)) providers.startAlert(input);
      soon({ type: fails ? 'raiseFailed' : 'alertRaised', alertId: input.id });
    });
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
    if (!chaos.ledgerAway && !chaos.trouble(0.1)) {
      write();
      soon({ type: 'published', mark, covers });
      return;
    }
    clock.after(10_000, () => {
      soon({ type: 'publishFailed' });
    });
    // The statement was on its way and is carried out after all, before or after the next one.
    if (chaos.trouble(0.5)) {
      clock.after(dice.between(1, 30_000), () => {
        if (!chaos.ledgerAway) write();
      });
    }
  }

  const world: PeriodWorld = {
    row,
    chaos,
    alerts: providers.alerts,
    arrivals: providers.arrivals,
    actOn: providers.actOn,
    get lives() {
      return lives;
    },
    period: () => actor,
    ingest: (usage) => {
      if (chaos.ledgerAway) {
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
      if (chaos.ledgerAway) return;
      book.tellRun(row, what, clock.now(), policy.runIdleMs);
      wake();
    },
    setLimits: (limits) => {
      if (chaos.ledgerAway) return;
      book.setLimits(row, limits, clock.now());
      wake();
    },
    reportDirect: (report) =>
      chaos.temporalAway ? 'away' : tell({ kind: 'open', opening, policy }, report),
    forgotFirings: false,
    lose: () => {
      if (actor?.phase() !== 'running') return;
      // Its alerts live on, and the row does not know of them.
      const known = new Set(row.openAlerts.map(({ alertId }) => alertId));
      const { openAlerts } = actor.state();
      world.forgotFirings ||= openAlerts.some(({ alertId }) => !known.has(alertId));
      actor.lose();
    },
  };
  const wake = createRowRelay({
    ...{ row, policy, chaos, clock, dice, startAlert: providers.startAlert },
    tell: (begun, report) => tell({ kind: 'row', row: begun, policy }, report),
    repeat: (report) => {
      if (actor?.phase() === 'running') actor.dispatch({ type: 'reported', report: copy(report) });
    },
  });
  return world;
}
