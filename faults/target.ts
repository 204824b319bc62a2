/** What a campaign plays against: parts that can be killed, gateways that can be asked, books to read. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownEnvironment } from '../cli/demo/stage.js';
import type { Part } from '../cli/set/supervise.js';
import { startSink, type Sink } from '../fakes/sink.js';

export type TargetName = 'embedded' | 'processes';

export interface Target {
  readonly name: TargetName;
  /** What it runs on, in words. */
  readonly what: string;
  readonly parts: readonly Part[];
  /** Of its gateways. */
  readonly urls: readonly string[];
  readonly apiKey: string;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly sink: Sink;
  /** Ends everything and removes its folder. */
  close(): Promise<void>;
}

export interface TargetOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Ground {
  readonly folder: string;
  readonly sink: Sink;
  readonly env: NodeJS.ProcessEnv;
  readonly variables: Readonly<Record<string, string>>;
  /** Steps that undo, run in the reverse order by `close`. */
  readonly closing: (() => Promise<unknown> | undefined)[];
}

/** A folder of its own and a sink; undone with all that `build` started, also when it fails. */
export async function onGround<T>(
  options: TargetOptions,
  build: (ground: Ground) => Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const closing: Ground['closing'] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'kavach-faults-'));
    // Postgres may run as another user.
    chmodSync(folder, 0o755);
    closing.push(() => {
      rmSync(folder, { recursive: true, force: true });
      return undefined;
    });
    const sink = await startSink();
    closing.push(() => sink.stop());
    const env = ownEnvironment(options.env);
    const built = await build({ folder, sink, env, variables: VARIABLES, closing });
    return { ...built, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const VARIABLES: Ground['variables'] = {
  KAVACH_ALLOW_TARGETS: '127.0.0.1:*',
  KAVACH_LOG_FORMAT: 'json',
  // A campaign is minutes long: waits after failed attempts are seconds, not minutes.
  KAVACH_LADDER_MS: '1000,2000,4000',
  KAVACH_RELAY_INTERVAL_MS: '2000',
  // What an outage held comes in a burst, which is no storm here (A14).
  KAVACH_STORM_LIMIT: '100000',
};
