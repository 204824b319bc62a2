/** `kavach keys …`: API keys with their rights, made, listed, rotated and revoked. */
import { InvalidArgumentError, type Command } from 'commander';
import { KEY_SCOPES, type KeyScope } from '../domain/words.js';
import { whoText, type CommandKit } from './alert-commands.js';
import { personOf } from './person.js';

interface Flags {
  readonly json?: boolean;
  readonly by?: string;
}
interface CreateFlags extends Flags {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly agent?: string;
  readonly org?: string;
}

export function addKeyCommands(kit: CommandKit, program: Command): void {
  const { perform, gateway, env } = kit;
  const keys = program
    .command('keys')
    .description('API keys: who may report, configure, read and operate (an admin key is needed)');
  const command = (usage: string, description: string, examples: readonly string[]): Command =>
    kit.command(usage, description, examples, keys);
  const who = ({ by }: Flags): { by: string | undefined } => ({ by: by ?? personOf(env) });

  command('create', 'make a key; it is shown once', [
    'kavach keys create --name research-bot --scopes ingest,sync --agent research-bot',
    'kavach keys create --name on-call --scopes read,operate',
    'export KAVACH_API_KEY=$(kavach keys create --name ci --scopes read --json | jq -r .key)',
  ])
    .requiredOption('--name <name>', 'what people call it')
    .requiredOption('--scopes <list>', `of ${KEY_SCOPES.join(', ')}; by commas`, parseScopes)
    .option('--agent <name>', 'it may touch this agent only')
    .option('--org <name>', 'the first key of another organisation')
    .option('--by <name>', whoText(env))
    .action((options: CreateFlags) =>
      perform(options, async (output) => {
        const { createKey } = await import('./keys.js');
        await createKey(await gateway(), output, { ...options, ...who(options) });
        return 0;
      }),
    );

  command('list', 'all keys, newest first; never the keys themselves', [
    'kavach keys list',
    "kavach keys list --json | jq -r '.keys[] | select(.revokedAt) | .id'",
  ]).action((options: Flags) =>
    perform(options, async (output) => {
      const { showKeys } = await import('./keys.js');
      await showKeys(await gateway(), output);
      return 0;
    }),
  );

  command('rotate <key>', 'replace a key, by its id or its name; the old one stays for a while', [
    'kavach keys rotate research-bot',
    'kavach keys rotate 3f9ac41d2b77e801 --grace 0',
  ])
    .option('--grace <seconds>', 'how long the old key stays valid', parseGrace, 86_400)
    .option('--by <name>', whoText(env))
    .action((key: string, options: Flags & { grace: number }) =>
      perform(options, async (output) => {
        const { rotateKey } = await import('./keys.js');
        const word = { key, graceSeconds: options.grace, ...who(options) };
        const { renewHeldKey } = await import('./held-key.js');
        const renew = (rotated: { id: string; key: string }) => renewHeldKey(env, rotated);
        await rotateKey(await gateway(), output, word, renew);
        return 0;
      }),
    );

  command('revoke <key>', 'end a key at once, by its id or its name', [
    'kavach keys revoke research-bot',
  ])
    .option('--by <name>', whoText(env))
    .action((key: string, options: Flags) =>
      perform(options, async (output) => {
        const { revokeKey } = await import('./keys.js');
        await revokeKey(await gateway(), output, { key, ...who(options) });
        return 0;
      }),
    );
}

function parseScopes(text: string): readonly KeyScope[] {
  const words = text.split(',').map((word) => word.trim());
  const known = KEY_SCOPES.filter((scope) => words.includes(scope));
  const unknown = words.find((word) => !KEY_SCOPES.some((scope) => scope === word));
  if (unknown === undefined) return known;
  throw new InvalidArgumentError(
    `${JSON.stringify(unknown)} is no scope: expected some of ${KEY_SCOPES.join(', ')}.`,
  );
}

function parseGrace(text: string): number {
  const seconds = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= 30 * 86_400) return seconds;
  throw new InvalidArgumentError('Expected whole seconds, 0 to 2592000 (30 days).');
}
