/** The commands about destinations, settings of the organisation, and the audit. */
import type { Command } from 'commander';
import { parseCount, parseWhole } from './whole.js';
import { whoText, type CommandKit } from './alert-commands.js';
import { personOf } from './person.js';
import { wayOf } from './way-text.js';
import { addSubcommand } from './subcommand.js';

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
}

export function addOperatorCommands(kit: CommandKit): void {
  const { env } = kit;
  const by = (flags: Flags): { by?: string } => {
    const person = flags.by ?? personOf(env);
    return person === undefined ? {} : { by: person };
  };
  addDestinations(kit, by);
  addSettings(kit, by);
  const { command, perform, gateway } = kit;
  command('audit', 'who changed what, newest first', [
    'kavach audit',
    'kavach audit --agent research-bot --limit 20',
  ])
    .option('--agent <name>', 'of one agent only')
    .option('--limit <n>', 'at most so many, 1 to 1000', parseCount, 50)
    .option('--cursor <text>', 'the next page, as the one before names it')
    .action((flags: Flags & { agent?: string; limit: number; cursor?: string }) =>
      perform(flags, async (output) => {
        const { showAudit } = await import('./audit.js');
        await showAudit(await gateway(), output, flags);
        return 0;
      }),
    );
}

function addDestinations(kit: CommandKit, by: (flags: Flags) => { by?: string }): void {
  const { command, perform, gateway, env } = kit;
  const destinations = command('destinations', 'where alerts go, and how they fare', [
    'kavach destinations',
    'kavach destinations default slack https://hooks.slack.com/services/…',
    'kavach destinations restore 3f2a…',
  ]).action((flags: Flags) =>
    perform(flags, async (output) => {
      const { showDestinations } = await import('./destinations.js');
      await showDestinations(await gateway(), output);
      return 0;
    }),
  );
  const saying = (act: 'restore' | 'confirm', does: string) =>
    addSubcommand(destinations, `${act} <reference>`, does, [
      `kavach destinations ${act} 3f2a9c…   # a unique beginning will do`,
    ])
      .option('--by <name>', whoText(env))
      .action((reference: string, _flags: Flags, self: Command) => {
        const flags: Flags = self.optsWithGlobals();
        return perform(flags, async (output) => {
          const { actOnDestination } = await import('./destinations.js');
          await actOnDestination(await gateway(), output, { reference, act, ...by(flags) });
          return 0;
        });
      });
  saying('restore', 'send to it again: it can be reached');
  saying('confirm', 'stand by an email target whose domain is not on the list');
  addSubcommand(
    destinations,
    'default <channel> <target>',
    'where alerts without a target go; an address, or a reference',
    [
      'kavach destinations default slack https://hooks.slack.com/services/…',
      'kavach destinations default webhook https://example.com/hook --secret "$WEBHOOK_SECRET"',
    ],
  )
    .option('--secret <text>', "webhook: signs it; email: the customer's own Resend key")
    .option('--by <name>', whoText(env))
    .action((channel: string, target: string, _flags: Flags, self: Command) => {
      const flags: Flags & { secret?: string } = self.optsWithGlobals();
      return perform(flags, async (output) => {
        const { setDefault } = await import('./destinations.js');
        const secret = flags.secret === undefined ? {} : { secret: flags.secret };
        await setDefault(await gateway(), output, { channel, target, ...secret, ...by(flags) });
        return 0;
      });
    });
}

function addSettings(kit: CommandKit, by: (flags: Flags) => { by?: string }): void {
  const { command, perform, gateway, env } = kit;
  const settings = command('settings', 'what is set for the whole organisation', [
    'kavach settings',
    'kavach settings email-domains acme.com acme.org',
    'kavach settings operators slack=https://hooks.slack.com/… email=ops@acme.com',
  ]).action((flags: Flags) =>
    perform(flags, async (output) => {
      const { showSettings } = await import('./settings.js');
      await showSettings(await gateway(), output);
      return 0;
    }),
  );
  const setting = (
    usage: string,
    does: string,
    examples: readonly string[],
    post: (words: readonly string[], flags: Flags & Record<string, string>) => object,
    path: string,
  ): Command =>
    addSubcommand(settings, usage, does, examples)
      .option('--by <name>', whoText(env))
      .action((words: readonly string[], _flags: Flags, self: Command) => {
        const flags: Flags & Record<string, string> = self.optsWithGlobals();
        return perform(flags, async (output) => {
          const { changeSettings } = await import('./settings.js');
          const body = { ...post(words, flags), ...by(flags) };
          await changeSettings(await gateway(), output, `/v1/settings/${path}`, body);
          return 0;
        });
      });
  setting(
    'email-domains [domains...]',
    'domains whose addresses agents may name; none: no domain',
    ['kavach settings email-domains acme.com acme.org'],
    (emailDomains) => ({ emailDomains }),
    'email-domains',
  );
  setting(
    'operators [ways...]',
    'who is told where an alert reaches nobody else, in this order',
    ['kavach settings operators slack=https://hooks.slack.com/… email=ops@acme.com'],
    (ways) => ({ operators: ways.map(wayOf) }),
    'operators',
  );
  setting(
    'escalation [ways...]',
    'where an urgent alert that nobody acknowledged goes; none: the default again',
    [
      'kavach settings escalation slack=https://hooks.slack.com/… --after 900 --rounds 2',
      'kavach settings escalation',
    ],
    (ways, flags) => ({
      escalation:
        ways.length === 0
          ? null
          : {
              levels: [{ afterMs: Number(flags['after'] ?? 900) * 1_000, routes: ways.map(wayOf) }],
              rounds: Number(flags['rounds'] ?? 1),
            },
    }),
    'escalation',
  )
    .option('--after <seconds>', 'how long to wait for an acknowledgement', parseWhole)
    .option('--rounds <n>', 'how often to repeat it', parseWhole);
}
