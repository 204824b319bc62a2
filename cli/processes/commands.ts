/** The commands that run one part of the service: `gateway`, `relay`, `worker`. */
import type { CommandKit } from '../alert-commands.js';
import type { OutputStream } from '../output.js';
import type { Role } from '../service.js';

export interface ProcessCommandKit extends Pick<CommandKit, 'env' | 'command' | 'perform'> {
  readonly stderr: OutputStream;
}

interface Flags {
  readonly json?: boolean;
  /** Commander's form of `--no-relay`. */
  readonly relay?: boolean;
}

const SURROUNDINGS = 'DATABASE_URL=postgres://… TEMPORAL_ADDRESS=host:7233 KAVACH_SEAL_KEYS=…';

export function addProcessCommands({ env, command, perform, stderr }: ProcessCommandKit): void {
  const run = (options: Flags, roles: readonly Role[]): Promise<void> =>
    perform(options, async (output) => {
      // First, and alone: faults are told before the rest of the program is even loaded.
      const { loadProcessConfig } = await import('./requirements.js');
      const { withNeededKey } = await import('../sealed-already.js');
      let config;
      try {
        config = loadProcessConfig(env, roles);
      } catch (error) {
        throw await withNeededKey(error, env);
      }
      const { unknownVariables } = await import('../../worker/unknown-variables.js');
      for (const fault of unknownVariables(env)) stderr.write(`kavach: ${fault}\n`);
      const { runProcess } = await import('./process.js');
      return runProcess(output, config, { roles, what: roles.join(' and ') });
    });

  command('gateway', 'run one of any number of gateways: HTTP, and a relay with it', [
    `${SURROUNDINGS} kavach gateway`,
    'KAVACH_PORT=8788 kavach gateway --no-relay',
  ])
    .option('--no-relay', 'leave it to processes of their own (kavach relay)')
    .action((options: Flags) =>
      run(options, options.relay === false ? ['gateway'] : ['gateway', 'relay']),
    );

  command('relay', 'run one of any number of relays: from the ledger to Temporal', [
    `${SURROUNDINGS} kavach relay`,
  ]).action((options: Flags) => run(options, ['relay']));

  command('worker', 'run one of any number of workers: decisions and deliveries', [
    `${SURROUNDINGS} kavach worker`,
  ]).action((options: Flags) => run(options, ['worker']));
}
