/**
 * `kavach demo`: a real trace, a real budget, a real limit, in under a minute and a half.
 * DM-1. Nothing outlives it: whatever ends it (the end, a fault, SIGINT, SIGTERM at any moment),
 *       every process is stopped, every port closed, the folder removed, before it answers.
 * DM-2. It answers 0 only when every book agrees with the trace to the unit.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatDuration } from '../../domain/duration.js';
import { formatMoney } from '../../domain/money.js';
import { createPricer } from '../../gateway/price.js';
import { apiKeyFile } from '../key-files.js';
import { createOutput } from '../output.js';
import { grouped } from './live.js';
import { createPlan, type Plan } from './plan.js';
import { playTrace } from './play.js';
import { linksOf, printReport, reportDocument, type Outcome } from './report.js';
import { createScreen, type Screen, type ScreenStream } from './screen.js';
import { watchSignals } from './signals.js';
import { POLICY, setStage, type Stage } from './stage.js';
import { readTrace } from './trace.js';
import { chooseZone } from './zone.js';

export interface DemoOptions {
  /** Leaves everything running at the end, until SIGINT or SIGTERM. */
  readonly keep?: boolean;
  /** How often the service is killed during the play. */
  readonly kills?: number;
  readonly killTemporal?: boolean;
  /** A file with the columns TIMESTAMP, ContextTokens, GeneratedTokens. */
  readonly trace?: string;
  /** How many times faster than the trace; default: what makes it take 25 s. */
  readonly speed?: number;
  readonly seed?: number;
  /** One document on `stdout` at the end, and everything for people on `stderr`. */
  readonly json?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdout?: ScreenStream;
  readonly stderr?: ScreenStream;
}

const DEFAULT_SEED = 1;
/** No day of the agent's zone may end while it plays, or soon after. */
const CLEAR_OF_MIDNIGHT_MS = 2 * 3_600_000;

function extractPath(): string {
  // Compiled files lie one folder deeper, under dist/.
  const up = import.meta.url.endsWith('.ts') ? '../..' : '../../..';
  return fileURLToPath(new URL(`${up}/examples/trace/azure-llm-conv-2023.csv`, import.meta.url));
}

/** Answers the exit code: 0, 1 where the books differ or something failed, 130 or 143 when told. */
export async function runDemo(options: DemoOptions = {}): Promise<number> {
  const { env = process.env, stdout = process.stdout, stderr = process.stderr } = options;
  const screen = createScreen(options.json === true ? stderr : stdout, env);
  const output = createOutput(stdout, { json: options.json === true, env });
  const signals = watchSignals();
  try {
    const outcome = await perform(options, screen, signals.signal, (done) => {
      output.json(reportDocument(done));
    });
    return outcome.differences.length === 0 ? 0 : 1;
  } catch (error) {
    screen.settle();
    const told = signals.exitCode();
    if (told !== undefined) {
      screen.say('Interrupted; everything was stopped and removed.', 'warning');
      return told;
    }
    const reason = error instanceof Error ? error.message : String(error);
    screen.say(reason, 'bad');
    output.json({ ok: false, differences: [reason] });
    return 1;
  } finally {
    signals.unwatch();
  }
}

async function perform(
  options: DemoOptions,
  screen: Screen,
  interrupted: AbortSignal,
  tell: (outcome: Outcome) => void,
): Promise<Outcome> {
  const beganAt = Date.now();
  const { env = process.env, seed = DEFAULT_SEED } = options;
  const trace = readTrace(readFile(options.trace ?? extractPath()));
  const speed = options.speed === undefined ? {} : { speed: options.speed };
  const plan = createPlan({ trace, pricer: createPricer(), seed, now: beganAt, ...speed });
  const zone = chooseZone(beganAt, plan.playMs + CLEAR_OF_MIDNIGHT_MS);
  sayPlan(screen, plan, zone);
  const failure = new AbortController();
  const signal = AbortSignal.any([interrupted, failure.signal]);
  const onProgress = (line: string): void => {
    screen.say(line, 'quiet');
  };
  const stage = await setStage({ env, zone, onProgress, signal });
  try {
    void stage.lost.then((sentence) => {
      failure.abort(new Error(sentence));
    });
    const outcome = await playTrace({
      ...{ stage, plan, zone, seed, screen, signal, beganAt },
      kills: options.kills ?? 0,
      killTemporal: options.killTemporal ?? false,
    });
    screen.settle();
    printReport(outcome, screen);
    sayLinks(screen, outcome, options.keep === true);
    sayVerdict(screen, outcome);
    tell(outcome);
    if (options.keep === true) await keepRunning(screen, stage, signal);
    return outcome;
  } finally {
    // Before anything is stopped: what still starts or posts must not be surprised by it.
    failure.abort(new Error('The demo is over'));
    await stage.close();
  }
}

function sayPlan(screen: Screen, plan: Plan, zone: string): void {
  const { limits, total, runs, playMs, speed } = plan;
  const times = speed < 10 ? speed.toFixed(1) : speed.toFixed(0);
  screen.say(
    `${grouped(total.events)} real calls worth ${formatMoney(total.cost)}, one agent, ` +
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

function sayVerdict(screen: Screen, { differences, tookMs }: Outcome): void {
  screen.say();
  for (const difference of differences) screen.say(`Differs: ${difference}`, 'bad');
  if (differences.length > 0) return;
  screen.say(
    `Every book agrees with the trace, to the nano-dollar (${seconds(tookMs)} s).`,
    'good',
  );
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function sayLinks(screen: Screen, outcome: Outcome, keep: boolean): void {
  screen.say(`In Temporal's Web UI${keep ? '' : ' (while the demo runs; --keep leaves it on)'}:`);
  for (const [name, url] of Object.entries(linksOf(outcome))) screen.say(`  ${name}: ${url}`);
}

/** Until it is interrupted, or something that should run does not any more. */
async function keepRunning(screen: Screen, stage: Stage, signal: AbortSignal): Promise<void> {
  screen.say(`Gateway at ${stage.gatewayUrl}, its key in ${apiKeyFile(stage.dataDir)}.`);
  screen.say('Everything is left running. Ctrl-C stops it and removes it.', 'strong');
  await new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
    if (signal.aborted) reject(signal.reason as Error);
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`The trace ${path} cannot be read (${String(code)}): check --trace`, {
      cause: error,
    });
  }
}
