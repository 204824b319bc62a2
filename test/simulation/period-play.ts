/**
 * Plays one period from its first usage to its end, from a seed, and watches over it.
 *
 * What holds after every step
 * - a period's totals are the sum of the highest report of each sender (T2, B5);
 * - a kill is lifted by a raise only (K1, K4), in the workflow and in the row over all its lives;
 * - an alert that kills starts after the row said so (K3);
 * - nothing is sent after a person's word (A8).
 * What holds at the end
 * - each (dimension, threshold, channel, limit value) was told at most once over all lives, and
 *   what is reached was told; what the row says fired has its alert;
 * - everything has ended, and the row says what the workflow said.
 */
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { AlertInput, AlertState } from '../../domain/alert/state.js';
import { hasEnded } from '../../domain/alert/status.js';
import type { PeriodOpening } from '../../domain/budget/input.js';
import type { Limit, Limits } from '../../domain/budget/limits.js';
import type { Report } from '../../domain/budget/report.js';
import { LEDGER, type BudgetState, type SenderTotals } from '../../domain/budget/state.js';
import { sumOf } from '../../domain/budget/sum.js';
import { thresholdAmount } from '../../domain/ratio.js';
import type { ChannelName, Dimension } from '../../domain/words.js';
import { T0 } from '../domain/budget-driver.js';
import { createDice, type Dice } from './dice.js';
import type { Row } from './period-row.js';
import { createPeriodWorld, firingOf, type PeriodWorld, type Watch } from './period-world.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const POLICY: Policy = { ...DEFAULT_POLICY, runIdleMs: 20 * MINUTE };

/** What one play came to; for tests that look at a world rather than only let it run. */
export interface Played {
  readonly world: PeriodWorld;
  readonly clock: VirtualClock;
  readonly told: number;
}

/** Throws, naming the rule, as soon as one does not hold. */
export function playPeriod(seed: number): Played {
  const dice = createDice(seed);
  const clock = createVirtualClock(T0);
  const cadence = dice.chance(0.3) ? 'run' : 'daily';
  const endsAt = T0 + HOUR;
  const opening: PeriodOpening = {
    key: { org: 'default', scope: 'agent:bot', cadence, period: 'p', generation: 1 },
    window: { startsAt: T0, zone: 'UTC', ...(cadence === 'run' ? {} : { endsAt }) },
    name: 'bot',
    limits: someLimits(dice, 1, cadence === 'run'),
  };
  const watcher = createWatcher(() => world, clock);
  const world = createPeriodWorld(opening, POLICY, clock, dice, watcher);
  plan(world, clock, dice, cadence === 'run');
  let steps = 0;
  while (clock.pending() > 0) {
    steps += clock.runUntil(clock.nextAt()!);
    if (steps > 50_000 || clock.now() > T0 + 48 * HOUR) {
      throw new Error(
        `something is pending for ever: ${show(world.row)} ${show(world.period()?.phase())} ${String(clock.now() - T0)} ${String(steps)}`,
      );
    }
  }
  watcher.atTheEnd();
  return { world, clock, told: world.arrivals.length };
}

// ---------------------------------------------------------------- what happens

function someLimits(dice: Dice, rev: number, isRun: boolean): Limits {
  const amounts: Partial<Record<Dimension, number>> = {
    cost: dice.between(500, 3_000),
    ...(dice.chance(0.5) ? { tokens_total: dice.between(500, 3_000) } : {}),
    ...(dice.chance(0.3) ? { calls: dice.between(5, 40) } : {}),
    ...(isRun ? { duration: dice.between(2, 30) * MINUTE } : {}),
  };
  return {
    rev,
    limits: Object.entries(amounts).map(([dimension, amount]) => ({
      dimension: dimension as Dimension,
      amount,
      enforcement: 'alert',
      thresholds: someThresholds(dice),
    })),
  };
}

function someThresholds(dice: Dice): Limit['thresholds'] {
  const channels: readonly ChannelName[] = ['slack', 'email', 'webhook', 'kill'];
  return [5_000, 8_000, 10_000]
    .filter(() => dice.chance(0.7))
    .map((bps) => ({
      bps,
      routes: channels.filter(() => dice.chance(0.45)).map((channel) => ({ channel })),
    }))
    .filter(({ routes }) => routes.length > 0);
}

