/**
 * A Temporal server for tests: one per vitest run (global-setup.ts), shared by all files. A file
 * asks for a task queue and workflow ids of its own, so that files do not meet.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { findTemporal } from '../../cli/embedded/temporal-binary.js';
import { startTemporalServer } from '../../cli/embedded/temporal-server.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the run's Temporal server. */
    temporalAddress: string;
  }
}

export interface RunningTemporal {
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * TEMPORAL_ADDRESS when it is set, else a dev server on free ports in a temporary folder. Without
 * any way to get one it throws: a tier that needs a server never passes by skipping.
 */
export async function startTestTemporal(env = process.env): Promise<RunningTemporal> {
  const given = env['TEMPORAL_ADDRESS'];
  if (given) return { address: given, stop: () => Promise.resolve() };
  const onProgress = (line: string) => {
    console.error(line);
  };
  const { path } = await findTemporal({ env, onProgress });
  const dataDir = mkdtempSync(join(tmpdir(), 'kavach-temporal-'));
  const remove = () => {
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const server = await startTemporalServer({ binary: path, dataDir, log: onProgress });
    const stop = async () => {
      await server.stop();
      remove();
    };
    return { address: server.address, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

export interface TestClient {
  readonly client: Client;
  readonly address: string;
  /** Unique in the cluster; also a good prefix of workflow ids. */
  readonly taskQueue: string;
  close(): Promise<void>;
}

/** A client of the run's server, with a task queue that nobody else uses. */
export async function connectTestClient(name: string): Promise<TestClient> {
  const address = inject('temporalAddress');
  const connection = await Connection.connect({ address });
  return {
    client: new Client({ connection }),
    address,
    taskQueue: `${name}-${randomUUID()}`,
    close: () => connection.close(),
  };
}
