/**
 * One part of a set, kept alive: what ends unasked is started again on the same data and port, as
 * a container's restart policy would.
 * SU-1. The first start either serves or rejects; later ones are tried until one does.
 * SU-2. After `stop` nothing is started any more, and nothing of it is left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildExit } from '../embedded/guarded-child.js';

/** What a start of a part answers, when it serves. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface Part {
  /** As `gateway 1`. */
  readonly name: string;
  /** Undefined while it is being started again. */
  pid(): number | undefined;
  /** How often it ended without having been stopped. */
  ends(): number;
  /** SIGKILL, if it runs; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it serves; at once when it does. */
  serving(): Promise<void>;
  /** Ends it and leaves it so, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly name: string;
  /** Rejects when it does not come to serve; it has cleaned up then. */
  readonly start: (signal: AbortSignal) => Promise<Running>;
  /** Told of ends and of starts that failed. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const RETRY_MS = 250;
const GRACE_MS = 15_000;

export async function supervise(options: SuperviseOptions): Promise<Part> {
  const { name, start, say = () => undefined } = options;
  let stopping = new AbortController();
  let running: Running | undefined;
  let ends = 0;
  let serving: Pending = pending();

  const begin = async (): Promise<void> => {
    const { signal } = stopping;
    const given = options.signal === undefined ? [signal] : [signal, options.signal];
    const begun = await start(AbortSignal.any(given));
    running = begun;
    serving.resolve();
  };
  /** Until it is stopped: waits for an end, then tries until it serves again. */
  const keep = async ({ signal }: AbortController): Promise<void> => {
    const isOver = (): boolean => signal.aborted;
    while (running !== undefined) {
      const { code, signal: by } = await running.exited;
      running = undefined;
      if (isOver()) return;
      serving = pending();
      ends += 1;
      say(`${name} ended (${String(by ?? code)}) and is started again`);
      while (!isRunning() && !isOver()) {
        try {
          await begin();
        } catch (error) {
          if (isOver()) return;
          say(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
          await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
        }
      }
    }
  };
  const isRunning = (): boolean => running !== undefined;
  const halt = async (): Promise<void> => {
    stopping.abort(new Error(`${name} is stopped`));
    await running?.stop(GRACE_MS);
    await kept;
    // A start that was under way may have come through in between.
    await running?.stop(GRACE_MS);
    running = undefined;
  };
  await begin();
  let kept = keep(stopping);
  return {
    name,
    pid: () => running?.pid,
    ends: () => ends,
    kill: async () => {
      const victim = running;
      if (victim === undefined) return;
      send(victim.pid);
      // `keep` has waited for it longer, so it knows before our caller does.
      await victim.exited;
    },
    serving: () => serving.promise,
    pause: halt,
    resume: async () => {
      stopping = new AbortController();
      serving = pending();
      await begin();
      kept = keep(stopping);
    },
    stop: halt,
  };
}

function send(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in between, which is what was wanted.
  }
}

interface Pending {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function pending(): Pending {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
