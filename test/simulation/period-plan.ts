/** What happens in one period's world, all of it from the dice. */
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import type { PeriodOpening } from '../../domain/budget/input.js';
import type { Limit, Limits } from '../../domain/budget/limits.js';
import type { Report } from '../../domain/budget/report.js';
import { LEDGER } from '../../domain/budget/state.js';
import type { ChannelName, Dimension } from '../../domain/words.js';
import { T0 } from '../domain/budget-driver.js';
import type { Dice } from './dice.js';
import type { PeriodWorld } from './period-world.js';
import type { VirtualClock } from './virtual-clock.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const POLICY: Policy = { ...DEFAULT_POLICY, runIdleMs: 20 * MINUTE };

/** A day that lasts an hour, or a run that ends 20 min after its last word. */
export function someOpening(dice: Dice): PeriodOpening {
  const cadence = dice.chance(0.3) ? 'run' : 'daily';
  return {
    key: { org: 'default', scope: 'agent:bot', cadence, period: 'p', generation: 1 },
    window: { startsAt: T0, zone: 'UTC', ...(cadence === 'run' ? {} : { endsAt: T0 + HOUR }) },
    name: 'bot',
    limits: someLimits(dice, 1, cadence === 'run'),
  };
}

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

export function plan(world: PeriodWorld, clock: VirtualClock, dice: Dice, isRun: boolean): void {
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
      if (!world.chaos.healed) world.chaos[what] = true;
    });
    at(fromMs + forMs, () => {
      world.chaos[what] = false;
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
    world.chaos.healed = true;
    world.chaos.ledgerAway = false;
    world.chaos.temporalAway = false;
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
    if (answer === 'away' || (!world.chaos.healed && dice.chance(0.2))) {
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
      clock.after(dice.between(1, world.chaos.healed ? 10 : 5_000), () => {
        send(report);
      });
    });
  }
  // A life that was lost takes what was not in the row with it: a reporter tells its totals again.
  clock.after(Math.max(healMs, lastMs) + 10_000, () => {
    if (seq > 0) send({ sender, epoch: 1, seq, ...totals });
  });
}
