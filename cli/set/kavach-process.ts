/** One of our processes as a child: a role of `kavach` with an environment and a port of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bareEnvironment, spawnGuarded, type GuardedChild } from '../embedded/guarded-child.js';
import { untilReady } from '../embedded/start-up.js';
import type { Role } from '../service.js';
import { COMMANDS } from './plan.js';

export interface KavachProcessOptions {
  readonly role: Role;
  /** As `gateway 1`. */
  readonly name: string;
  /** `http://host:port` where it will answer for its health. */
  readonly url: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Cold, on a slow machine, and while Temporal may be on its way, too. */
const READY_WITHIN_MS = 90_000;
const POLL_MS = 100;
const ANSWER_MS = 2_500;

/** Resolves when `/readyz` says so. */
export async function startKavachProcess(options: KavachProcessOptions): Promise<GuardedChild> {
  const { role, name, url, logFile, signal } = options;
  const child = await spawnGuarded({
    command: process.execPath,
    args: [...loaderArguments(), entryPath(), ...COMMANDS[role]],
    env: { ...bareEnvironment(options.env), ...options.variables },
    logFile,
  });
  try {
    const startUp = { what: `The ${name}`, child, logFile, signal, withinMs: READY_WITHIN_MS };
    await untilReady(startUp, (over) => untilHealthy(`${url}/readyz`, over));
    return child;
  } catch (error) {
    await child.stop(2_000);
    throw error;
  }
}

async function untilHealthy(url: string, over: AbortSignal): Promise<void> {
  for (;;) {
    try {
      const signal = AbortSignal.any([over, AbortSignal.timeout(ANSWER_MS)]);
      const answer = await fetch(url, { signal });
      await answer.arrayBuffer();
      if (answer.ok) return;
    } catch {
      // Nobody listens yet.
    }
    await delay(POLL_MS, undefined, { signal: over });
  }
}

const isTypeScript = import.meta.url.endsWith('.ts');

/** From source the child needs the TypeScript loader; compiled it is plain Node. */
function loaderArguments(): string[] {
  return isTypeScript ? ['--import', import.meta.resolve('tsx')] : [];
}

function entryPath(): string {
  return fileURLToPath(new URL(`../main${isTypeScript ? '.ts' : '.js'}`, import.meta.url));
}
