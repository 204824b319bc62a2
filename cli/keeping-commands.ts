/** The commands of whoever runs the service: health, records, copies, keys. */
import { Argument } from 'commander';
import type { CommandKit } from './alert-commands.js';
import { whoText } from './alert-commands.js';
import { personOf } from './person.js';
import type { BackupFlags } from './backup.js';
import type { EraseFlags } from './erase.js';
import type { ExportFlags } from './export.js';
import type { RestoreFlags } from './restore.js';
import type { OutputStream } from './output.js';

interface Json {
  readonly json?: boolean;
}

export function addKeepingCommands(kit: CommandKit & { readonly stdout: OutputStream }): void {
  const { command, perform, env } = kit;

  command('doctor', 'look at every part, and say how to mend what is not well', [
    'kavach doctor',
    'kavach doctor --json | jq \'.checks[] | select(.state != "ok")\'',
  ]).action((options: Json) =>
    perform(options, async (output) => (await import('./doctor.js')).examine(output, env)),
  );

  command('export', 'events, journal or audit, as NDJSON or CSV', [
    'kavach export events --from 2026-11-01 --out events.ndjson',
    'kavach export journal --agent my-agent --format csv > journal.csv',
    'kavach export audit | jq \'select(.what == "stopped")\'',
  ])
    .addArgument(new Argument('<what>', 'which records').choices(['events', 'journal', 'audit']))
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .option('--agent <name>', 'of one agent only')
    .option('--from <time>', 'from this day or time on (ISO 8601, UTC)')
    .option('--to <time>', 'up to this day or time, without it')
    .option('--out <file>', 'to a file, which appears when it is whole')
    .action((what: string, options: Json & ExportFlags) =>
      perform(options, async (output) => {
        const { exportRecords } = await import('./export.js');
        await exportRecords(await kit.gateway(), output, kit.stdout, { what, flags: options });
        return 0;
      }),
    );

  command('retention', 'what is kept for how long, and how much of it there is', [
    'kavach retention',
    'KAVACH_RETENTION=events=90,audit=forever kavach retention --json',
  ]).action((options: Json) =>
    perform(options, async (output) => {
      await (await import('./retention.js')).showRetention(output, env);
      return 0;
    }),
  );

  command('erase', "take a person's address or name out of the ledger", [
    'kavach erase --email ana@example.com',
    'kavach erase --phone +15551234567',
    'kavach erase --user ana',
  ])
    .option('--email <address>', 'its destinations, messages to it, and wherever a text has it')
    .option('--phone <number>', 'likewise, with its country: +15551234567')
    .option('--user <name>', 'as the records have it under `by`')
    .option('--by <name>', whoText(env))
    .action((options: Json & EraseFlags) =>
      perform(options, async (output) => {
        const by = options.by ?? personOf(env);
        const flags = { ...options, ...(by === undefined ? {} : { by }) };
        return (await import('./erase.js')).erasePerson(output, env, flags);
      }),
    );

  command(
    'backup <file>',
    'copy the ledger into a file, and the keys of the data folder beside it',
    [
      'kavach backup /backups/kavach-2026-11-21.gz',
      'kavach backup book.gz --no-keys --json',
      'kavach backup latest.gz --force',
    ],
  )
    .option('--no-keys', 'leave out the keys of the data folder (else <file>.keys)')
    .option('--force', 'replace a file that is there')
    .action((file: string, options: Json & BackupFlags) =>
      perform(options, async (output) => {
        await (await import('./backup.js')).backUp(output, env, file, options);
        return 0;
      }),
    );

  command('restore <file>', 'put a copy into an empty data folder or database', [
    'KAVACH_DATA_DIR=/srv/kavach kavach restore /backups/kavach-2026-11-21.gz',
    'DATABASE_URL=postgres://… KAVACH_SEAL_KEYS=… kavach restore book.gz',
  ])
    .option('--keys <file>', 'the keys of the backup (default <file>.keys)')
    .option('--without-keys', 'give up the addresses that it holds')
    .action((file: string, options: Json & RestoreFlags) =>
      perform(options, async (output) => {
        await (await import('./restore.js')).restoreBackup(output, env, file, options);
        return 0;
      }),
    );

  command('reseal', 'seal everything with the first of the keys, so that old ones can go', [
    'KAVACH_SEAL_KEYS=k2:…,k1:… kavach reseal',
  ]).action((options: Json) =>
    perform(options, async (output) => (await import('./reseal.js')).resealAll(output, env)),
  );
}
