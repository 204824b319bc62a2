/**
 * A worker in a process of its own, so that its memory and its time are nobody else's. Its one
 * argument is a WorkerOrder as JSON. SIGUSR2 collects garbage and tells the memory it holds.
 */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { Pool } from 'undici';
import { createLog } from '../worker/log.js';
import { workflowBundle } from '../worker/bundle.js';
import { installRuntime } from '../worker/runtime.js';
import { startWorker } from '../worker/worker.js';
import type { BareActivities } from './baseline-workflows.js';
import { standInActivities } from './stand-in-activities.js';

export interface WorkerOrder {
  /** `bare`: the baseline's workflows. `kavach`: ours, with activities that write nothing. */
  readonly kind: 'bare' | 'kavach';
  readonly address: string;
  readonly taskQueue: string;
  /** Where the bundle is kept. */
  readonly dataDir: string;
}

export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'memory'; readonly rssBytes: number };

const log = createLog({ level: 'warn', format: 'json' });

async function runBare({ address, taskQueue }: WorkerOrder): Promise<() => Promise<void>> {
  installRuntime(log);
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./baseline-workflows.ts', import.meta.url));
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await bundleWorkflowCode({ workflowsPath, logger: log as never }),
    activities: { post: createPost() } satisfies BareActivities,
  });
  const run = worker.run();
  return async () => {
    worker.shutdown();
    await run;
    await connection.close();
  };
}

/** Keeps its connection, as a bare prototype would. */
function createPost(): BareActivities['post'] {
  const pools = new Map<string, Pool>();
  return async (url) => {
    const { origin, pathname } = new URL(url);
    const pool = pools.get(origin) ?? new Pool(origin);
    pools.set(origin, pool);
    const { body } = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"alert":"bare"}',
    });
    await body.dump();
  };
}

async function runKavach(order: WorkerOrder): Promise<() => Promise<void>> {
  const life = await startWorker({
    connection: { address: order.address },
    namespace: 'default',
    taskQueue: order.taskQueue,
    activities: standInActivities(),
    bundle: await workflowBundle(order.dataDir),
    log,
  });
  return () => life.stop();
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '{}') as WorkerOrder;
  const stop = order.kind === 'bare' ? await runBare(order) : await runKavach(order);
  const end = (): void => {
    void stop().finally(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('disconnect', end);
  process.on('SIGUSR2', () => {
    (globalThis as { gc?: () => void }).gc?.();
    tell({ type: 'memory', rssBytes: process.memoryUsage.rss() });
  });
  tell({ type: 'ready' });
}

main().catch((error: unknown) => {
  tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
