/** The commands about leases (L4). */
import type { Command } from 'commander';
import { whoText, type CommandKit } from './alert-commands.js';
import { personOf } from './person.js';
import { addSubcommand } from './subcommand.js';

interface Flags {
  readonly json?: boolean;
  readonly agent?: string;
  readonly all?: boolean;
}

export function addLeaseCommands({ command, perform, gateway, env }: CommandKit): void {
  const show = (flags: Flags): Promise<void> =>
    perform(flags, async (output) => {
      const { showLeases } = await import('./leases.js');
      const { agent, all = false } = flags;
      await showLeases(await gateway(), output, { all, ...(agent === undefined ? {} : { agent }) });
      return 0;
    });
  const leases = command('leases', 'what guards hold of the budgets, and how to release it', [
    'kavach leases',
    'kavach leases --agent research-bot --all',
    'kavach leases release guard-7f/3 --reason "the machine is gone"',
  ])
    .option('--agent <name>', 'those of this agent only')
    .option('--all', 'those that hold nothing any more, too')
    .action(show);

  addSubcommand(leases, 'list', 'what guards hold; the same as without a word', [
    'kavach leases list --json',
  ])
    .option('--agent <name>', 'those of this agent only')
    .option('--all', 'those that hold nothing any more, too')
    .action((_flags: Flags, self: Command) => show(self.optsWithGlobals()));

  addSubcommand(
    leases,
    'release <id>',
    'count no longer what a guard holds that will not come back',
    [
      'kavach leases release guard-7f/3 --reason "the machine is gone"   # a unique beginning will do',
    ],
  )
    .requiredOption('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action((id: string, _flags: Flags, self: Command) => {
      const flags: Flags & { reason: string; by?: string } = self.optsWithGlobals();
      const { reason, by = personOf(env) } = flags;
      return perform(flags, async (output) => {
        const { releaseLease } = await import('./leases.js');
        const who = by === undefined ? {} : { by };
        await releaseLease(await gateway(), output, { id, reason, ...who });
        return 0;
      });
    });
}
