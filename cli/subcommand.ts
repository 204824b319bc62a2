/** A command under another one, with `--json` and examples as every command has them. */
import type { Command } from 'commander';

/** Its flags are read with `optsWithGlobals`: the parent has some of the same names. */
export function addSubcommand(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'one JSON document instead of text')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`);
}
