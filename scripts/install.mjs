/**
 * Installs the packages when they are missing or older than the lockfile, so that a fresh clone
 * needs one command. Run before the npm scripts; does nothing, in milliseconds, when all is there.
 * Plain Node: it runs before any package exists.
 * I-1. Two at once: one installs, the other waits for it and looks again.
 * I-2. An interruption ends npm first: what it left half would race the next install.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lockfile = join(root, 'package-lock.json');
/** npm writes it last, so it is only there after a whole install. */
const installed = join(root, 'node_modules', '.package-lock.json');
/** Outside the tree: it must outlive node_modules and be in nobody's way. */
const lock = join(
  tmpdir(),
  `kavach-install-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`,
);
const owner = join(lock, 'pid');

/** @returns {string | undefined} why an install is needed */
function reason() {
  if (!existsSync(installed)) return 'no packages are installed yet';
  if (!existsSync(lockfile)) return undefined;
  const isOlder = statSync(installed).mtimeMs < statSync(lockfile).mtimeMs;
  return isOlder && differs() ? 'the packages are older than package-lock.json' : undefined;
}

/** A checkout touches the lockfile without changing it: what counts is what it names. */
function differs() {
  const wanted = JSON.parse(readFileSync(lockfile, 'utf8')).packages ?? {};
  const there = JSON.parse(readFileSync(installed, 'utf8')).packages ?? {};
  return Object.entries(wanted).some(
    ([path, { version, optional }]) =>
      path !== '' && optional !== true && there[path]?.version !== version,
  );
}

/** @returns {boolean} whether this process holds the lock now */
function takeLock() {
  try {
    mkdirSync(lock);
    writeFileSync(owner, String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isAbandoned()) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function isAbandoned() {
  try {
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    // Between making the folder and naming its owner there is a moment; past it, nobody comes.
    if (error.code === 'ENOENT')
      return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 5_000;
    return error.code === 'ESRCH';
  }
}

/** @returns {Promise<number>} an exit code */
async function install(why) {
  console.error(`kavach: ${why}; running npm ci (once, about a minute)`);
  const npm = process.env.npm_execpath;
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const child = spawn(command, [...before, 'ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // A script's own settings (such as --production) are not meant for this install.
    env: { ...process.env, NODE_ENV: 'development' },
  });
  let interrupted;
  const handOn = (signal) => {
    interrupted = signal;
    child.kill(signal);
  };
  process.on('SIGINT', handOn).on('SIGTERM', handOn);
  const { status, error } = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('close', (status) => resolve({ status }));
  });
  process.off('SIGINT', handOn).off('SIGTERM', handOn);
  if (interrupted !== undefined) return 128 + constants.signals[interrupted];
  if (status === 0) return 0;
  console.error(
    `kavach: the packages could not be installed (${error?.message ?? `npm ci ended with ${String(status)}`}); ` +
      'see above, then run npm ci by hand',
  );
  return 1;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`kavach: this is Node ${process.versions.node}; it needs 20.19 or newer`);
  process.exit(1);
}

let waited = false;
while (reason() !== undefined) {
  if (!takeLock()) {
    if (!waited)
      console.error('kavach: another process is installing the packages; waiting for it');
    waited = true;
    await pause(200);
    continue;
  }
  let code = 0;
  try {
    const why = reason();
    if (why !== undefined) code = await install(why);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
  if (code !== 0) process.exit(code);
  const still = reason();
  if (still !== undefined) {
    console.error(`kavach: after npm ci ${still}; delete node_modules and try again`);
    process.exit(1);
  }
}
