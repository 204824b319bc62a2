/**
 * A real Postgres for tests: DATABASE_URL_TEST or DATABASE_URL, else a server of our own from
 * binaries on PATH or under /usr/lib/postgresql, in a temporary folder on a free port. Postgres
 * refuses to run as root, so there it runs as `postgres` or `nobody`.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../cli/embedded/ports.js';
import { findPostgres, runStatement, startPostgres } from '../../cli/set/postgres.js';

export interface TestPostgres {
  /** Address of a database that may be used, but is shared with other tests when it was given. */
  readonly url: string;
  /** Makes an empty database and returns its address. It is dropped by `stop`. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** Throws an error that says how to get a Postgres when there is none. */
export async function startTestPostgres(
  env = process.env,
  debian = '/usr/lib/postgresql',
): Promise<TestPostgres> {
  const given = env['DATABASE_URL_TEST'] || env['DATABASE_URL'];
  if (given) return withDatabases(given, () => Promise.resolve());
  const bin = findPostgres(env, debian);
  if (bin === undefined) {
    throw new Error(
      'No Postgres for the tests: set DATABASE_URL_TEST to one, or install it ' +
        '(Debian: apt-get install postgresql; its programs are found on PATH and in /usr/lib/postgresql)',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'kavach-postgres-'));
  const logs = mkdtempSync(join(tmpdir(), 'kavach-postgres-log-'));
  const remove = () => {
    for (const made of [folder, logs]) rmSync(made, { recursive: true, force: true });
  };
  const [port = 0] = await freePorts(1);
  const url = `postgres://postgres@127.0.0.1:${String(port)}/postgres`;
  const started = startPostgres({
    ...{ bin, folder, port, env, role: 'postgres' },
    logFile: join(logs, 'postgres.log'),
    // The tests kill processes, never the power: syncing would only cost time.
    settings: ['fsync=off'],
  });
  const child = await started.catch((error: unknown) => {
    remove();
    throw error;
  });
  const stop = async () => {
    await child.stop(5_000);
    remove();
  };
  return withDatabases(url, stop);
}

function withDatabases(url: string, stopServer: () => Promise<void>): TestPostgres {
  const made: string[] = [];
  return {
    url,
    createDatabase: async () => {
      const name = `kavach_test_${randomUUID().replaceAll('-', '')}`;
      await runStatement(url, `create database ${name}`);
      made.push(name);
      const address = new URL(url);
      address.pathname = `/${name}`;
      return address.href;
    },
    stop: async () => {
      try {
        for (const name of made)
          await runStatement(url, `drop database if exists ${name} with (force)`);
      } finally {
        await stopServer();
      }
    },
  };
}