/** A write of configuration: other amounts, and now and then other thresholds. */
function changed(dice: Dice, { rev, limits }: Limits): Limits {
  return {
    rev: rev + 1,
    limits: limits.map((limit) => ({
      ...limit,
      amount: dice.chance(0.2)
        ? limit.amount
        : Math.max(1, Math.round((limit.amount * dice.between(40, 220)) / 100)),
      thresholds: dice.chance(0.3) ? someThresholds(dice) : limit.thresholds,
    })),
  };
}

function plan(world: PeriodWorld, clock: VirtualClock, dice: Dice, isRun: boolean): void {
  const activeMs = isRun ? 30 * MINUTE : HOUR;
  const at = (ms: number, run: () => void): void => {
    clock.after(ms, run);
  };
  for (let no = dice.between(5, 50); no > 0; no -= 1) {
    const ms = dice.between(0, activeMs - 1);
    // B4. Some of what happened arrives late, also after the period's end.
    const lateMs = !isRun && dice.chance(0.1) ? dice.between(0, 2 * HOUR) : 0;
    at(ms + lateMs, () => {
      const [cost, tokens] = [dice.between(0, 120), dice.between(0, 120)];
      world.ingest({ cost, tokens, calls: 1, at: T0 + ms });
    });
  }
  if (isRun && dice.chance(0.7)) {
    const endMs = dice.between(0, activeMs);
    at(dice.between(0, 10_000), () => {
      world.tellRun('started');
    });
    for (let ms = 20_000; ms < endMs; ms += 30_000) {
      at(ms, () => {
        world.tellRun('heartbeat');
      });
    }
    if (dice.chance(0.6)) {
      at(endMs, () => {
        world.tellRun('ended');
      });
    }
  }
  const senders = isRun ? [] : ['sdk-a', 'sdk-b'].filter(() => dice.chance(0.4));
  const healMs = dice.chance(0.6) ? dice.between(30, 50) * MINUTE : dice.between(60, 100) * MINUTE;
  for (const sender of senders) playSender(world, clock, dice, sender, healMs);
  for (let no = dice.between(0, 3); no > 0; no -= 1) {
    at(dice.between(0, activeMs), () => {
      world.setLimits(changed(dice, world.row.limits));
    });
  }
  for (let no = dice.between(0, 3); no > 0; no -= 1) {
    const [fromMs, forMs] = [dice.between(0, healMs), dice.between(1, 600) * 1_000];
    const what = dice.chance(0.5) ? 'ledgerAway' : 'temporalAway';
    at(fromMs, () => {
      if (!world.healed) world[what] = true;
    });
    at(fromMs + forMs, () => {
      world[what] = false;
    });
  }
  for (let no = dice.chance(0.5) ? dice.between(1, 3) : 0; no > 0; no -= 1) {
    at(dice.between(0, Math.min(healMs, activeMs)), () => {
      world.lose();
    });
  }
  for (let no = dice.between(0, 4); no > 0; no -= 1) {
    at(dice.between(0, 2 * activeMs), () => {
      const ids = [...world.alerts.keys()];
      if (ids.length === 0) return;
      world.actOn(dice.pick(ids), dice.chance(0.6) ? 'acknowledged' : 'resolved');
    });
  }
  at(healMs, () => {
    world.healed = true;
    world.ledgerAway = false;
    world.temporalAway = false;
  });
  for (let no = 1; no <= 5; no += 1) {
    at(healMs + no * MINUTE, () => {
      seeThatOwnTotalsArrive(world, clock);
    });
  }
}

/** B8. What the book holds reaches a period that is there, whoever began it. */
function seeThatOwnTotalsArrive(world: PeriodWorld, clock: VirtualClock): void {
  const { cost } = world.row.own;
  const isThere = (): boolean =>
    world.period()?.phase() === 'running' && world.period()?.state().phase === 'open';
  if (!isThere() || world.row.state !== 'open') return;
  clock.after(30_000, () => {
    const told = world.period()?.state().senders[LEDGER]?.totals.cost ?? 0;
    if (isThere() && told < cost) {
      throw new Error(`B8: the period counts ${String(told)} of ${String(cost)} of the book`);
    }
  });
}

