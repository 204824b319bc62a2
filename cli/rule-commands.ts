/** The commands about rules on metrics. */
import type { Command } from 'commander';
import type { CommandKit } from './alert-commands.js';
import { whoText } from './alert-commands.js';
import { personOf } from './person.js';
import type { RuleWords } from './rules.js';
import { addSubcommand } from './subcommand.js';
import { parseWhole } from './whole.js';

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
}

export function addRuleCommands({ command, perform, gateway, env }: CommandKit): void {
  const by = (flags: Flags): { by?: string } => {
    const person = flags.by ?? personOf(env);
    return person === undefined ? {} : { by: person };
  };
  const rules = command('rules', "conditions on agents' metrics that alert somebody", [
    'kavach rules',
    'kavach rules set high_error_rate "error_rate > 0.05" --channel push email --user ana',
    'kavach rules remove high_error_rate',
  ])
    .option('--agent <name>', 'those that hold for this agent, rules about every agent included')
    .action((flags: Flags & { agent?: string }) =>
      perform(flags, async (output) => {
        const { showRules } = await import('./rules.js');
        await showRules(await gateway(), output, flags.agent);
        return 0;
      }),
    );
  addSubcommand(
    rules,
    'set <name> <condition>',
    'make a rule, or change the one of that name; it holds for the next event',
    [
      'kavach rules set high_error_rate "error_rate > 0.05" --channel slack --cooldown 600',
      'kavach rules set failed \'status == "failed"\' --agent batch-agent --channel email --user ana',
      'kavach rules set done "completed == 1" --channel push --priority low --cooldown 0 --user ana',
    ],
  )
    .option('--channel <names...>', 'push email sms slack pagerduty webhook')
    .option('--agent <name>', 'about this agent only (default: every one)')
    .option('--priority <word>', 'low, medium, high or critical (default: medium)')
    .option('--cooldown <seconds>', 'quiet after an alert; 0: every match alerts', parseWhole)
    .option('--user <ids...>', 'recipients; none: the operators')
    .option('--by <name>', whoText(env))
    .action((name: string, condition: string, _flags: Flags, self: Command) => {
      const flags: Flags & Omit<RuleWords, 'name' | 'condition'> = self.optsWithGlobals();
      return perform(flags, async (output) => {
        const { setRule } = await import('./rules.js');
        await setRule(await gateway(), output, { ...flags, name, condition, ...by(flags) });
        return 0;
      });
    });
  addSubcommand(rules, 'remove <rule>', 'remove a rule by its name or id; its open alerts end', [
    'kavach rules remove high_error_rate',
  ])
    .option('--by <name>', whoText(env))
    .action((rule: string, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      return perform(flags, async (output) => {
        const { removeRule } = await import('./rules.js');
        await removeRule(await gateway(), output, { rule, ...by(flags) });
        return 0;
      });
    });
}
