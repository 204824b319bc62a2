/** The Temporal server on a Postgres, from binaries: what the compose file runs in containers. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bareEnvironment, spawnGuarded, type GuardedChild } from '../embedded/guarded-child.js';
import { freePorts, LOOPBACK } from '../embedded/ports.js';
import { untilReady } from '../embedded/start-up.js';
import { prepareNamespace } from '../embedded/temporal-namespace.js';
import { RETENTION_DAYS } from '../embedded/temporal-settings.js';
import {
  dynamicConfigYaml,
  NAMESPACE,
  schemaCommands,
  temporalEnvironment,
  type Surroundings,
} from './plan.js';
import type { TemporalBinaries } from './temporal-binaries.js';

export interface ClusterOptions {
  readonly binaries: TemporalBinaries;
  readonly postgres: Surroundings['postgres'];
  /** For its dynamic configuration. */
  readonly folder: string;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: ClusterPorts;
  readonly signal: AbortSignal;
}

/** By the variables that set them. */
export type ClusterPorts = Readonly<
  Record<(typeof PORTS)[number] | (typeof RINGS)[number], number>
>;

const PORTS = [
  'FRONTEND_GRPC_PORT',
  'FRONTEND_HTTP_PORT',
  'MATCHING_GRPC_PORT',
  'HISTORY_GRPC_PORT',
  'WORKER_GRPC_PORT',
] as const;
const RINGS = [
  'FRONTEND_MEMBERSHIP_PORT',
  'MATCHING_MEMBERSHIP_PORT',
  'HISTORY_MEMBERSHIP_PORT',
  'WORKER_MEMBERSHIP_PORT',
] as const;
/** The server keeps membership ports in a column of 16 bits with a sign. */
const RING_RANGE = { from: 20_000, to: 32_000 } as const;
const READY_WITHIN_MS = 45_000;
const CALL_MS = 5_000;

/** Brings both schemas up to date. Harmless twice. */
export async function makeSchemas(
  options: Pick<ClusterOptions, 'binaries' | 'postgres' | 'env'>,
): Promise<void> {
  const env = { ...bareEnvironment(options.env), SQL_PASSWORD: options.postgres.password };
  for (const command of schemaCommands(options)) {
    await promisify(execFile)(options.binaries.schemaTool, command, { env });
  }
}

/** Resolves when it serves its namespace. */
export async function startCluster(options: ClusterOptions): Promise<GuardedChild> {
  const { folder, logFile, signal, ports } = options;
  const dynamicConfigFile = join(folder, 'temporal-dynamic-config.yaml');
  writeFileSync(dynamicConfigFile, dynamicConfigYaml());
  const child = await spawnGuarded({
    command: options.binaries.server,
    args: ['start'],
    env: {
      ...bareEnvironment(options.env),
      ...temporalEnvironment(options, { bindOn: LOOPBACK, dynamicConfigFile }),
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    },
    cwd: folder,
    logFile,
  });
  try {
    const what = 'The Temporal server';
    const startUp = { what, child, logFile, signal, withinMs: READY_WITHIN_MS };
    await untilReady(startUp, (over) => prepare(ports.FRONTEND_GRPC_PORT, over));
    return child;
  } catch (error) {
    await child.stop(1_000);
    throw error;
  }
}

/** Ports that are free now. */
export async function pickClusterPorts(): Promise<ClusterPorts> {
  const free = await freePorts(PORTS.length);
  const rings = await freeBelow(RINGS.length);
  return Object.fromEntries([
    ...PORTS.map((name, i) => [name, free[i]]),
    ...RINGS.map((name, i) => [name, rings[i]]),
  ]) as ClusterPorts;
}

async function freeBelow(count: number): Promise<number[]> {
  const found = new Set<number>();
  const { from, to } = RING_RANGE;
  while (found.size < count) {
    const port = from + Math.floor(Math.random() * (to - from));
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => {
        resolve(false);
      });
      server.listen(port, LOOPBACK, () => {
        server.close(() => {
          resolve(true);
        });
      });
    });
    if (isFree) found.add(port);
  }
  return [...found];
}

/** Waits until the server answers, makes the namespace where it is missing, and prepares it. */
async function prepare(port: number, over: AbortSignal): Promise<void> {
  const connection = Connection.lazy({ address: `${LOOPBACK}:${String(port)}` });
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    connection.withDeadline(Date.now() + CALL_MS, call);
  const { workflowService } = connection;
  const isServing = async (): Promise<boolean> => {
    try {
      await within(() => workflowService.describeNamespace({ namespace: NAMESPACE }));
      return true;
    } catch (error) {
      // NOT_FOUND: it serves, and is new.
      if ((error as { code?: number }).code !== 5) return false;
      const workflowExecutionRetentionPeriod = msToTs(RETENTION_DAYS * 86_400_000);
      const request = { namespace: NAMESPACE, workflowExecutionRetentionPeriod };
      await within(() => workflowService.registerNamespace(request)).catch(() => undefined);
      return false;
    }
  };
  try {
    while (!(await isServing())) await delay(50, undefined, { signal: over });
    await within(() => prepareNamespace(connection, NAMESPACE, () => undefined));
  } finally {
    await connection.close().catch(() => undefined);
  }
}
