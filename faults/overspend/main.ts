/**
 * `npm run overspend`: many calls at once at the edge of a budget, with leases and with a guard that
 * checks and then records, on the set with Postgres. Exits 1 where a leased budget was overspent.
 */
import { runCommand } from '../../bench/command.js';
import { awayFromMidnight } from '../../bench/load.js';
import { quantile } from '../../bench/figure.js';
import { startProcessesTarget } from '../processes.js';
import { play, type Played } from './play.js';

const HELP = `Usage: npm run overspend -- [--repetitions 50] [--seed 1] [--calls 1000] [--at-once 200] [--kills 1] [--json]

  --repetitions  of the leased guard; every fifth one beside a guard that checks, then records
  --seed         of the answers' lengths, and of who is killed
  --calls        the budget, in calls at their worst
  --at-once      calls in flight, over four processes
  --kills        in every other repetition, so many holders and so many parts of the service
  --json         one JSON document on standard output

Examples:
  npm run overspend -- --repetitions 50 --seed 7
  npm run overspend -- --repetitions 2 --calls 200 --json > overspend.json`;

const NUMBERS = ['--repetitions', '--seed', '--calls', '--at-once', '--kills'] as const;
type Named = Record<(typeof NUMBERS)[number], number>;

interface Arguments {
  readonly numbers: Named;
  readonly json: boolean;
}

const SECONDS_A_REPETITION = 20;

function readArguments(given: readonly string[]): Arguments | string {
  const numbers: Named = {
    ...{ '--repetitions': 50, '--seed': 1, '--calls': 1_000, '--at-once': 200, '--kills': 1 },
  };
  let json = false;
  for (let i = 0; i < given.length; i += 1) {
    const [word = '', inline] = (given[i] ?? '').split('=', 2);
    if (word === '--json') {
      json = true;
      continue;
    }
    const name = NUMBERS.find((each) => each === word);
    if (name === undefined) return `There is no argument ${word}`;
    if (inline === undefined) i += 1;
    const value = Number(inline ?? given[i]);
    const least = name === '--kills' ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least) {
      return `${name}: expected a whole number from ${String(least)}`;
    }
    numbers[name] = value;
  }
  return { numbers, json };
}

async function run({ numbers, json }: Arguments, signal: AbortSignal): Promise<number> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const repetitions = numbers['--repetitions'];
  await awayFromMidnight(repetitions * SECONDS_A_REPETITION * 1_000);
  const target = await startProcessesTarget({ env: process.env, say, signal });
  const played: Played[] = [];
  try {
    for (let no = 0; no < repetitions; no += 1) {
      const size = {
        ...{ worstCalls: numbers['--calls'], atOnce: numbers['--at-once'] },
        seed: numbers['--seed'] * 1_000 + no,
      };
      const kills = no % 2 === 1 ? numbers['--kills'] : 0;
      played.push(await play(target, { ...size, guard: 'leased', kills }, signal));
      if (no % 5 === 0) {
        played.push(await play(target, { ...size, guard: 'checked', kills: 0 }, signal));
      }
      say(`${String(no + 1)} of ${String(repetitions)}: ${lineOf(played.at(-1))}`);
    }
  } finally {
    await target.close();
  }
  const over = played.filter((each) => each.guard === 'leased' && each.billed > each.limit);
  process.stdout.write(
    json ? `${JSON.stringify({ played, overspent: over.length }, undefined, 2)}\n` : table(played),
  );
  return over.length === 0 ? 0 : 1;
}

function lineOf(played: Played | undefined): string {
  if (played === undefined) return '';
  const { guard, billed, limit, calls, killed } = played;
  const deaths = killed.length === 0 ? '' : `, killed ${killed.join(', ')}`;
  return `${guard}: ${percent(billed, limit)} of the budget in ${String(calls)} calls${deaths}`;
}

const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(2)} %`;

function table(played: readonly Played[]): string {
  const lines = (['leased', 'checked'] as const).flatMap((guard) => {
    const own = played.filter((each) => each.guard === guard);
    if (own.length === 0) return [];
    const overshoots = own.map(({ billed, limit }) => Math.max(0, billed - limit) / limit);
    const left = own.map(({ billed, limit }) => Math.max(0, limit - billed) / limit);
    const asks = own.map((each) => (each.asks * 1_000) / Math.max(1, each.calls));
    return [
      `${guard}: ${String(own.length)} repetitions, ${String(own.reduce((sum, { killed }) => sum + killed.length, 0))} kills`,
      `  overshoot  most ${percent(Math.max(...overshoots), 1)}   median ${percent(quantile(overshoots, 0.5), 1)}`,
      `  unspent    most ${percent(Math.max(...left), 1)}   median ${percent(quantile(left, 0.5), 1)}`,
      ...(guard === 'leased'
        ? [`  requests about leases a thousand calls: ${quantile(asks, 0.5).toFixed(0)}`]
        : []),
    ];
  });
  return `${lines.join('\n')}\n`;
}

runCommand<Arguments>({
  ...{ help: HELP, read: readArguments, run },
  describe: (error) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
});
