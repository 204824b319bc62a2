/** The demo in whole sentences: what it is about to do, where to look, and what came of it. */
import { formatDuration } from '../../domain/duration.js';
import { formatMoney } from '../../domain/money.js';
import { grouped } from './live.js';
import type { Plan } from './plan.js';
import { linksOf, type Outcome } from './report.js';
import type { Screen } from './screen.js';
import { POLICY } from './stage.js';

export function sayPlan(screen: Screen, plan: Plan, zone: string): void {
  const { limits, total, runs, playMs, speed } = plan;
  const times = speed < 10 ? speed.toFixed(1) : speed.toFixed(0);
  screen.say(
    `${grouped(total.events)} real ${total.events === 1 ? 'call' : 'calls'} worth ${formatMoney(total.cost)}, one agent, ` +
      `${String(runs.length + 1)} runs, three senders; ${times} times as fast as they came: ` +
      `${formatDuration(playMs)}.`,
    'strong',
  );
  screen.say(
    `Held to ${formatMoney(limits.cost)} a day (90 % of that; the day is that of ${zone}), ` +
      `${grouped(limits.tokens)} tokens and ${formatDuration(limits.durationMs)} a run.`,
  );
  const ladder = POLICY.ladderMs.map((ms) => String(ms / 1_000)).join(', ');
  screen.say(
    `The demo's policy is quicker than production's: failed deliveries are tried again after ` +
      `${ladder} s, and quiet periods are told every ${String(POLICY.relayIntervalMs)} ms.`,
  );
}

export function sayVerdict(screen: Screen, { differences, tookMs }: Outcome): void {
  screen.say();
  for (const difference of differences) screen.say(`Differs: ${difference}`, 'bad');
  if (differences.length > 0) {
    screen.say('With --keep everything is left running, to be looked at.');
    return;
  }
  screen.say(
    `Every book agrees with the trace, to the nano-dollar (${seconds(tookMs)} s).`,
    'good',
  );
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

/** `keep`: they go on working after the end. */
export function sayLinks(screen: Screen, outcome: Outcome, keep: boolean): void {
  screen.say(`In Temporal's Web UI${keep ? '' : ' (while the demo runs; --keep leaves it on)'}:`);
  for (const [name, url] of Object.entries(linksOf(outcome))) screen.say(`  ${name}: ${url}`);
}
