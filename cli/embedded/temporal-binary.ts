/**
 * Finds a Temporal CLI, which contains the dev server and its Web UI. In order: TEMPORAL_CLI_PATH,
 * `temporal` on PATH, what an earlier start put into the cache, Temporal's download, `go install`.
 * A path somebody set is used or refused, never passed over; the other ways are passed over aloud.
 * Only a binary that answered `--version` is returned, so a broken or half-made one never is.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { lockData } from './data-lock.js';
import { findOnPath, isExecutable } from './programs.js';
import { buildTemporal } from './temporal-build.js';
import { downloadTemporal } from './temporal-download.js';
import type { Procurement } from './temporal-procurement.js';

/**
 * The newest CLI that `go install` takes (from v1.6.0 its go.mod replaces modules). The download
 * is of the same version, so that every machine runs the same server.
 */
export const TEMPORAL_CLI_VERSION = 'v1.5.1';

/** Older servers lack what the worker relies on; this is the one of TEMPORAL_CLI_VERSION. */
const OLDEST_SERVER = [1, 29] as const;
/** A cold read of 250 MB can be slow. */
const VERSION_TIMEOUT_MS = 30_000;

export interface FoundTemporal {
  readonly path: string;
  readonly how: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'go install';
}

export interface TemporalSearch {
  readonly env: NodeJS.ProcessEnv;
  /** Where a downloaded or built CLI is kept; default `cacheFolder(env)`. */
  readonly cacheDir?: string;
  /** Called with one line at a time, for people to read. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Base address of Temporal's download service; tests point it at a fake. */
  readonly downloadUrl?: string;
}

/** `KAVACH_CACHE_DIR`, else `kavach` in XDG_CACHE_HOME, else `~/.cache/kavach`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['KAVACH_CACHE_DIR']) return env['KAVACH_CACHE_DIR'];
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'kavach');
}

/** Throws an error that names all four ways to get one, and why each failed here. */
export async function findTemporal(search: TemporalSearch): Promise<FoundTemporal> {
  const { env, signal } = search;
  const say = search.onProgress ?? (() => undefined);
  const check = (path: string) => faultOf(path, signal);
  const given = env['TEMPORAL_CLI_PATH'];
  if (given) {
    const fault = await check(given);
    if (fault === undefined) return { path: given, how: 'TEMPORAL_CLI_PATH' };
    throw new Error(`TEMPORAL_CLI_PATH is ${given}, which ${fault}: correct it or unset it`);
  }
  const onPath = findOnPath('temporal', env);
  const pathFault = onPath === undefined ? 'not found' : `${onPath} ${(await check(onPath)) ?? ''}`;
  if (onPath !== undefined && pathFault === `${onPath} `) return { path: onPath, how: 'PATH' };
  if (onPath !== undefined) say(`Passing over ${pathFault}`);

  const cacheDir = search.cacheDir ?? cacheFolder(env);
  const folder = join(cacheDir, `temporal-cli-${TEMPORAL_CLI_VERSION}`);
  const target = join(folder, 'temporal');
  const isCached = async () => existsSync(target) && (await check(target)) === undefined;
  if (await isCached()) return { path: target, how: 'cache' };

  mkdirSync(folder, { recursive: true });
  const lock = await lockData({
    file: join(folder, 'lock'),
    what: `The Temporal CLI in ${folder}`,
    signal,
    onWait: (pid) => {
      say(`Waiting for process ${String(pid)}, which is getting the Temporal CLI already`);
    },
  });
  try {
    if (await isCached()) return { path: target, how: 'cache' };
    removeLeftovers(folder);
    const procurement: Procurement = {
      env,
      version: TEMPORAL_CLI_VERSION,
      cacheDir: folder,
      target,
      downloadUrl: search.downloadUrl ?? 'https://temporal.download',
      say,
      check,
      signal,
    };
    const downloadFault = await downloadTemporal(procurement);
    if (downloadFault === undefined) return { path: target, how: 'download' };
    say(`Temporal's download did not work (${downloadFault}); trying go install`);
    const buildFault = await buildTemporal(procurement);
    if (buildFault === undefined) return { path: target, how: 'go install' };
    throw new Error(noneFound(pathFault, downloadFault, buildFault));
  } finally {
    lock.release();
  }
}

/** What a download or a build that was killed left behind. */
function removeLeftovers(folder: string): void {
  const names = readdirSync(folder).filter((name) => /^(download|build)-/.test(name));
  for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
}

function noneFound(pathFault: string, downloadFault: string, buildFault: string): string {
  return [
    'No Temporal server can be started here. Any one of these ways is enough:',
    '  1. TEMPORAL_CLI_PATH: set it to the Temporal CLI (it is not set)',
    `  2. PATH: put the program "temporal" on it (${pathFault})`,
    `  3. download: allow HTTPS to temporal.download (${downloadFault})`,
    `  4. go install: install Go 1.25 or newer (${buildFault})`,
    'Or set TEMPORAL_ADDRESS to a Temporal cluster of yours.',
  ].join('\n');
}

/** What is wrong with a binary, as the end of a sentence; undefined when it can be used. */
async function faultOf(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  if (!isExecutable(path)) return 'is not an executable file';
  const answer = await new Promise<string | undefined>((resolve) => {
    execFile(path, ['--version'], { timeout: VERSION_TIMEOUT_MS, signal }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
  signal?.throwIfAborted();
  if (answer === undefined) return 'fails when asked for its --version';
  const server = /Server (\d+)\.(\d+)/.exec(answer);
  if (server === null) return 'is not the Temporal CLI (its --version names no server)';
  const [major, minor] = [Number(server[1]), Number(server[2])];
  const isOld =
    major < OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor < OLDEST_SERVER[1]);
  if (!isOld) return undefined;
  return `is too old (server ${String(major)}.${String(minor)}, needed ${OLDEST_SERVER.join('.')})`;
}
