/**
 * The tests' Postgres: says whether there is one, and installs Debian's package where this process
 * may. Plain Node. Never fails: the suite that needs it says how to get it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const debian = '/usr/lib/postgresql';
const folders = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []),
];
const has = (program) => folders.some((folder) => existsSync(join(folder, program)));

if (!process.env.DATABASE_URL_TEST && !process.env.DATABASE_URL && !has('initdb')) {
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (mayInstall) {
    console.log("the tests need Postgres: installing Debian's package");
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const run = (...args) =>
      spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    run('update', '-qq');
    run('install', '-y', '-qq', 'postgresql');
  } else {
    console.log(
      'no Postgres here: set DATABASE_URL_TEST, or install it; its tests will fail without',
    );
  }
}
