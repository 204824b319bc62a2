/**
 * A real Postgres for tests: DATABASE_URL_TEST or DATABASE_URL, else a server of our own from
 * binaries on PATH or under /usr/lib/postgresql, in a temporary folder on a free port. Postgres
 * refuses to run as root, so there it runs as `postgres` or `nobody`.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { bareEnvironment, spawnGuarded } from '../../cli/embedded/guarded-child.js';
import { freePorts } from '../../cli/embedded/ports.js';
import { findOnPath, isExecutable } from '../../cli/embedded/programs.js';
import { untilReady } from '../../cli/embedded/start-up.js';

export interface TestPostgres {
  /** Address of a database that may be used, but is shared with other tests when it was given. */
  readonly url: string;
  /** Makes an empty database and returns its address. It is dropped by `stop`. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Throws an error that says how to get a Postgres when there is none. */
export async function startTestPostgres(
  env = process.env,
  debian = '/usr/lib/postgresql',
): Promise<TestPostgres> {
  const given = env['DATABASE_URL_TEST'] || env['DATABASE_URL'];
  if (given) return withDatabases(given, () => Promise.resolve());
  const bin = findBinaries(env, debian);
  if (bin === undefined) {
    throw new Error(
      'No Postgres for the tests: set DATABASE_URL_TEST to one, or install it ' +
        '(Debian: apt-get install postgresql; its programs are found on PATH and in /usr/lib/postgresql)',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'kavach-postgres-'));
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const bare = bareEnvironment(env);
  await promisify(execFile)(
    join(bin, 'initdb'),
    ['--pgdata', data, '--username', 'postgres', '--auth', 'trust', '--no-sync', '-E', 'UTF8'],
    { env: bare, cwd: folder, ...user },
  );
  const [port = 0] = await freePorts(1);
  const url = `postgres://postgres@127.0.0.1:${String(port)}/postgres`;
  // The tests kill processes, never the power: syncing would only cost time.
  const settings = ['listen_addresses=127.0.0.1', `port=${String(port)}`, 'fsync=off'];
  settings.push(`unix_socket_directories=${folder}`, 'max_connections=200');
  const logs = mkdtempSync(join(tmpdir(), 'kavach-postgres-log-'));
  const logFile = join(logs, 'postgres.log');
  const child = await spawnGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    env: bare,
    cwd: folder,
    logFile,
    // A fast shutdown: SIGTERM would wait for connected clients.
    stopSignal: 'SIGINT',
    ...(user === undefined ? {} : { user }),
  });
  const stop = async () => {
    await child.stop(5_000);
    for (const made of [folder, logs]) rmSync(made, { recursive: true, force: true });
  };
  try {
    const startUp = { what: 'Postgres', child, logFile, signal: undefined, withinMs: 30_000 };
    await untilReady(startUp, (over) => untilAnswers(url, over));
  } catch (error) {
    await stop();
    throw error;
  }
  return withDatabases(url, stop);
}

function withDatabases(url: string, stopServer: () => Promise<void>): TestPostgres {
  const made: string[] = [];
  return {
    url,
    createDatabase: async () => {
      const name = `kavach_test_${randomUUID().replaceAll('-', '')}`;
      await run(url, `create database ${name}`);
      made.push(name);
      const address = new URL(url);
      address.pathname = `/${name}`;
      return address.href;
    },
    stop: async () => {
      try {
        for (const name of made) await run(url, `drop database if exists ${name} with (force)`);
      } finally {
        await stopServer();
      }
    },
  };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function untilAnswers(url: string, over: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await run(url, 'select 1');
      return;
    } catch {
      await delay(50, undefined, { signal: over });
    }
  }
}

/** The folder with `initdb` and `postgres`: from PATH, else the newest Debian package's. */
function findBinaries(env: NodeJS.ProcessEnv, debian: string): string | undefined {
  const onPath = findOnPath('postgres', env);
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const packaged = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'));
  const folders = onPath === undefined ? packaged : [dirname(realpathSync(onPath)), ...packaged];
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))),
  );
}

function unprivilegedUser(): User {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres or nobody here');
}
