/** The commands about limits: what holds, and what an operator sets, raises, resets and removes. */
import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, type Command } from 'commander';
import { CADENCES } from '../domain/words.js';
import { whoText, type CommandKit } from './alert-commands.js';
import {
  alertFault,
  AMOUNT_FORM,
  amountFault,
  parseAlert,
  parseAmount,
  parseRatioText,
  type TypedAlert,
  type TypedAmount,
} from './amount-text.js';
import { personOf } from './person.js';
import { addSubcommand } from './subcommand.js';

interface Flags {
  readonly json?: boolean;
  readonly org?: boolean;
  readonly by?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly cadence?: string;
  readonly dimension?: string;
}

interface SetFlags extends Flags {
  readonly ceiling?: boolean;
  readonly block?: boolean;
  readonly alert?: readonly TypedAlert[];
  readonly kill?: number;
  readonly [cadence: string]: unknown;
}

export function addLimitCommands(kit: CommandKit): void {
  const { command, perform, gateway, env } = kit;
  const by = (flags: Flags) => {
    const person = flags.by ?? personOf(env);
    return person === undefined ? {} : { by: person };
  };
  const why = ({ reason }: Flags) => (reason === undefined ? {} : { reason });
  const change = (flags: Flags, path: string, body: object): Promise<void> =>
    perform(flags, async (output) => {
      const { changeLimits } = await import('./limits.js');
      await changeLimits(await gateway(), output, path, body);
      return 0;
    });

  const limits = command('limits [agent]', 'what agents are held to, and from which layer', [
    'kavach limits',
    'kavach limits research-bot',
    'kavach limits set research-bot --daily 5USD --block --alert 80%:slack',
    'kavach limits remove research-bot',
  ]).action((agent: string | undefined, flags: Flags) =>
    perform(flags, async (output) => {
      const { showLimits } = await import('./limits.js');
      await showLimits(await gateway(), output, agent);
      return 0;
    }),
  );

  const set = addSubcommand(limits, 'set [agent]', 'limits that no SDK can pass or take away', [
    'kavach limits set research-bot --daily 5USD --block --alert 80%:slack',
    'kavach limits set research-bot --monthly 100USD --ceiling --kill 100%',
    'kavach limits set research-bot --daily cost --kill 90%   # joins the synced limit',
    'kavach limits set --org --monthly 2000USD --block --alert 90%:email=ops@acme.com',
    'kavach limits set research-bot --daily 1USD --block --until 2h --reason "looks wrong"',
  ]);
  for (const cadence of CADENCES) {
    const per = cadence === 'run' ? 'of a run' : cadence;
    set.option(`--${cadence} <amount>`, `${per}: ${AMOUNT_FORM}`, collectAmounts);
  }
  set
    .option('--org', 'of the organisation: all agents together')
    .option('--ceiling', 'what an SDK syncs holds up to this')
    .option('--block', 'refuse calls at the limit (default: only tell)')
    .option(
      '--alert <ratio:channel>',
      '80%:slack, 90%:email=ops@acme.com; repeatable',
      collectAlerts,
    )
    .option('--kill <ratio>', 'end the agent there, as 100%', parseKill)
    .option('--until <moment>', 'ends by itself: 2h, midnight, 2026-11-22T00:00')
    .option('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action(async (agent: string | undefined, _flags: SetFlags, self: Command) => {
      const flags: SetFlags = self.optsWithGlobals();
      const bodies = limitBodies(flags);
      if (bodies.length === 0) self.error('error: name a limit, as --daily 5USD');
      const until = flags.until === undefined ? {} : { until: flags.until };
      const body = { ...whose(self, agent, flags), limits: bodies, ...until };
      await change(flags, '/v1/limits', { ...body, ...why(flags), ...by(flags) });
    });

  whichOf(
    addSubcommand(limits, 'remove [agent]', 'take back what an operator set, raises included', [
      'kavach limits remove research-bot',
      'kavach limits remove research-bot --cadence daily --reason "it is fixed"',
      'kavach limits remove --org',
    ]),
  )
    .option('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action(async (agent: string | undefined, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const body = { ...whose(self, agent, flags), ...which(flags) };
      await change(flags, '/v1/limits/remove', { ...body, ...why(flags), ...by(flags) });
    });

  addSubcommand(limits, 'end-raise <id> [agent]', 'end a raise before its time', [
    'kavach limits end-raise 5f0c… research-bot',
  ])
    .option('--org', 'of the organisation')
    .option('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action(async (id: string, agent: string | undefined, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const body = { ...whose(self, agent, flags), ...why(flags), ...by(flags) };
      await perform(flags, async (output) => {
        const { endRaise } = await import('./limits.js');
        await endRaise(await gateway(), output, { id, whose: agent, body });
        return 0;
      });
    });

  whichOf(
    command('raise [agent] [amount]', 'so much more until a moment, which ends by itself', [
      'kavach raise research-bot +50USD --until midnight --reason "the launch"',
      'kavach raise research-bot +200ktokens --cadence daily --until 2h --reason "a long report"',
      'kavach raise --org +500USD --until 2026-12-01T00:00 --reason "month end"',
    ]),
  )
    .requiredOption('--until <moment>', '2h, midnight, 2026-11-22T00:00 (local to the agent)')
    .requiredOption('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action(
      async (
        first: string | undefined,
        second: string | undefined,
        flags: Flags & { until: string },
        self: Command,
      ) => {
        const isOrg = flags.org === true;
        const text = isOrg ? first : second;
        const amount = parseAmount(text ?? '');
        if (amount?.amount === undefined || (isOrg && second !== undefined)) {
          const fault = text === undefined || isOrg ? '' : ` (${amountFault(text)})`;
          self.error(`error: expected an agent (or --org) and an amount: ${AMOUNT_FORM}${fault}`);
        }
        await change(flags, '/v1/raises', {
          ...whose(self, isOrg ? undefined : first, flags),
          ...which(flags),
          ...amount,
          ...{ until: flags.until, id: randomUUID() },
          ...why(flags),
          ...by(flags),
        });
      },
    );

  whichOf(
    command('reset [agent]', 'count the current period from here; the book keeps everything', [
      'kavach reset research-bot --reason "the loop was ours"',
      'kavach reset research-bot --cadence daily --reason "a test ran wild"',
    ]),
  )
    .requiredOption('--reason <text>', 'why; people will read it')
    .option('--by <name>', whoText(env))
    .action((agent: string | undefined, flags: Flags, self: Command) => {
      const body = { ...whose(self, agent, flags), ...which(flags), ...why(flags), ...by(flags) };
      return perform(flags, async (output) => {
        const { resetPeriod } = await import('./limits.js');
        await resetPeriod(await gateway(), output, agent ?? 'the organisation', body);
        return 0;
      });
    });
}

