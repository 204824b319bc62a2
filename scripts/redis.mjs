/**
 * The bench's Redis, against which the admission of a call is held: says whether there is one, and
 * installs Debian's package where this process may. Plain Node. Never fails: what needs it says
 * how to get it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const folders = (process.env.PATH ?? '').split(delimiter);
const has = (program) => folders.some((folder) => existsSync(join(folder, program)));

if (!process.env.REDIS_SERVER_PATH && !has('redis-server')) {
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (mayInstall) {
    console.log("the bench needs Redis: installing Debian's package");
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const run = (...args) =>
      spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    run('update', '-qq');
    // The server alone: no service is started.
    run('install', '-y', '-qq', '--no-install-recommends', 'redis-server');
  } else {
    console.log('no Redis here: put redis-server on PATH, or name it by REDIS_SERVER_PATH');
  }
}
