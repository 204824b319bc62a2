/**
 * The commands, their words and their exit codes: 0 done, 1 it did not work, 2 it was called
 * wrongly, 128 + n ended by signal n. What a command needs is loaded when it runs, so that
 * `--help` and `status` are quick.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { addAlertCommands, whoText } from './alert-commands.js';
import { addKeyCommands } from './key-commands.js';
import type { Environment } from './http.js';
import { addKeepingCommands } from './keeping-commands.js';
import { addLimitCommands } from './limit-commands.js';
import { addLeaseCommands } from './lease-commands.js';
import { addOperatorCommands } from './operator-commands.js';
import { createOutput, type Output, type OutputStream } from './output.js';
import { addPeopleCommands } from './people-commands.js';
import { personOf } from './person.js';
import { addRuleCommands } from './rule-commands.js';
import { parseWhole } from './whole.js';
import { addSilenceCommands } from './silence-commands.js';
import { addProcessCommands } from './processes/commands.js';

export interface CliIo {
  readonly env: Environment;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

type Run = (output: Output) => Promise<number | undefined>;

/** Runs one command line (without `node` and the script) and answers its exit code. Never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode = 0;
  /** Every action ends here, so that `--json` means the same everywhere. */
  const perform = async (options: { json?: boolean }, run: Run): Promise<void> => {
    const output = createOutput(io.stdout, { json: options.json === true, env: io.env });
    exitCode = (await run(output)) ?? 0;
  };
  const program = createProgram(io, perform);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said what it had to say; `--help` is one of its errors too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return fail(error, io, argv.includes('--json'));
  }
}

