/**
 * `npm run bench`: every figure of docs/benchmarks.md, measured on this machine.
 * M-1. An account that does not balance exits 1; a figure that misses its bound is marked and
 *      does not: a slow machine is no fault of the code. What `recovery` promises is an account.
 */
import { cpus, totalmem } from 'node:os';
import { benchAdmission } from './admission.js';
import { benchAnswer } from './answer.js';
import { benchBacklog } from './backlog.js';
import { runCommand } from './command.js';
import { benchCrossing } from './crossing.js';
import { benchDirect } from './direct.js';
import { balances, reaches, type Check, type Figure, type Report } from './figure.js';
import { benchGateways } from './gateways.js';
import { benchHistory } from './history.js';
import { benchHung } from './hung.js';
import { benchIngest } from './ingest.js';
import { benchMemory } from './memory.js';
import { benchPush } from './push.js';
import { benchRecovery } from './recovery.js';
import { benchReplay } from './replay.js';
import { benchUpsert } from './upsert.js';
import { FULL, SHORT, type Sizes } from './sizes.js';
import { startStack, type Stack } from './stack.js';

const HELP = `Usage: npm run bench -- [--json] [--short] [--only replay,memory,…]

  --json    one JSON object on standard output: medians by name, and all details
  --short   everything small, in about a minute: checks the accounts, not the speed
  --only    some of: replay memory direct ingest crossing history hung
            push admission upsert answer gateways backlog (on Postgres) recovery

Examples:
  npm run bench
  npm run bench -- --only crossing,replay
  npm run bench -- --json > figures.json`;

const BENCHES: Readonly<Record<string, (stack: Stack, sizes: Sizes) => Promise<Report[]>>> = {
  replay: async (stack, sizes) => [await benchReplay(stack, sizes.replays)],
  memory: async (stack, sizes) => [await benchMemory(stack, sizes.memoryPeriods)],
  direct: async (stack, sizes) => [await benchDirect(stack, sizes.direct)],
  ingest: async (stack, sizes) => [await benchIngest(stack, sizes.ingest)],
  crossing: async (stack, { crossings, load }) => [
    await benchCrossing(stack, { crossings }),
    await benchCrossing(stack, { crossings, load }),
  ],
  history: async (stack, sizes) => [await benchHistory(stack, sizes.history)],
  hung: async (stack, sizes) => [await benchHung(stack, sizes.hungRounds)],
  push: async (stack, sizes) => [await benchPush(stack, sizes.push)],
  admission: async (stack, sizes) => [await benchAdmission(stack, sizes.admission)],
  upsert: async (stack, sizes) => [await benchUpsert(await stack.set(), sizes.upsert)],
  answer: async (stack, sizes) => [await benchAnswer(await stack.set(), sizes.answer)],
  gateways: async (stack, sizes) => [await benchGateways(await stack.set(), sizes.gateways)],
  backlog: async (stack, sizes) => [
    await benchBacklog(await stack.set(), stack.sink, sizes.backlog),
  ],
  // The last one: it kills the service that the others share.
  recovery: async (stack, sizes) => [await benchRecovery(stack, sizes.recovery)],
};

interface Arguments {
  readonly json: boolean;
  readonly short: boolean;
  readonly only: readonly string[];
}

/** Answers a sentence where the arguments make no sense. */
function readArguments(given: readonly string[]): Arguments | string {
  const read = { json: false, short: false, only: Object.keys(BENCHES) };
  for (let i = 0; i < given.length; i += 1) {
    const [word = '', inline] = (given[i] ?? '').split('=', 2);
    if (word === '--json') read.json = true;
    else if (word === '--short') read.short = true;
    else if (word === '--only') {
      if (inline === undefined) i += 1;
      read.only = (inline ?? given[i] ?? '').split(',').filter((name) => name !== '');
      const unknown = read.only.find((name) => BENCHES[name] === undefined);
      if (unknown !== undefined || read.only.length === 0) {
        return `--only: expected some of ${Object.keys(BENCHES).join(', ')}, not "${unknown ?? ''}"`;
      }
    } else return `There is no argument ${word}`;
  }
  return read;
}

async function run({ json, short, only }: Arguments, signal: AbortSignal): Promise<number> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const sizes = short ? SHORT : FULL;
  const stack = await startStack({ env: process.env, onProgress: say, signal });
  const reports: Report[] = [];
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
  aborted.catch(() => undefined);
  try {
    for (const name of only) {
      signal.throwIfAborted();
      const began = performance.now();
      reports.push(...(await Promise.race([orItsFailure(name, stack, sizes), aborted])));
      say(`${name} took ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    }
  } finally {
    await stack.close();
  }
  const figures = reports.flatMap((report) => report.figures);
  const checks = reports.flatMap((report) => report.checks);
  const notes = reports.flatMap((report) => report.notes);
  const unbalanced = checks.filter((check) => !balances(check));
  const text = json
    ? JSON.stringify(asJson({ figures, checks, notes }, short), undefined, 2)
    : [...tableOf(figures), '', ...notes, '', accountOf(checks, unbalanced)].join('\n');
  process.stdout.write(`${text}\n`);
  for (const { what, expected, actual } of unbalanced) {
    say(`DOES NOT BALANCE ${what}: expected ${String(expected)}, found ${String(actual)}`);
  }
  return unbalanced.length === 0 ? 0 : 1;
}

/** What broke counts as an account that does not balance; the other figures still stand. */
async function orItsFailure(name: string, stack: Stack, sizes: Sizes): Promise<Report[]> {
  try {
    return (await BENCHES[name]?.(stack, sizes)) ?? [];
  } catch (error) {
    const actual = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [
      { figures: [], checks: [{ what: `${name} ends`, expected: 'yes', actual }], notes: [] },
    ];
  }
}

/** The medians under their names, for whoever wants a number; everything else below `details`. */
function asJson({ figures, checks, notes }: Report, short: boolean): object {
  return {
    ...Object.fromEntries(figures.map(({ name, median }) => [name, round(median)])),
    balanced: checks.every(balances),
    details: {
      short,
      machine: {
        processors: cpus().length,
        model: cpus()[0]?.model,
        memoryBytes: totalmem(),
        node: process.version,
      },
      figures: figures.map((each) => ({ ...each, reached: reaches(each) })),
      checks: checks.map((each) => ({ ...each, balances: balances(each) })),
      notes,
    },
  };
}

function tableOf(figures: readonly Figure[]): string[] {
  const rows = figures.map((each) => [
    each.name,
    `${String(round(each.median))} ${each.unit}`,
    each.samples === 1 ? '' : `${String(round(each.min))} … ${String(round(each.max))}`,
    boundOf(each),
  ]);
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function boundOf(each: Figure): string {
  if (each.bound === undefined) return '';
  const [word, value] =
    'atLeast' in each.bound ? ['at least', each.bound.atLeast] : ['at most', each.bound.atMost];
  return `${reaches(each) ? 'reaches' : 'MISSES'} ${word} ${String(value)}`;
}

function accountOf(checks: readonly Check[], unbalanced: readonly Check[]): string {
  return unbalanced.length === 0
    ? `All ${String(checks.length)} accounts balance: nothing lost, nothing counted twice.`
    : `${String(unbalanced.length)} of ${String(checks.length)} accounts do NOT balance.`;
}

function round(value: number): number {
  return value >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

runCommand({
  help: HELP,
  read: readArguments,
  run,
  describe: (error) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
});
