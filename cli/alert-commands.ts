/** The commands about alerts: what was raised, one of them whole, a person's word, a test message. */
import type { Command } from 'commander';
import type { Environment, Gateway } from './http.js';
import type { Output } from './output.js';
import { personOf } from './person.js';
import { parseCount } from './whole.js';

export interface CommandKit {
  readonly env: Environment;
  /** A command with `--json` and examples. */
  readonly command: (
    usage: string,
    description: string,
    examples: readonly string[],
    parent?: Command,
  ) => Command;
  readonly perform: (
    options: { readonly json?: boolean },
    run: (output: Output) => Promise<number | undefined>,
  ) => Promise<void>;
  readonly gateway: () => Promise<Gateway>;
}

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
  readonly note?: string;
}

export function addAlertCommands(kit: CommandKit): void {
  const { command, perform, gateway, env } = kit;
  command('alerts', 'what was raised, newest first', [
    'kavach alerts',
    'kavach alerts --agent my-agent --limit 20',
  ])
    .option('--agent <name>', 'of one agent only')
    .option('--limit <n>', 'at most so many, 1 to 1000', parseCount, 50)
    .action((options: { json?: boolean; agent?: string; limit: number }) =>
      perform(options, async (output) => {
        const { showAlerts } = await import('./alerts.js');
        await showAlerts(await gateway(), output, options);
        return 0;
      }),
    );

  command('alert <id>', 'one alert: every decision, every attempt, with reasons', [
    'kavach alert K7Q2MD',
    'kavach alert alert/default/agent:my-agent/daily/20261121T000000Z/1-cost-8000',
  ]).action((id: string, options: { json?: boolean }) =>
    perform(options, async (output) => {
      const { showAlert } = await import('./alerts.js');
      await showAlert(await gateway(), output, id);
      return 0;
    }),
  );

  command('notices', 'what the service has told its operators of itself', [
    'kavach notices',
    'kavach notices --limit 20 --json',
  ])
    .option('--limit <n>', 'at most so many, 1 to 1000', parseCount, 50)
    .action((options: { json?: boolean; limit: number }) =>
      perform(options, async (output) => {
        const { showNotices } = await import('./notices.js');
        await showNotices(await gateway(), output, options);
        return 0;
      }),
    );

  const answering = (name: 'ack' | 'resolve', act: 'acknowledge' | 'resolve', does: string) =>
    command(`${name} <id>`, `${does}; the id, its code, or a unique end of it`, [
      `kavach ${name} K7Q2MD`,
      `kavach ${name} K7Q2MD --by ada --note "looking into it"`,
    ])
      .option('--by <name>', whoText(env))
      .option('--note <text>', 'a word for the journal')
      .action((id: string, options: Flags) =>
        perform(options, async (output) => {
          const { answerAlert } = await import('./answer-alert.js');
          const word = { id, by: options.by ?? personOf(env), note: options.note };
          await answerAlert(await gateway(), output, act, word);
          return 0;
        }),
      );
  answering('ack', 'acknowledge', 'take an alert: nothing more is sent about it');
  answering('resolve', 'resolve', 'end an alert: whoever wants to know is told');

  command('test-channel <channel>', 'send one marked test message, and say what came of it', [
    'kavach test-channel slack',
    'kavach test-channel email --to ada@example.com',
    'kavach test-channel webhook --to https://example.com/hook --secret "$WEBHOOK_SECRET"',
  ])
    .option('--to <target>', "an address (default: the service's own for this channel)")
    .option('--secret <text>', "webhook: signs it; email: the customer's own Resend key")
    .option('--destination <reference>', 'a synced target, by its reference in an alert')
    .action((channel: string, options: { json?: boolean } & Record<string, string>) =>
      perform(options, async (output) => {
        const { testChannel } = await import('./test-channel.js');
        const { to, secret, destination } = options;
        return testChannel(await gateway(), output, {
          channel,
          ...(to === undefined ? {} : { to }),
          ...(secret === undefined ? {} : { secret }),
          ...(destination === undefined ? {} : { destination }),
        });
      }),
    );
}

/** What `--by` says in the help. */
export function whoText(env: Environment): string {
  const person = personOf(env);
  return `who says so (default: your login name${person === undefined ? '' : `, ${person}`})`;
}