function fail(error: unknown, { stdout, stderr, env }: CliIo, isJson: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  if (isJson) stdout.write(`${JSON.stringify({ error: message })}\n`);
  stderr.write(`kavach: ${message}\n`);
  const isDebug = env['KAVACH_LOG_LEVEL'] === 'debug' || env['KAVACH_LOG_LEVEL'] === 'trace';
  if (isDebug && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`);
  return 1;
}

function createProgram(
  io: CliIo,
  perform: (options: { json?: boolean }, run: Run) => Promise<void>,
): Command {
  const { env, stdout, stderr } = io;
  const program = new Command('kavach')
    .description('Keeps AI agents inside their budgets, durably.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', ENVIRONMENT);
  const command = (
    usage: string,
    description: string,
    examples: readonly string[],
    parent = program,
  ): Command =>
    parent
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document instead of text')
      .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`);
  const gateway = async () => (await import('./http.js')).openGateway(env);

  command('up', 'start everything: ledger, Temporal, gateway, relay, worker', [
    'kavach up',
    'KAVACH_PORT=9000 kavach up',
    'DATABASE_URL=postgres://… KAVACH_SEAL_KEYS=… TEMPORAL_ADDRESS=host:7233 kavach up',
  ]).action((options: { json?: boolean }) =>
    perform(options, async (output) => {
      // First, and alone: faults are told before the rest of the program is even loaded.
      const { loadConfig } = await import('../worker/config.js');
      const config = await configured(env, () => loadConfig(env));
      const { unknownVariables } = await import('../worker/unknown-variables.js');
      for (const fault of unknownVariables(env)) stderr.write(`kavach: ${fault}\n`);
      return (await import('./up.js')).up(output, env, config);
    }),
  );

  addProcessCommands({ env, command, perform, stderr });

  command('demo', 'play a real trace against a budget, and check every book', [
    'kavach demo',
    'kavach demo --kills 3 --seed 7',
    'kavach demo --trace usage.csv --keep',
  ])
    .option('--keep', 'leave everything running at the end')
    .option('--kills <n>', 'kill the service so often while it plays', parseWhole)
    .option('--kill-temporal', 'kill the Temporal server once, too')
    .option('--trace <csv>', 'a file with the columns TIMESTAMP, ContextTokens, GeneratedTokens')
    .option('--speed <factor>', 'how many times faster than the trace', parsePositive)
    .option('--seed <n>', 'of the random choices', parseWhole)
    .action((options: DemoFlags) =>
      perform(options, async () => {
        const { runDemo } = await import('./demo/main.js');
        return runDemo({ ...options, env: { ...env }, stdout, stderr });
      }),
    );

  command('status [budget]', 'what is spent, against what, and how long it lasts', [
    'kavach status',
    'kavach status my-agent',
    "kavach status --json | jq '.budgets[].spent.cost'",
  ]).action((budget: string | undefined, options: { json?: boolean }) =>
    perform(options, async (output) => {
      const { showStatus } = await import('./status.js');
      await showStatus(await gateway(), output, budget);
      return 0;
    }),
  );

  const kit = { env, command, perform, gateway };
  addAlertCommands(kit);
  addKeyCommands(kit, program);
  addLimitCommands(kit);
  addLeaseCommands(kit);
  addOperatorCommands(kit);
  addSilenceCommands(kit);
  addPeopleCommands(kit);
  addRuleCommands(kit);
  addKeepingCommands({ ...kit, stdout });

  command('stop <agent>', 'stop an agent, over all its budgets, until it is resumed', [
    'kavach stop my-agent --reason "runs in circles"',
  ])
    .requiredOption('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action((agent: string, options: { json?: boolean; reason: string; by?: string }) =>
      perform(options, async (output) => {
        const { stopAgent } = await import('./agents.js');
        const by = options.by ?? personOf(env);
        await stopAgent(await gateway(), output, { agent, by, reason: options.reason });
        return 0;
      }),
    );

  command('resume <agent>', 'let a stopped agent go on', [
    'kavach resume my-agent --reason "the loop is mended"',
  ])
    .option('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action((agent: string, options: { json?: boolean; reason?: string; by?: string }) =>
      perform(options, async (output) => {
        const { resumeAgent } = await import('./agents.js');
        const { by = personOf(env), reason } = options;
        const why = reason === undefined ? {} : { reason };
        await resumeAgent(await gateway(), output, { agent, by, ...why });
        return 0;
      }),
    );

  command(
    'replay <workflow>',
    "feed a recorded history to today's code: proves that it decides the same, or names the first difference",
    [
      'kavach replay budget/default/agent:my-agent/daily/20261121T000000Z',
      'kavach replay test/replay/histories/alert-accepted.json',
    ],
  ).action((target: string, options: { json?: boolean }) =>
    perform(options, async (output) => {
      const { showReplay } = await import('./replay.js');
      return showReplay(target, output, env);
    }),
  );

  command('seal-key', 'make a key for KAVACH_SEAL_KEYS', [
    'export KAVACH_SEAL_KEYS=$(kavach seal-key)',
    'export KAVACH_SEAL_KEYS=$(kavach seal-key),$KAVACH_SEAL_KEYS   # a new one seals, old ones open',
  ]).action((options: { json?: boolean }) =>
    perform(options, async (output) => {
      const { createSealKey } = await import('../ledger/seal.js');
      const sealKey = createSealKey();
      output.json({ sealKey });
      output.line(sealKey);
      return 0;
    }),
  );
  return program;
}

/** Throws the faults of the configuration as they are to be told. */
async function configured<T>(env: Environment, load: () => T): Promise<T> {
  try {
    return load();
  } catch (error) {
    throw await (await import('./sealed-already.js')).withNeededKey(error, env);
  }
}

interface DemoFlags {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly kills?: number;
  readonly killTemporal?: boolean;
  readonly trace?: string;
  readonly speed?: number;
  readonly seed?: number;
}

function parsePositive(text: string): number {
  const value = /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

const ENVIRONMENT = `
Environment:
  KAVACH_URL       where Kavach runs (default: what the service of this data folder left
                   there, else http://127.0.0.1:8787)
  KAVACH_API_KEY   its API key (default: the file of the data folder)
  KAVACH_DATA_DIR  the data folder (default .kavach)
  NO_COLOR         no colours

Exit codes: 0 done, 1 it did not work, 2 it was called wrongly.`;