/** Its own totals, told again until somebody took them, doubled and out of order on the way. */
function playSender(
  world: PeriodWorld,
  clock: VirtualClock,
  dice: Dice,
  sender: string,
  healMs: number,
): void {
  let totals = { cost: 0, tokens: 0, calls: 0 };
  let seq = 0;
  let ended = false;
  const send = (report: Report): void => {
    if (ended || clock.now() >= T0 + HOUR) return;
    const answer = world.reportDirect(report);
    if (answer === 'already_ended') ended = true;
    if (answer === 'away' || (!world.healed && dice.chance(0.2))) {
      clock.after(dice.between(500, 10_000), () => {
        send(report);
      });
    }
  };
  const lastMs = dice.between(5, 55) * MINUTE;
  for (let no = dice.between(1, 15); no > 0; no -= 1) {
    clock.after(dice.between(0, lastMs), () => {
      seq += 1;
      totals = {
        cost: totals.cost + dice.between(0, 100),
        tokens: totals.tokens + dice.between(0, 100),
        calls: totals.calls + 1,
      };
      const report = { sender, epoch: 1, seq, ...totals };
      clock.after(dice.between(1, world.healed ? 10 : 5_000), () => {
        send(report);
      });
    });
  }
  // A life that was lost takes what was not in the row with it: a reporter tells its totals again.
  clock.after(Math.max(healMs, lastMs) + 10_000, () => {
    if (seq > 0) send({ sender, epoch: 1, seq, ...totals });
  });
}

// ---------------------------------------------------------------- what must hold

function createWatcher(
  worldOf: () => PeriodWorld,
  clock: VirtualClock,
): Watch & { atTheEnd(): void } {
  let known: Record<string, SenderTotals> = {};
  const killedAt: number[] = [];
  const inputs = new Map<string, AlertInput>();

  const totalsHold = (state: BudgetState): void => {
    const { totals } = sumOf(Object.values(state.senders));
    const wanted = sumOf(Object.values(known)).totals;
    if (
      totals.cost !== wanted.cost ||
      totals.tokens !== wanted.tokens ||
      totals.calls !== wanted.calls
    ) {
      throw new Error(`B5: totals ${JSON.stringify(totals)}, sent ${JSON.stringify(wanted)}`);
    }
  };

  return {
    onLife: (state) => {
      (globalThis as any).TRACE?.(
        clock.now(),
        'LIFE',
        state.firingNo,
        state.killed,
        Object.keys(state.latches),
      );
      known = { ...state.senders };
    },
    onPeriodStep: (before, event, after) => {
      (globalThis as any).TRACE?.(
        clock.now(),
        'step',
        event,
        after.phase,
        after.firingNo,
        after.killed,
        after.publishing,
        after.afterPublish.length,
      );
      if (event.type === 'opened') known = newest(event.row.senders, known);
      if (event.type === 'reported' && isTaken(before)) {
        const { sender, epoch, seq, cost, tokens, calls } = event.report;
        known = newest(known, { [sender]: { epoch, seq, totals: { cost, tokens, calls } } });
      }
      totalsHold(after);
      if (before.killed !== undefined && after.killed === undefined && event.type !== 'opened') {
        if (after.limits.rev <= before.limits.rev)
          throw new Error('K1: a kill went away by itself');
      }
    },
    onAlert: (input) => {
      (globalThis as any).TRACE?.(
        clock.now(),
        'ALERT',
        input.id,
        input.facts.dimension,
        input.facts.thresholdBps,
        input.facts.limit,
        input.routes,
        input.facts.kills,
      );
      inputs.set(input.id, input);
      if (input.facts.late === true) {
        if (input.facts.kills === true) throw new Error('B4: a late crossing killed');
        return;
      }
      const { facts } = input;
      // K4. A raise may have lifted the kill before the row could say it.
      const isLifted = worldOf().row.appliedRev > input.firing.limitsRev;
      if (facts.kills === true && !isLifted && !killedAt.some((at) => at >= facts.at)) {
        throw new Error(`K3: ${input.id} kills, and the row does not say so`);
      }
    },
    onSend: (alert, { delivery }) => {
      if (delivery.purpose === 'fire' && hasPersonsWord(alert)) {
        throw new Error(`A8: ${delivery.id} is sent after a person's word`);
      }
    },
    onPublish: (before, after) => {
      (globalThis as any).TRACE?.(
        clock.now(),
        'PUBLISHED',
        after.publishedMark,
        after.killed,
        Object.keys(after.latches),
      );
      if (after.killed !== undefined) killedAt.push(clock.now());
      const wasRaised = after.appliedRev > before.appliedRev;
      if (before.killed !== undefined && after.killed === undefined && !wasRaised) {
        throw new Error('K1: a publish took a kill from the row');
      }
    },
    atTheEnd: () => {
      const world = worldOf();
      endedAll(world);
      toldOnce(world);
      if (!world.forgotFirings) toldWhatIsReached(world, inputs);
      rowSaysWhatWorkflowSaid(world);
    },
  };
}

