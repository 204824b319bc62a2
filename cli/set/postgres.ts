/**
 * A Postgres of our own from binaries on PATH or under /usr/lib/postgresql, on the loopback
 * interface, trusting whoever is on this machine. Postgres refuses to run as root, so there it runs
 * as `postgres` or `nobody`.
 */
import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { bareEnvironment, spawnGuarded, type GuardedChild } from '../embedded/guarded-child.js';
import { findOnPath, isExecutable } from '../embedded/programs.js';
import { untilReady } from '../embedded/start-up.js';

export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresOptions {
  /** Of `findPostgres`. */
  readonly bin: string;
  /** Holds `data/`, made by the first start; its user must be able to reach it. */
  readonly folder: string;
  readonly port: number;
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** The superuser, and the owner of its database; no password is asked. */
  readonly role: string;
  /** As `fsync=off`, which costs a power cut but no crash. */
  readonly settings?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const READY_WITHIN_MS = 30_000;

/** Starts it on what it left behind, however it ended; resolves when it answers. */
export async function startPostgres(options: PostgresOptions): Promise<GuardedChild> {
  const { bin, folder, port, logFile, role, signal } = options;
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const env = bareEnvironment(options.env);
  if (!existsSync(join(data, 'PG_VERSION'))) {
    const order = ['--pgdata', data, '--username', role, '--auth', 'trust', '--no-sync'];
    const how = { env, cwd: folder, ...user };
    const made = promisify(execFile)(join(bin, 'initdb'), [...order, '-E', 'UTF8'], how);
    await made.catch((error: unknown) => {
      const hint =
        user === undefined
          ? ''
          : `; as root it runs as user ${String(user.uid)}, who must be able to reach that folder`;
      throw new Error(`No database could be made in ${folder}${hint}`, { cause: error });
    });
  }
  const settings = ['listen_addresses=127.0.0.1', `port=${String(port)}`, 'max_connections=200'];
  settings.push(`unix_socket_directories=${folder}`, ...(options.settings ?? []));
  const child = await spawnGuarded({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    ...{ env, cwd: folder, logFile },
    // A fast shutdown: SIGTERM would wait for connected clients.
    stopSignal: 'SIGINT',
    ...(user === undefined ? {} : { user }),
  });
  const url = `postgres://${role}@127.0.0.1:${String(port)}/postgres`;
  try {
    const startUp = { what: 'Postgres', child, logFile, signal, withinMs: READY_WITHIN_MS };
    await untilReady(startUp, (over) => untilAnswers(url, over));
    return child;
  } catch (error) {
    await child.stop(5_000);
    throw error;
  }
}

/** Runs one statement on a connection of its own. */
export async function runStatement(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // One that breaks says so to whoever waits on it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Makes the database where it is missing. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<void> {
  try {
    await runStatement(serverUrl, `create database ${name}`);
  } catch (error) {
    if ((error as { code?: string }).code !== '42P04') throw error;
  }
}

/** The folder with `initdb` and `postgres`: from PATH, else the newest Debian package's. */
export function findPostgres(
  env: NodeJS.ProcessEnv,
  debian = '/usr/lib/postgresql',
): string | undefined {
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

async function untilAnswers(url: string, over: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await runStatement(url, 'select 1');
      return;
    } catch {
      await delay(50, undefined, { signal: over });
    }
  }
}

function unprivilegedUser(): PostgresUser {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres or nobody here');
}
