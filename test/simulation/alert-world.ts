/**
 * One alert with routes, recipients, operators and levels as the dice have them, among providers
 * that accept, refuse, hang, leave in doubt and take their word back, sockets that confirm early,
 * late or never, quiet hours, silences that end or are removed, people who act at any moment,
 * rotations and lost workers.
 */
import { isPerson } from '../../domain/alert/ending.js';
import { stormNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import type {
  AlertInput,
  AlertRoute,
  AlertState,
  AlertWay,
  Response,
} from '../../domain/alert/state.js';
import { alertInputOf } from '../../domain/budget/alert-input.js';
import { CHANNELS } from '../../domain/words.js';
import { ruleInputOf } from '../domain/alert-driver.js';
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

const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const;
const PERSONAL = ['push', 'email', 'sms'] as const;
const OPERATORS = 'ops';
const DECIDED = ['preference', 'priority', 'digest', 'no_destination', 'unverified'] as const;

export interface AlertWorldEnd {
  readonly state: AlertState;
  readonly isOver: boolean;
  /** Sends that began although a person had spoken. */
  readonly sentAfterWord: number;
  readonly sends: number;
  /** Left the house before its quiet hours were over. */
  readonly sentInQuiet: number;
  readonly offers: number;
  /** How long what a silence held went on waiting after the last one had ended and it was told, ms. */
  readonly waitedOn: number;
  /** The operators' destinations took whatever came. */
  readonly isReachable: boolean;
}

export function playAlertWorld(seed: number): AlertWorldEnd {
  const dice = createDice(seed);
  const clock = createVirtualClock(T0);
  const chaos = createChaos(dice);
  chaos.holds = HOLDS;
  let sentAfterWord = 0;
  let sends = 0;
  let sentInQuiet = 0;
  let offers = 0;
  let waitedOn = 0;
  const silences = silencesOf(dice);
  chaos.silencedUntil = () => {
    const until = silencedUntil(silences, clock.now());
    // Removed while the answer that it holds is still on its way.
    if (until !== undefined && dice.chance(0.1)) {
      clock.after(1, () => {
        remove(silences);
      });
    }
    return until;
  };
  const isReachable = dice.chance(0.3);
  chaos.accepts = (destination) => isReachable && destination.startsWith(OPERATORS);
  chaos.confirmsIn = () => (dice.chance(0.5) ? dice.between(0, 7_000) : undefined);
  const providers = createProviders(chaos, clock, dice, {
    onAlert: () => undefined,
    onSend: (state, { delivery }) => {
      sends += 1;
      const spoken = state.acknowledged !== undefined || isEndedByPerson(state);
      if (spoken && delivery.purpose === 'fire') sentAfterWord += 1;
    },
    onOpen: ({ delivery: { route, purpose } }) => {
      if (purpose === 'fire' && (route.notBefore ?? 0) > clock.now()) sentInQuiet += 1;
      if (route.channel === 'push') offers += 1;
    },
  });
  const input = inputOf(dice);
  providers.startAlert(input);
  const actor = providers.alerts.get(input.id);
  if (actor === undefined) throw new Error('the alert was not started');
  /** A13. Whoever they held is told a moment later, and asks before long. */
  function remove(gone: readonly WorldSilence[]): void {
    for (const silence of gone) silence.until = Math.min(silence.until, clock.now());
    clock.after(chaos.delay(), () => {
      if (actor?.phase() !== 'running') return;
      actor.dispatch({ type: 'silenceEnded' });
      if (silences.some(({ until }) => until > clock.now())) return;
      clock.after(60_000, () => {
        const isHeld = actor.state().deliveries.some(({ heldFor }) => heldFor === 'silenced');
        if (isHeld) waitedOn += 60_000;
      });
    });
  }
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
  for (const silence of silences.filter(() => dice.chance(0.5))) {
    clock.after(dice.between(0, DAY_MS / 4), () => {
      remove([silence]);
    });
  }
  clock.after(dice.between(0, DAY_MS / 2), () => {
    if (actor.phase() === 'running') actor.dispatch({ type: 'subjectEnded', at: clock.now() });
  });
  clock.runUntil(T0 + 2 * DAY_MS);
  const isOver = actor.phase() === 'ended';
  const counts = { sentAfterWord, sends, sentInQuiet, offers, waitedOn, isReachable };
  return { state: actor.state(), isOver, ...counts };
}

function isEndedByPerson({ resolved }: AlertState): boolean {
  return resolved !== undefined && isPerson(resolved.by);
}

function inputOf(dice: Dice): AlertInput {
  const response = dice.chance(0.8) ? { response: responseOf(dice) } : {};
  const kind = dice.pick(['crossing', 'crossing', 'crossing', 'rule', 'rule', 'notice']);
  if (kind === 'notice') return { ...noticeOf(dice), ...response };
  if (kind === 'crossing') return { ...crossingOf(dice), ...response };
  return { ...ruleInputOf(peopleOf(dice), dice.pick(PRIORITIES)), ...response };
}

/** Up to three people, each on some channels, as a routing may have decided. */
function peopleOf(dice: Dice): AlertRoute[] {
  return Array.from(
    { length: dice.between(0, 3) },
    (_, index) => `person-${String(index)}`,
  ).flatMap((recipient) => {
    const ways = PERSONAL.filter(() => dice.chance(0.6)).map((channel): AlertWay => {
      const destination = `${channel}-of-${recipient}`;
      return { channel, recipient, ...(channel === 'push' ? {} : { destination }) };
    });
    return ways.map((way): AlertRoute => ({
      ...way,
      fallback: PERSONAL.filter((channel) => channel !== way.channel && dice.chance(0.5)).map(
        (channel) => ({ channel, recipient, destination: `${channel}-of-${recipient}` }),
      ),
      ...(dice.chance(0.2) ? { suppressed: dice.pick(DECIDED) } : {}),
      ...(dice.chance(0.3) ? { notBefore: T0 + dice.between(-1_000, DAY_MS / 3) } : {}),
    }));
  });
}

interface WorldSilence {
  readonly from: number;
  until: number;
}

function silencesOf(dice: Dice): WorldSilence[] {
  if (dice.chance(0.5)) return [];
  return Array.from({ length: dice.between(1, 3) }, () => {
    const from = T0 + (dice.chance(0.5) ? -60_000 : dice.between(0, DAY_MS / 12));
    return { from, until: from + dice.between(1, DAY_MS / 6) };
  });
}

function silencedUntil(silences: readonly WorldSilence[], now: number): number | undefined {
  const active = silences.filter(({ from, until }) => from <= now && now < until);
  return active.length === 0 ? undefined : Math.max(...active.map(({ until }) => until));
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
  const operators = routesOf(dice, OPERATORS, 3);
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
