/**
 * What the benches run on, on free ports in a folder of its own: the embedded Temporal server and
 * ledger, the service as `kavach up` runs it, the bare arm's worker, and the sink.
 * ST-1. Every part but the sink is a process of its own; the sink and the load are this process,
 *       so the processor time they take is part of every figure.
 * ST-2. Nothing survives: parts are closed in the reverse order, also when a start fails.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { startService } from '../cli/demo/service.js';
import { ownEnvironment } from '../cli/demo/stage.js';
import { startEmbedded } from '../cli/embedded/embedded.js';
import { bareEnvironment, spawnGuarded, type GuardedChild } from '../cli/embedded/guarded-child.js';
import { freePorts, LOOPBACK } from '../cli/embedded/ports.js';
import { untilReady } from '../cli/embedded/start-up.js';
import { keepApiKey, keepSealKeys } from '../cli/key-files.js';
import { startSink, type Sink } from '../fakes/sink.js';
import { startSetStack, type SetStack } from './set-stack.js';
import { createPoster, type Poster } from './load.js';
import type { WorkerMessage, WorkerOrder } from './worker-process.js';

const READY_WITHIN_MS = 60_000;

export interface Worker {
  readonly taskQueue: string;
  /** Collects garbage and answers what the process holds, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export interface BenchService {
  readonly poster: Poster;
  readonly pid: number;
  readonly url: string;
  readonly apiKey: string;
  /** SIGKILL, and a new one on the same port; resolves when that serves. */
  readonly killAndRestart: () => Promise<void>;
}

export interface Stack {
  readonly client: Client;
  readonly sink: Sink;
  readonly dataDir: string;
  /** Of the embedded ledger. */
  readonly databaseUrl: string;
  /** Of the service's worker. */
  readonly taskQueue: string;
  /** Started when first asked for: some figures need Temporal alone. */
  service(): Promise<BenchService>;
  /** The bare arm's worker, one for all. */
  bare(): Promise<Worker>;
  /** A worker with our workflows and stand-in activities, of which there may be several. */
  kavach(): Promise<Worker>;
  /** Two gateways, a relay and a worker on one Postgres, started when first asked for. */
  set(): Promise<SetStack>;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Settings of the service beside its defaults, for whoever looks for a cause. */
  readonly variables?: (sink: Sink) => Readonly<Record<string, string>>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const closing: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    return { ...(await buildUp(options, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function buildUp(
  { env, onProgress, signal, variables }: StackOptions,
  closing: (() => Promise<void> | void)[],
): Promise<Omit<Stack, 'close'>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kavach-bench-'));
  closing.push(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });
  const sink = await startSink();
  closing.push(() => sink.stop());
  const own = ownEnvironment(env);
  const embedded = await startEmbedded({ dataDir, env: own, onProgress, signal });
  closing.push(() => embedded.stop());
  const address = embedded.temporal?.address ?? '';
  const connection = await Connection.connect({ address });
  closing.push(() => connection.close());

  const service = once(async () => {
    const [port = 0] = await freePorts(1);
    const child = await startService({
      variables: {
        KAVACH_DATA_DIR: dataDir,
        KAVACH_HOST: LOOPBACK,
        KAVACH_PORT: String(port),
        DATABASE_URL: embedded.databaseUrl,
        KAVACH_SEAL_KEYS: keepSealKeys(dataDir).value,
        TEMPORAL_ADDRESS: address,
        KAVACH_ALLOW_TARGETS: `${LOOPBACK}:*`,
        KAVACH_LOG_FORMAT: 'json',
        ...variables?.(sink),
      },
      logFile: join(dataDir, 'service.log'),
      signal,
    });
    closing.push(() => child.stop());
    const url = `http://${LOOPBACK}:${String(port)}`;
    const apiKey = keepApiKey(dataDir).value;
    const poster = createPoster(url, apiKey);
    closing.push(() => poster.close());
    const killAndRestart = (): Promise<void> => child.killAndRestart();
    return { poster, pid: child.pid(), url, apiKey, killAndRestart };
  });
  const work = async (kind: WorkerOrder['kind']): Promise<Worker> => {
    const taskQueue = `bench-${kind}-${randomUUID()}`;
    const worker = await startWorker({ kind, address, taskQueue, dataDir }, signal);
    closing.push(() => worker.stop());
    return worker;
  };
  return {
    client: new Client({ connection }),
    ...{ sink, dataDir, taskQueue: 'kavach', service },
    databaseUrl: embedded.databaseUrl,
    bare: once(() => work('bare')),
    kavach: () => work('kavach'),
    set: once(async () => {
      const set = await startSetStack(env, signal);
      closing.push(() => set.close());
      return set;
    }),
  };
}

async function startWorker(order: WorkerOrder, signal: AbortSignal): Promise<Worker> {
  const logFile = join(order.dataDir, `worker-${order.kind}.log`);
  let onMessage: (message: WorkerMessage) => void = () => undefined;
  const next = (): Promise<WorkerMessage> => new Promise((resolve) => (onMessage = resolve));
  const told = next();
  const child: GuardedChild = await spawnGuarded({
    command: process.execPath,
    args: [
      '--expose-gc',
      ...['--import', import.meta.resolve('tsx')],
      fileURLToPath(new URL('./worker-process.ts', import.meta.url)),
      JSON.stringify(order),
    ],
    env: bareEnvironment(process.env),
    logFile,
    onMessage: (message) => {
      onMessage(message as WorkerMessage);
    },
  });
  try {
    const what = `The ${order.kind} worker`;
    const startUp = { what, child, logFile, signal, withinMs: READY_WITHIN_MS };
    const message = await untilReady(startUp, () => told);
    if (message.type === 'failed') throw new Error(`${what} did not start: ${message.reason}`);
  } catch (error) {
    await child.stop(2_000);
    throw error;
  }
  return {
    taskQueue: order.taskQueue,
    memory: async () => {
      const answer = next();
      process.kill(child.pid, 'SIGUSR2');
      const message = await answer;
      return message.type === 'memory' ? message.rssBytes : Number.NaN;
    },
    stop: () => child.stop(),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
