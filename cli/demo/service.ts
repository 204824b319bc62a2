/**
 * The service as a child of the player: gateway, relay and worker in one process, to be killed.
 * SV-1. It always comes back on the same port, so that senders find it where it was.
 * SV-2. Its end is a fault unless it was asked for: `lost` says so.
 */
import { fileURLToPath } from 'node:url';
import { bareEnvironment, spawnGuarded, type GuardedChild } from '../embedded/guarded-child.js';
import { lastLines } from '../embedded/log-file.js';
import { untilReady } from '../embedded/start-up.js';

/** Cold, on a slow machine, the workflow bundle alone takes seconds. */
const READY_WITHIN_MS = 60_000;

export interface Service {
  /** Of the child that runs now. */
  readonly pid: () => number;
  /** SIGKILL, and a new one on the same port; resolves when that serves. */
  killAndRestart(): Promise<void>;
  /** Asks it to drain, by force after 15 s; resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves with a sentence when it ended unasked. */
  readonly lost: Promise<string>;
}

export interface ServiceOptions {
  readonly variables: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

export async function startService(options: ServiceOptions): Promise<Service> {
  let tellLost: (sentence: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (tellLost = resolve));
  /** The child whose end is expected. */
  let ending: GuardedChild | undefined;
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const start = async (): Promise<GuardedChild> => {
    const child = await spawnService(options);
    void child.exited.then(({ code, signal }) => {
      if (stopped || ending === child) return;
      const last = lastLines(options.logFile);
      tellLost(`The service ended unasked (${String(signal ?? code)}); the end of its log:${last}`);
    });
    return child;
  };
  let child = await start();
  return {
    pid: () => child.pid,
    lost,
    async killAndRestart() {
      ending = child;
      kill(child.pid);
      await child.exited;
      if (isStopped()) return;
      const next = await start();
      child = next;
      // A stop in the meantime saw only the old one.
      if (isStopped()) await next.stop(1_000);
    },
    async stop() {
      stopped = true;
      await child.stop(15_000);
    },
  };
}

/** One life of it; resolves when it serves. */
export async function spawnService(options: ServiceOptions): Promise<GuardedChild> {
  const { logFile, signal, variables } = options;
  let tellReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (tellReady = resolve));
  const child = await spawnGuarded({
    command: process.execPath,
    args: [...loaderArguments(), entryPath()],
    env: { ...bareEnvironment(process.env), ...variables },
    logFile,
    onMessage: (message) => {
      if (isReady(message)) tellReady();
    },
  });
  try {
    const startUp = { what: 'The service', child, logFile, signal, withinMs: READY_WITHIN_MS };
    await untilReady(startUp, () => ready);
    return child;
  } catch (error) {
    await child.stop(2_000);
    throw error;
  }
}

function isReady(message: unknown): boolean {
  return (
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already, which is what was wanted.
  }
}

const isTypeScript = import.meta.url.endsWith('.ts');

/** From source the child needs the TypeScript loader; compiled it is plain Node. */
function loaderArguments(): string[] {
  return isTypeScript ? ['--import', import.meta.resolve('tsx')] : [];
}

function entryPath(): string {
  const file = `../service-process${isTypeScript ? '.ts' : '.js'}`;
  return fileURLToPath(new URL(file, import.meta.url));
}
