/**
 * The set of docker-compose.yml from binaries, for figures that are about one Postgres under several
 * processes: two gateways without a relay, a relay and a worker of their own.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOOPBACK } from '../cli/embedded/ports.js';
import { startSet, type RunningSet } from '../cli/set/set.js';
import { createPoster, type Poster } from './load.js';

export interface SetStack {
  readonly set: RunningSet;
  /** One a gateway; their sums are one ledger's. */
  readonly posters: readonly Poster[];
  close(): Promise<void>;
}

/** What one machine of the bench may ask more often than a customer's key. */
const UNLIMITED = '1000000';

/** Rejects where there is no Postgres; leaves nothing behind. */
export async function startSetStack(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<SetStack> {
  const folder = mkdtempSync(join(tmpdir(), 'kavach-bench-set-'));
  // As root the database runs as a user of its own, who has to reach it.
  chmodSync(folder, 0o755);
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const set = await startSet({
      ...{ folder, env, signal },
      counts: { gateway: 2, relay: 1, worker: 1 },
      variables: {
        KAVACH_ALLOW_TARGETS: `${LOOPBACK}:*`,
        KAVACH_USAGE_RATE: UNLIMITED,
        KAVACH_REQUEST_RATE: UNLIMITED,
      },
    });
    const posters = set.urls.map((url) => createPoster(url, set.apiKey));
    return {
      ...{ set, posters },
      close: async () => {
        await Promise.all(posters.map((poster) => poster.close()));
        await set.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
