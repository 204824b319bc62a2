/** The commands about people: who they are, how they are reached, and what they want. */
import type { Command } from 'commander';
import { whoText, type CommandKit } from './alert-commands.js';
import { personOf } from './person.js';
import { addSubcommand } from './subcommand.js';

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
}

export function addPeopleCommands(kit: CommandKit): void {
  addRecipients(kit);
  addPreferences(kit);
}

/** Who says so. */
function byOf({ env }: CommandKit, flags: Flags): { by?: string } {
  const person = flags.by ?? personOf(env);
  return person === undefined ? {} : { by: person };
}

function addRecipients(kit: CommandKit): void {
  const { command, perform, gateway, env } = kit;
  const recipients = command('recipients', 'people whom alerts are told to', [
    'kavach recipients',
    'kavach recipients add ana --name "Ana Lima" --email ana@example.com',
    'kavach recipients verify ana email 482913',
  ]).action((flags: Flags) =>
    perform(flags, async (output) => {
      const { showRecipients } = await import('./recipients.js');
      await showRecipients(await gateway(), output);
      return 0;
    }),
  );
  const sub = (usage: string, does: string, examples: readonly string[]): Command =>
    addSubcommand(recipients, usage, does, examples).option('--by <name>', whoText(env));

  sub('add <id>', 'add one, or give it another name or address', [
    'kavach recipients add ana',
    'kavach recipients add ana --name "Ana Lima" --email ana@example.com --phone +15551234567',
  ])
    .option('--name <text>', 'what people call them')
    .option('--email <address>', 'where they are mailed; a code is sent there')
    .option('--phone <number>', 'with its country, for text messages; a code is sent there')
    .action((id: string, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const { name, email, phone } = flags;
      return perform(flags, async (output) => {
        const { addRecipient } = await import('./recipients.js');
        await addRecipient(await gateway(), output, {
          ...{ id, ...byOf(kit, flags) },
          ...(name === undefined ? {} : { name }),
          ...(email === undefined ? {} : { email }),
          ...(phone === undefined ? {} : { phone }),
        });
        return 0;
      });
    });

  sub('remove <id>', 'remove one, with contacts and preferences', [
    'kavach recipients remove ana',
  ]).action((id: string, _flags: Flags, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    return perform(flags, async (output) => {
      const { removeRecipient } = await import('./recipients.js');
      await removeRecipient(await gateway(), output, { id, ...byOf(kit, flags) });
      return 0;
    });
  });

  sub('contact <id> <channel> [address]', 'set where they are reached; none: forget it', [
    'kavach recipients contact ana sms +15551234567',
    'kavach recipients contact ana sms',
  ]).action((id: string, channel: string, address: string | undefined, _: Flags, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    return perform(flags, async (output) => {
      const { removeContact, setContact } = await import('./recipients.js');
      const contact = { id, channel, ...byOf(kit, flags) };
      if (address === undefined) await removeContact(await gateway(), output, contact);
      else await setContact(await gateway(), output, { ...contact, address });
      return 0;
    });
  });

  sub('code <id> <channel>', 'send another code; the one before is void', [
    'kavach recipients code ana email',
  ]).action((id: string, channel: string, _flags: Flags, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    return perform(flags, async (output) => {
      const { sendCode } = await import('./recipients.js');
      return sendCode(await gateway(), output, { id, channel, ...byOf(kit, flags) });
    });
  });

  sub('verify <id> <channel> <code>', 'give the code that was read at the address', [
    'kavach recipients verify ana email 482913',
  ]).action((id: string, channel: string, code: string, _flags: Flags, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    return perform(flags, async (output) => {
      const { verifyContact } = await import('./recipients.js');
      const contact = { id, channel, code, ...byOf(kit, flags) };
      await verifyContact(await gateway(), output, contact);
      return 0;
    });
  });
}

function addPreferences(kit: CommandKit): void {
  const { command, perform, gateway, env } = kit;
  const prefs = command('prefs [id]', 'what a recipient wants to be told, and how', [
    'kavach prefs ana',
    `kavach prefs set ana '{"default":{"push":true,"email":true,"sms":false}}'`,
    'kavach prefs set ana @ana.json',
  ]).action((id: string | undefined, flags: Flags, self: Command) => {
    if (id === undefined) return self.help({ error: true });
    return perform(flags, async (output) => {
      const { showPreferences } = await import('./prefs.js');
      await showPreferences(await gateway(), output, id);
      return 0;
    });
  });
  addSubcommand(prefs, 'set <id> <json>', 'set all of it; what is left out has its default', [
    `kavach prefs set ana '{"agents":{"batch-agent":{"push":false}},"digest":{"cadence":"daily"}}'`,
    'kavach prefs set ana @ana.json',
  ])
    .option('--by <name>', whoText(env))
    .action((id: string, document: string, _flags: Flags, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      return perform(flags, async (output) => {
        const { setPreferences } = await import('./prefs.js');
        await setPreferences(await gateway(), output, { id, document, ...byOf(kit, flags) });
        return 0;
      });
    });
}