function newest(
  known: Record<string, SenderTotals>,
  told: Record<string, SenderTotals>,
): Record<string, SenderTotals> {
  const next = { ...known };
  for (const [name, sender] of Object.entries(told)) {
    const last = next[name];
    const [epoch, seq] = [last?.epoch ?? -1, last?.seq ?? -1];
    if (sender.epoch > epoch || (sender.epoch === epoch && sender.seq > seq)) next[name] = sender;
  }
  return next;
}

const isTaken = ({ phase }: BudgetState): boolean => phase === 'open' || phase === 'opening';

function hasPersonsWord({ acknowledged, resolved }: AlertState): boolean {
  return acknowledged !== undefined || resolved?.by === 'ana';
}

function endedAll({ alerts, row, period, forgotFirings }: PeriodWorld): void {
  const phase = period()?.phase();
  if (phase === 'running') throw new Error(`T7: the workflow is still there: ${show(period())}`);
  if (row.state !== 'closed' || row.dueAt !== undefined) {
    throw new Error(`T7: the row is ${row.state}, due at ${String(row.dueAt)}`);
  }
  for (const [id, alert] of alerts) {
    const state = alert.state();
    for (const delivery of state.deliveries) {
      if (!hasEnded(delivery)) throw new Error(`A1: ${delivery.id} has not ended`);
    }
    if (state.unwritten.length > 0) throw new Error(`A10: ${id} has unwritten entries`);
    if (alert.phase() !== 'ended' && !forgotFirings)
      throw new Error(`A1: ${id} has not ended, ${state.phase}`);
  }
}

function toldOnce({ arrivals }: PeriodWorld): void {
  const holder = new Map<string, string>();
  for (const { firing, deliveryId, purpose } of arrivals) {
    if (purpose !== 'fire') continue;
    const first = holder.get(firing) ?? deliveryId;
    if (first !== deliveryId) throw new Error(`T2: ${firing} told by ${first} and ${deliveryId}`);
    holder.set(firing, first);
  }
}

function toldWhatIsReached({ row, alerts }: PeriodWorld, inputs: Map<string, AlertInput>): void {
  const decided = new Set<string>();
  const late = new Set<string>();
  for (const input of inputs.values()) {
    for (const { channel } of input.routes) {
      decided.add(firingOf(input, channel));
      if (input.facts.late === true) late.add(channel);
    }
    if (!alerts.has(input.id)) throw new Error(`A1: ${input.id} was never begun`);
  }
  for (const limit of row.limits.limits) {
    for (const { bps, routes } of limit.thresholds) {
      for (const { channel } of routes) {
        const name = `${limit.dimension}/${String(bps)}/${channel}`;
        const latch = row.latches[name];
        // T5. One that the end of the period found in its cooldown is not told.
        const isHeld = latch?.reached === undefined && latch?.quietUntil !== undefined;
        const isReached = spentOf(row, limit.dimension) >= thresholdAmount(limit.amount, bps);
        if (isReached && !isHeld && latch === undefined)
          throw new Error(`T2: ${name} was never told`);
      }
    }
  }
  for (const [name, { fired }] of Object.entries(row.latches)) {
    const channel = name.split('/').at(-1)!;
    if (channel === 'kill') continue;
    for (const value of fired) {
      if (decided.has(`${name}/${String(value)}`) || late.has(channel)) continue;
      throw new Error(`T2: ${name} of ${String(value)} is latched, and has no alert`);
    }
  }
}

function spentOf(row: Row, dimension: Dimension): number {
  const { own, direct } = row;
  if (dimension === 'cost') return own.cost + direct.cost;
  if (dimension === 'tokens_total') return own.tokens + direct.tokens;
  if (dimension === 'calls') return own.calls + direct.calls;
  return (own.lastAt ?? 0) - Math.min(own.firstAt ?? 0, row.run?.startedAt ?? own.firstAt ?? 0);
}

/** What came after the end is the row's alone. */
function rowSaysWhatWorkflowSaid({ row, period }: PeriodWorld): void {
  const state = period()?.state();
  if (state === undefined || period()?.phase() !== 'ended') return;
  const { [LEDGER]: _own, ...direct } = state.senders;
  if (show(row.senders) !== show(direct)) throw new Error('L-3: the row missed direct senders');
  if (show(row.killed) !== show(state.killed)) throw new Error('K3: the row missed a kill');
  for (const [name, latch] of Object.entries(state.latches)) {
    const missed = latch.fired.filter((value) => row.latches[name]?.fired.includes(value) !== true);
    if (missed.length > 0) throw new Error(`T2: the row missed that ${name} fired`);
  }
}

const show = (value: unknown): string => JSON.stringify(value);
