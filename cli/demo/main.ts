/**
 * `kavach demo`: a real trace, a real budget, a real limit, in under a minute and a half.
 * DM-1. Nothing outlives it: whatever ends it (the end, a fault, SIGINT, SIGTERM at any moment),
 *       every process is stopped, every port closed, the folder removed, before it answers.
 * DM-2. It answers 0 only when every book agrees with the trace to the unit.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createPricer } from '../../gateway/price.js';
import { lastLines } from '../embedded/log-file.js';
import { apiKeyFile } from '../key-files.js';
import { createOutput } from '../output.js';
import { sayLinks, sayPlan, sayVerdict } from './narration.js';
import { createPlan } from './plan.js';
import { playTrace } from './play.js';
import { printReport, reportDocument, type Outcome } from './report.js';
import { createScreen, type Screen, type ScreenStream } from './screen.js';
import { watchSignals } from './signals.js';
import { setStage, type Stage } from './stage.js';
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
    // Interrupted while it took everything down is still interrupted.
    return signals.exitCode() ?? (outcome.differences.length === 0 ? 0 : 1);
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
    if (outcome.differences.length > 0) {
      screen.say(`The end of the service's log:${lastLines(stage.serviceLog, 10)}`, 'quiet');
    }
    tell(outcome);
    if (options.keep === true) await keepRunning(screen, stage, signal);
    return outcome;
  } finally {
    // Before anything is stopped: what still starts or posts must not be surprised by it.
    failure.abort(new Error('The demo is over'));
    await stage.close();
  }
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
