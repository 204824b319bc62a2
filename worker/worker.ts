/**
 * One life of the workers: from a connection that stands to one that is over.
 * W-1. Decisions and deliveries poll apart: a slow endpoint cannot starve a crossing.
 * W-2. When one of the two ends unasked, the other is stopped: half a worker is none.
 */
import { NativeConnection, Worker } from '@temporalio/worker';
import type {
  FixedSizeSlotSupplier,
  NativeConnectionOptions,
  WorkerOptions,
} from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Activities } from '../activities/index.js';
import { createDecisionSlots, type DecisionSlots } from './decision-slots.js';
import type { Logger } from './log.js';
import { installRuntime } from './runtime.js';

export interface KavachWorkerOptions {
  /** Address, TLS and key of the Temporal server. */
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  /** Deliveries after the first attempt use `<queue>-delivery`. */
  readonly taskQueue: string;
  readonly activities: Activities;
  /** Of `workflowBundle`. */
  readonly bundle: { readonly codePath: string };
  readonly log: Logger;
  /** Of `createDataConverter`, where payloads are sealed; the bundle must be made with it, too. */
  readonly dataConverter?: DataConverter;
  /** @default 2,000; a busy period takes about 300 KB. */
  readonly maxCachedWorkflows?: number;
  /**
   * How long a task waits for the worker that has its workflow in memory; after a crash that
   * worker is gone, and each open period loses this much once. @default 1,000
   */
  readonly stickyTimeoutMs?: number;
  /** What a stop gives running activities; an attempt ends within 4 s. @default 6,000 */
  readonly graceMs?: number;
}

export interface WorkerLife {
  /** Resolves with the reason when the workers end without having been stopped. */
  readonly failed: Promise<Error>;
  /** Finishes what runs and closes the connection. Repeating it is harmless. */
  stop(): Promise<void>;
}

/** Enough for every delivery of a storm to wait on a slow endpoint at once. */
const ACTIVITY_SLOTS: FixedSizeSlotSupplier = { type: 'fixed-size', numSlots: 200 };

/** Replays of a restart end four at a time within a task's time, on a busy machine too. */
const DECISION_SLOTS: DecisionSlots = { common: 4, sticky: 40 };

/** Connects and runs. Rejects when the server does not answer or refuses the worker. */
export async function startWorker(options: KavachWorkerOptions): Promise<WorkerLife> {
  installRuntime(options.log);
  const connection = await NativeConnection.connect(options.connection);
  let workers: Worker[];
  try {
    workers = await createWorkers(options, connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  const runs = workers.map((worker) => worker.run());
  const stop = (): Promise<void> => {
    isStopping = true;
    stopped ??= stopAll(workers, runs, connection);
    return stopped;
  };
  const failed = new Promise<Error>((resolve) => {
    const fail = (reason: unknown) => {
      if (isStopping) return;
      void stop();
      resolve(reason instanceof Error ? reason : new Error(String(reason)));
    };
    for (const run of runs) {
      run.then(() => {
        fail(new Error('the worker ended by itself'));
      }, fail);
    }
  });
  return { failed, stop };
}

async function createWorkers(
  options: KavachWorkerOptions,
  connection: NativeConnection,
): Promise<Worker[]> {
  const graceMs = options.graceMs ?? 6_000;
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace: options.namespace,
    activities: options.activities,
    ...(options.dataConverter === undefined ? {} : { dataConverter: options.dataConverter }),
    shutdownGraceTime: graceMs,
    // An activity that ignores its cancellation must not hold the process for ever.
    shutdownForceTime: graceMs + 4_000,
  };
  const decisions = await Worker.create({
    ...shared,
    taskQueue: options.taskQueue,
    workflowBundle: options.bundle,
    tuner: {
      workflowTaskSlotSupplier: createDecisionSlots(DECISION_SLOTS),
      activityTaskSlotSupplier: ACTIVITY_SLOTS,
      localActivityTaskSlotSupplier: ACTIVITY_SLOTS,
      nexusTaskSlotSupplier: ACTIVITY_SLOTS,
    },
    maxCachedWorkflows: options.maxCachedWorkflows ?? 2_000,
    stickyQueueScheduleToStartTimeout: options.stickyTimeoutMs ?? 1_000,
    // New alerts, and every workflow after a restart, come by the common queue: half the pollers.
    nonStickyToStickyPollRatio: 0.5,
  });
  const deliveries = await Worker.create({
    ...shared,
    taskQueue: `${options.taskQueue}-delivery`,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS.numSlots,
  });
  return [decisions, deliveries];
}

async function stopAll(
  workers: readonly Worker[],
  runs: readonly Promise<void>[],
  connection: NativeConnection,
): Promise<void> {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await Promise.allSettled(runs);
  await connection.close();
}
