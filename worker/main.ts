/**
 * The worker for as long as the process lives: it waits for a server that is away, and begins
 * again when its workers break. Temporal's own library reconnects by itself in between.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startWorker } from './worker.js';
import type { KavachWorkerOptions, WorkerLife } from './worker.js';

/** `connecting` also between two lives. */
export type WorkerState = 'connecting' | 'running' | 'stopping' | 'stopped';

export interface RunningWorker {
  /** For `/readyz`. */
  state(): WorkerState;
  /** Resolves when the first life runs, or the first try has failed and was said. */
  readonly settled: Promise<void>;
  /** Finishes what runs; resolves when nothing is left. Repeating it is harmless. */
  stop(): Promise<void>;
}

export interface RunWorkerOptions extends Omit<KavachWorkerOptions, 'bundle'> {
  /** Asked once; a failure is tried again like a failed connection. */
  readonly bundle: () => Promise<{ readonly codePath: string }>;
  /** Wait between two tries. @default 1,000 */
  readonly retryMs?: number;
}

/** A server that stays away is said again after so many tries. */
const SAY_AGAIN_EVERY = 30;

export function runWorker(options: RunWorkerOptions): RunningWorker {
  const { log, retryMs = 1_000 } = options;
  const stopping = new AbortController();
  const isOver = (): boolean => stopping.signal.aborted;
  let state: WorkerState = 'connecting';
  let life: WorkerLife | undefined;
  let failures = 0;
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));

  const begin = async (): Promise<WorkerLife | undefined> => {
    try {
      const begun = await startWorker({ ...options, bundle: await options.bundle() });
      failures = 0;
      return begun;
    } catch (error) {
      if (failures % SAY_AGAIN_EVERY === 0) log.warn({ reason: causeOf(error) }, waiting(options));
      failures += 1;
      return undefined;
    }
  };
  const live = async (): Promise<void> => {
    while (!isOver()) {
      life = await begin();
      if (life !== undefined && !isOver()) {
        state = 'running';
        log.info({ taskQueue: options.taskQueue }, 'the worker runs');
        settle();
        const fault = await Promise.race([life.failed, aborted(stopping.signal)]);
        if (fault !== undefined) log.error({ err: fault }, 'the worker broke and starts again');
      }
      if (!isOver()) state = 'connecting';
      await life?.stop();
      settle();
      await delay(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    state = 'stopped';
  };
  const lived = live();
  return {
    state: () => state,
    settled,
    stop: async () => {
      if (state !== 'stopped') state = 'stopping';
      stopping.abort();
      await lived;
    },
  };
}

function waiting({ connection, namespace }: RunWorkerOptions): string {
  return (
    `Temporal at ${connection.address ?? 'its default address'} (namespace ${namespace}) cannot be used yet; ` +
    'trying on. Usage and stops are taken meanwhile, alerts wait'
  );
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
}

/** The native client describes its whole chain of errors; people need its last link. */
function causeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /message: "([^"]+)"/.exec(message)?.[1] ?? message;
}
