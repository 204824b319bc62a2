/** The set: two gateways, relays and workers on one Postgres and one Temporal server. */
import { join } from 'node:path';
import { startSet } from '../cli/set/set.js';
import { cachedBinaries } from '../cli/set/temporal-binaries.js';
import { onGround, type Target, type TargetOptions } from './target.js';

export function startProcessesTarget(options: TargetOptions): Promise<Target> {
  return onGround(options, async ({ folder, sink, env, variables, closing }) => {
    const { say, signal } = options;
    const set = await startSet({
      ...{ folder: join(folder, 'set'), env, variables, say, signal },
      temporal: cachedBinaries(env),
      // Processes are killed here, never the power.
      postgresSettings: ['fsync=off'],
    });
    closing.push(() => set.stop());
    const server =
      set.temporalIs === 'server'
        ? 'a Temporal server on the same Postgres'
        : "the Temporal server of Temporal's command line";
    return {
      name: 'processes' as const,
      what: `two gateways, relays and workers on Postgres and ${server}`,
      ...{ parts: set.parts, urls: set.urls, apiKey: set.apiKey },
      ...{ databaseUrl: set.databaseUrl, temporalAddress: set.temporalAddress, sink },
    };
  });
}
