/**
 * One alert with routes, operators and levels as the dice have them, among providers that accept,
 * refuse, hang, leave in doubt and take their word back, people who act at any moment, rotations
 * and lost workers.
 */
import { isPerson } from '../../domain/alert/ending.js';
import { stormNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type { AlertInput, AlertRoute, AlertState, Response } from '../../domain/alert/state.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import { CHANNELS } from '../../domain/words.js';
import { limitsOf, rowWith, T0 } from '../domain/budget-driver.js';
import { createChaos } from './chaos.js';
import { createDice, type Dice } from './dice.js';
import { createProviders } from './period-providers.js';
import { createVirtualClock } from './virtual-clock.js';

const DAY_MS = 86_400_000;
const SENDABLE = CHANNELS.filter((channel) => channel !== 'kill');
const HOLDS = [
  'no_destination',
  'unsupported_channel',
  'unverified',
  'unhealthy_destination',
  'storm',
  'quiet_hours',
  'silenced',
] as const;

export interface AlertWorldEnd {
  readonly state: AlertState;
  readonly isOver: boolean;
  /** Sends that began although a person had spoken. */
  readonly sentAfterWord: number;
  readonly sends: number;
}

export function playAlertWorld(seed: number): AlertWorldEnd {
  const dice = createDice(seed);
  const clock = createVirtualClock(T0);
  const chaos = createChaos(dice);
  chaos.holds = HOLDS;
  let sentAfterWord = 0;
  let sends = 0;
  const providers = createProviders(chaos, clock, dice, {
    onAlert: () => undefined,
    onSend: (state, { delivery }) => {
      sends += 1;
      const spoken = state.acknowledged !== undefined || isEndedByPerson(state);
      if (spoken && delivery.purpose === 'fire') sentAfterWord += 1;
    },
  });
  const input = inputOf(dice);
  providers.startAlert(input);
  const actor = providers.alerts.get(input.id);
  if (actor === undefined) throw new Error('the alert was not started');
  if (dice.chance(0.3)) {
    clock.after(dice.between(0, DAY_MS / 24), () => {
      providers.actOn(input.id, dice.pick(['acknowledged', 'resolved']));
    });
  }
  for (let bounces = dice.between(0, 2); bounces > 0; bounces -= 1) {
    clock.after(dice.between(0, DAY_MS / 12), () => {
      const accepted = actor.state().deliveries.filter(({ status }) => status === 'accepted');
      if (accepted.length === 0 || actor.phase() !== 'running') return;
      actor.dispatch({ type: 'revoked', delivery: dice.pick(accepted).id, reason: 'bounced' });
    });
  }
  clock.after(dice.between(0, DAY_MS / 2), () => {
    if (actor.phase() === 'running') actor.dispatch({ type: 'subjectEnded', at: clock.now() });
  });
  clock.runUntil(T0 + 2 * DAY_MS);
  return { state: actor.state(), isOver: actor.phase() === 'ended', sentAfterWord, sends };
}

function isEndedByPerson({ resolved }: AlertState): boolean {
  return resolved !== undefined && isPerson(resolved.by);
}

function inputOf(dice: Dice): AlertInput {
  const response = dice.chance(0.8) ? { response: responseOf(dice) } : {};
  return { ...(dice.chance(0.1) ? noticeOf(dice) : crossingOf(dice)), ...response };
}

function noticeOf(dice: Dice): AlertInput {
  const from = T0 - dice.between(0, 600_000);
  const route = { destination: 'own-0', channel: dice.pick(SENDABLE) };
  return stormNotice({ org: 'acme', held: 3, from, alerts: [], ...route }, DEFAULT_POLICY, T0);
}

function crossingOf(dice: Dice): AlertInput {
  const row = rowWith(limitsOf(1_000, []));
  const bps = dice.pick([5_000, 9_000, 10_000]);
  const routes = routesOf(dice, 'own', 4);
  const origin = { ...row, policy: DEFAULT_POLICY, limitsRev: 1 };
  const crossing = { dimension: 'cost', bps, limit: 1_000, spent: 1_000, routes } as const;
  const input = alertInputOf(origin, crossing, 1, T0);
  const late = dice.chance(0.1) ? { facts: { ...input.facts, late: true } } : {};
  return { ...input, ...late };
}

function responseOf(dice: Dice): Response {
  const operators = routesOf(dice, 'ops', 3);
  if (dice.chance(0.4)) return { operators };
  const levels = Array.from({ length: dice.between(1, 3) }, (_, index) => ({
    afterMs: dice.between(0, 1_800_000),
    routes: routesOf(dice, `level-${String(index)}`, 2),
  }));
  return { operators, escalation: { levels, rounds: dice.between(1, 3) } };
}

function routesOf(dice: Dice, name: string, most: number): AlertRoute[] {
  return Array.from({ length: dice.between(0, most) }, (_, index) => ({
    channel: dice.pick(SENDABLE),
    destination: `${name}-${String(index)}`,
  }));
}
