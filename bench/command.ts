/** The command line of a measuring program: help, arguments, signals, exit codes. */

export interface CommandOptions<Arguments extends object> {
  readonly help: string;
  /** Answers a sentence where the arguments make no sense. */
  readonly read: (given: readonly string[]) => Arguments | string;
  /** Answers the exit code; the signal aborts on SIGINT and SIGTERM. */
  readonly run: (read: Arguments, signal: AbortSignal) => Promise<number>;
  /** What is said of an error that nobody caught. */
  readonly describe: (error: unknown) => string;
}

/** Ends the process: 2 where it was called wrongly, 1 where it broke. */
export function runCommand<Arguments extends object>(options: CommandOptions<Arguments>): void {
  void perform(options)
    .catch((error: unknown) => {
      process.stderr.write(`${options.describe(error)}\n`);
      return 1;
    })
    .then((code) => {
      // Temporal's native code holds the loop; everything of ours is closed.
      process.exit(code);
    });
}

async function perform<Arguments extends object>({
  help,
  read: readArguments,
  run,
}: CommandOptions<Arguments>): Promise<number> {
  const given = process.argv.slice(2);
  if (given.includes('--help')) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const read = readArguments(given);
  if (typeof read === 'string') {
    process.stderr.write(`${read}\n\n${help}\n`);
    return 2;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      stopping.abort(new Error(`Interrupted by ${name}`));
    });
  }
  return run(read, stopping.signal);
}