/** `--org`, `--cadence`, `--dimension`. */
function whichOf(command: Command): Command {
  return command
    .option('--org', 'of the organisation: all agents together')
    .option('--cadence <word>', 'of this one only: daily, monthly, …')
    .option('--dimension <word>', 'of this one only: cost, tokens_total, calls');
}

function which({ cadence, dimension }: Flags): object {
  return {
    ...(cadence === undefined ? {} : { cadence }),
    ...(dimension === undefined ? {} : { dimension }),
  };
}

function whose(command: Command, agent: string | undefined, { org }: Flags): object {
  if ((agent === undefined) === (org !== true)) {
    command.error('error: name an agent, or say --org');
  }
  return agent === undefined ? { organisation: true } : { agent };
}

function limitBodies(flags: SetFlags): object[] {
  const kill = flags.kill === undefined ? [] : [{ ratio: flags.kill, channel: 'kill' }];
  const thresholds = [...(flags.alert ?? []), ...kill];
  return CADENCES.flatMap((cadence) =>
    ((flags[cadence] ?? []) as readonly TypedAmount[]).map((typed) => ({
      ...{ cadence, ...typed, thresholds },
      kind:
        typed.amount === undefined ? 'thresholds' : flags.ceiling === true ? 'ceiling' : 'limit',
      enforcement: flags.block === true ? 'block' : 'alert',
    })),
  );
}

function collectAmounts(text: string, before: readonly TypedAmount[] = []): TypedAmount[] {
  const amount = parseAmount(text);
  if (amount === undefined) throw new InvalidArgumentError(amountFault(text));
  return [...before, amount];
}

function collectAlerts(text: string, before: readonly TypedAlert[] = []): TypedAlert[] {
  const alert = parseAlert(text);
  if (alert === undefined) throw new InvalidArgumentError(alertFault(text));
  return [...before, alert];
}

function parseKill(text: string): number {
  const ratio = parseRatioText(text);
  if (ratio === undefined || ratio > 1) {
    throw new InvalidArgumentError('Expected a ratio, as 100% or 0.9.');
  }
  return ratio;
}
