/**
 * Builds the Temporal CLI with Go: about 2.5 minutes on two cores, once per machine.
 * It is built in a folder of its own and renamed when it answered `--version`.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bareEnvironment, spawnGuarded } from './guarded-child.js';
import { boundLog, lastLines } from './log-file.js';
import { findOnPath } from './programs.js';
import type { Procurement } from './temporal-procurement.js';

const MODULE = 'github.com/temporalio/cli/cmd/temporal';
const TELL_EVERY_MS = 10_000;
/** What Go and the way to its module proxy may need; credentials of ours are not among it. */
const PASSED_ON = /^(GO|CGO_|XDG_|SSL_CERT_|GIT_)|^(HTTPS?|NO|ALL)_PROXY$/i;

/** Puts the CLI at `target`; answers why not, or undefined. Throws only when it is aborted. */
export async function buildTemporal(order: Procurement): Promise<string | undefined> {
  const go = findOnPath('go', order.env);
  if (go === undefined) return 'the program "go" is not on PATH';
  const folder = mkdtempSync(join(order.cacheDir, 'build-'));
  const logFile = join(order.cacheDir, 'go-install.log');
  boundLog(logFile);
  const startedAt = Date.now();
  const say = () => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    order.say(
      `Building the Temporal CLI ${order.version} with go install, once per machine: ` +
        `${String(seconds)} s so far (about 150 s on 2 cores)`,
    );
  };
  say();
  const timer = setInterval(say, TELL_EVERY_MS);
  const wanted = Object.entries(order.env).filter(([name]) => PASSED_ON.test(name));
  try {
    const build = await spawnGuarded({
      command: go,
      args: ['install', `${MODULE}@${order.version}`],
      cwd: folder,
      env: { ...bareEnvironment(order.env), ...Object.fromEntries(wanted), GOBIN: folder },
      logFile,
      stopSignal: 'SIGKILL',
    });
    const onAbort = () => void build.stop(0);
    order.signal?.addEventListener('abort', onAbort);
    if (order.signal?.aborted) onAbort();
    const { code } = await build.exited;
    order.signal?.removeEventListener('abort', onAbort);
    order.signal?.throwIfAborted();
    if (code !== 0) return `go install failed; ${logFile} ends with:${lastLines(logFile)}`;
    const fault = await order.check(join(folder, 'temporal'));
    if (fault !== undefined) return `what go install made ${fault}`;
    renameSync(join(folder, 'temporal'), order.target);
    return undefined;
  } finally {
    clearInterval(timer);
    rmSync(folder, { recursive: true, force: true });
  }
}
