/**
 * The Temporal server as a program of its own: `server` and its schema tool, kept in the cache
 * folder. Where they are not, they can be built with Go (about 4 minutes on 2 cores).
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockData } from '../embedded/data-lock.js';
import { bareEnvironment, spawnGuarded } from '../embedded/guarded-child.js';
import { lastLines } from '../embedded/log-file.js';
import { findOnPath } from '../embedded/programs.js';
import { cacheFolder } from '../embedded/temporal-binary.js';
import { TEMPORAL_VERSION } from './plan.js';

export interface TemporalBinaries {
  readonly server: string;
  /** `temporal-sql-tool`. */
  readonly schemaTool: string;
}

const MODULE = 'go.temporal.io/server/cmd';
const PASSED_ON = /^(GO|CGO_|XDG_|SSL_CERT_|GIT_)|^(HTTPS?|NO|ALL)_PROXY$/i;

/** Undefined where they were never built. */
export function cachedBinaries(env: NodeJS.ProcessEnv): TemporalBinaries | undefined {
  const found = binariesIn(folderOf(env));
  return existsSync(found.server) && existsSync(found.schemaTool) ? found : undefined;
}

/** Throws an error that says what Go answered. */
export async function buildBinaries(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<TemporalBinaries> {
  const go = findOnPath('go', env);
  if (go === undefined) {
    throw new Error(
      'Building the Temporal server needs Go on PATH; without --build the CLI serves',
    );
  }
  const folder = folderOf(env);
  mkdirSync(folder, { recursive: true });
  const what = `The Temporal server in ${folder}`;
  const lock = await lockData({ file: join(folder, 'lock'), what, signal });
  const draft = mkdtempSync(join(folder, 'build-'));
  try {
    const logFile = join(folder, 'go-install.log');
    say(`Building the Temporal server ${TEMPORAL_VERSION} with go install, once (about 4 minutes)`);
    const wanted = Object.entries(env).filter(([name]) => PASSED_ON.test(name));
    const build = await spawnGuarded({
      command: go,
      args: [
        'install',
        ...['server', 'tools/sql'].map((each) => `${MODULE}/${each}@v${TEMPORAL_VERSION}`),
      ],
      cwd: draft,
      env: { ...bareEnvironment(env), ...Object.fromEntries(wanted), GOBIN: draft },
      logFile,
      stopSignal: 'SIGKILL',
    });
    const onAbort = (): void => void build.stop(0);
    signal?.addEventListener('abort', onAbort);
    const { code } = await build.exited;
    signal?.removeEventListener('abort', onAbort);
    signal?.throwIfAborted();
    if (code !== 0)
      throw new Error(`go install failed; ${logFile} ends with:${lastLines(logFile)}`);
    for (const name of ['sql', 'server']) renameSync(join(draft, name), join(folder, name));
    return binariesIn(folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    lock.release();
  }
}

function binariesIn(folder: string): TemporalBinaries {
  return { server: join(folder, 'server'), schemaTool: join(folder, 'sql') };
}

function folderOf(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `temporal-server-v${TEMPORAL_VERSION}`);
}
