/** The commands about silences (A13). */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { CADENCES, DIMENSIONS, SEVERITIES, type Cadence, type Dimension } from '../domain/words.js';
import { whoText, type CommandKit } from './alert-commands.js';
import { personOf } from './person.js';
import { addSubcommand } from './subcommand.js';

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
  readonly all?: boolean;
}

interface AddFlags extends Flags {
  readonly agent?: string;
  readonly org?: boolean;
  readonly budget?: TypedBudget;
  readonly rule?: string;
  readonly severity?: string;
  readonly from?: string;
  readonly until: string;
  readonly reason: string;
}

interface TypedBudget {
  readonly cadence?: Cadence;
  readonly dimension?: Dimension;
}

export function addSilenceCommands({ command, perform, gateway, env }: CommandKit): void {
  const by = (flags: Flags): { by?: string } => {
    const person = flags.by ?? personOf(env);
    return person === undefined ? {} : { by: person };
  };
  const silences = command('silences', 'what is not told for a while, by whom and why', [
    'kavach silences',
    'kavach silences --all',
    'kavach silences add --agent research-bot --until 2h --reason "a migration"',
    'kavach silences end 5f0c',
  ])
    .option('--all', 'those that are over, too')
    .action((flags: Flags) =>
      perform(flags, async (output) => {
        const { showSilences } = await import('./silences.js');
        await showSilences(await gateway(), output, { all: flags.all === true });
        return 0;
      }),
    );

  addSubcommand(silences, 'add', 'hold back what fires; all that is named has to fit', [
    'kavach silences add --agent research-bot --until 2h --reason "a migration"',
    'kavach silences add --agent research-bot --budget "daily cost" --severity warning --until midnight --reason "known"',
    'kavach silences add --rule high_error_rate --from 2026-12-24T00:00 --until 2026-12-27T00:00 --reason "nobody is there"',
  ])
    .option('--agent <name>', 'what is about this agent')
    .option('--org', 'what is about the budgets of the organisation, all agents together')
    .option('--budget <words>', 'what is about this budget: daily, cost, "daily cost"', parseBudget)
    .option('--rule <name>', 'what this rule raises, by its name or its id')
    .addOption(new Option('--severity <word>', 'of this severity only').choices(SEVERITIES))
    .option('--from <moment>', 'begins then: 2h, midnight, 2026-12-24T00:00 (default: now)')
    .requiredOption('--until <moment>', '2h, midnight, 2026-11-22T00:00 (local to the agent)')
    .requiredOption('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action((_flags: AddFlags, self: Command) => {
      const flags: AddFlags = self.optsWithGlobals();
      const { agent, org, budget, rule, severity, from, until, reason } = flags;
      const matcher = {
        ...(agent === undefined ? {} : { agent }),
        ...(org === true ? { organisation: true } : {}),
        ...(budget === undefined ? {} : { budget }),
        ...(rule === undefined ? {} : { rule }),
        ...(severity === undefined ? {} : { severity }),
      };
      if (Object.keys(matcher).length === 0) {
        self.error('error: name an agent, a budget, a rule or a severity, or say --org');
      }
      const when = { ...(from === undefined ? {} : { from }), until };
      return perform(flags, async (output) => {
        const { addSilence } = await import('./silences.js');
        const body = { ...matcher, ...when, reason, ...by(flags), id: randomUUID() };
        await addSilence(await gateway(), output, body);
        return 0;
      });
    });

  addSubcommand(silences, 'end <id>', 'end it now: what still fires is sent', [
    'kavach silences end 5f0c   # a unique beginning will do',
  ])
    .option('--by <name>', whoText(env))
    .action((id: string, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      return perform(flags, async (output) => {
        const { endSilence } = await import('./silences.js');
        await endSilence(await gateway(), output, { id, ...by(flags) });
        return 0;
      });
    });
}

/** `daily`, `cost`, `daily cost`; `tokens` are `tokens_total`. */
function parseBudget(text: string): TypedBudget {
  const words = text
    .trim()
    .split(/[\s/]+/)
    .map((word) => (word === 'tokens' ? 'tokens_total' : word));
  const cadence = CADENCES.find((each) => words.includes(each));
  const dimension = DIMENSIONS.find((each) => words.includes(each));
  const known = [cadence, dimension].filter((each) => each !== undefined);
  if (known.length > 0 && known.length === words.length) {
    return {
      ...(cadence === undefined ? {} : { cadence }),
      ...(dimension === undefined ? {} : { dimension }),
    };
  }
  throw new InvalidArgumentError('Expected a cadence, a dimension, or both: "daily cost".');
}
