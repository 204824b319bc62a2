/**
 * The embedded Temporal server: `temporal server start-dev` on a SQLite file, as a child process.
 * S1. It ends when we end, however we end (guarded-child G1); a start that fails stops it again.
 * S2. One server per data folder (data-lock); the next start goes on with the same data.
 * S3. It listens on the loopback interface only, with its Web UI.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { forgetAddress, keepAddress } from '../data-folder.js';
import { lockData } from './data-lock.js';
import type { DataLock } from './data-lock.js';
import { bareEnvironment, spawnGuarded } from './guarded-child.js';
import type { ChildExit } from './guarded-child.js';
import { boundLog } from './log-file.js';
import { freePorts, LOOPBACK, refuseTakenPort } from './ports.js';
import { untilReady } from './start-up.js';
import { prepareNamespace } from './temporal-namespace.js';
import { SERVER_ENVIRONMENT, serverArguments } from './temporal-settings.js';

const HEALTHY_WITHIN_MS = 30_000;
const PROBE_EVERY_MS = 25;
const PREPARE_WITHIN_MS = 10_000;
const NAMESPACE = 'default';
const DB_FILE = 'temporal.db';
/** Says that the database once served: what a start that was killed left behind has no such file. */
const SERVED_FILE = 'temporal.served';
/** Another program may take a port between our choosing it and the server's opening it. */
const START_TRIES = 3;

export interface TemporalServerOptions {
  /** Path of the Temporal CLI (`findTemporal`). */
  readonly binary: string;
  /** Folder of database, lock and log; made when missing. */
  readonly dataDir: string;
  /** gRPC and Web UI ports; undefined or 0 picks free ones. */
  readonly port?: number | undefined;
  readonly uiPort?: number | undefined;
  /** Called with what people should know: refusals, recoveries. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Default 30,000 ms. */
  readonly healthyWithinMs?: number;
}

export interface TemporalServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly uiUrl: string;
  readonly pid: number;
  /** Stops it in order, by force after 10 s; resolves when it is gone. */
  stop(): Promise<void>;
  readonly exited: Promise<ChildExit>;
}

/** Starts the server and resolves when it serves. Errors name the port or the log file. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dataDir, signal } = options;
  signal?.throwIfAborted();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await refuseTaken(options);
  const lock = await lockData({
    file: join(dataDir, 'temporal.lock'),
    what: `The Temporal server's data in ${dataDir}`,
    signal,
  });
  try {
    boundLog(join(dataDir, 'temporal.log'));
    return await startWithRetries(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function refuseTaken({ port, uiPort }: TemporalServerOptions): Promise<void> {
  const what = 'the Temporal server';
  if (port) await refuseTakenPort({ port, what, setting: 'KAVACH_TEMPORAL_PORT' });
  if (!uiPort) return;
  const setting = 'KAVACH_TEMPORAL_UI_PORT';
  await refuseTakenPort({ port: uiPort, what: "Temporal's Web UI", setting });
}

async function startWithRetries(
  options: TemporalServerOptions,
  lock: DataLock,
): Promise<TemporalServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options, lock);
    } catch (error) {
      options.signal?.throwIfAborted();
      const isOurPick = !options.port || !options.uiPort;
      const lostPort = isOurPick && /address already in use/.test(String(error));
      const canRetry = (lostPort || setAsideUnserved(options)) && tries < START_TRIES;
      if (!canRetry) throw error;
    }
  }
}

async function startOnce(options: TemporalServerOptions, lock: DataLock): Promise<TemporalServer> {
  const { binary, dataDir, signal, log = () => undefined } = options;
  const [freePort = 0, freeUiPort = 0] = await freePorts(2);
  const [port, uiPort] = [options.port || freePort, options.uiPort || freeUiPort];
  const logFile = join(dataDir, 'temporal.log');
  const child = await spawnGuarded({
    command: binary,
    args: serverArguments({ ip: LOOPBACK, port, uiPort, dbFile: DB_FILE }),
    // The CLI reads TEMPORAL_* settings, which are meant for clients.
    env: { ...bareEnvironment(process.env), ...SERVER_ENVIRONMENT },
    cwd: dataDir,
    logFile,
  });
  const withinMs = options.healthyWithinMs ?? HEALTHY_WITHIN_MS;
  const startUp = { what: 'The Temporal server', child, logFile, signal, withinMs };
  try {
    lock.setHolder(child.pid);
    await untilReady(startUp, (over) => prepareServer(port, log, over));
  } catch (error) {
    await child.stop(1_000);
    // We hold the data on until the caller has decided whether to try again.
    lock.setHolder(process.pid);
    throw error;
  }
  writeFileSync(join(dataDir, SERVED_FILE), '');
  const address = `${LOOPBACK}:${String(port)}`;
  keepAddress(dataDir, 'temporal-address', address);
  const exited = child.exited.then((exit) => {
    lock.release();
    return exit;
  });
  return {
    address,
    uiUrl: `http://${LOOPBACK}:${String(uiPort)}`,
    pid: child.pid,
    exited,
    stop: async () => {
      forgetAddress(dataDir, 'temporal-address', address);
      await child.stop();
      await exited;
    },
  };
}

/** Waits until the server answers for its namespace, then prepares that. */
async function prepareServer(
  port: number,
  log: (line: string) => void,
  over: AbortSignal,
): Promise<void> {
  // gRPC waits a second after a refused connection, so the first one is made when it can succeed.
  while (!(await accepts(port))) await delay(PROBE_EVERY_MS, undefined, { signal: over });
  const connection = Connection.lazy({ address: `${LOOPBACK}:${String(port)}` });
  try {
    while (!(await isServing(connection))) await delay(PROBE_EVERY_MS, undefined, { signal: over });
    await connection.withDeadline(Date.now() + PREPARE_WITHIN_MS, () =>
      prepareNamespace(connection, NAMESPACE, log),
    );
  } finally {
    // Only between two calls: closed during one, the SDK's retry of it throws in a timer of its
    // own, where nobody can catch it.
    await connection.close().catch(() => undefined);
  }
}

async function isServing(connection: Connection): Promise<boolean> {
  try {
    // Not `ensureConnected`: it keeps its first failure for the connection's life.
    await connection.withDeadline(Date.now() + 5_000, () =>
      connection.workflowService.describeNamespace({ namespace: NAMESPACE }),
    );
    return true;
  } catch {
    return false;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    const answer = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

/**
 * A first start that was killed may leave half a schema, with which no start ever succeeds. Such a
 * file never served, so nothing is in it; it is still kept, under another name.
 */
function setAsideUnserved({ dataDir, log }: TemporalServerOptions): boolean {
  const file = join(dataDir, DB_FILE);
  if (existsSync(join(dataDir, SERVED_FILE)) || !existsSync(file)) return false;
  const aside = `${file}.unserved-${String(Date.now())}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  log?.(`The Temporal database was never finished by an earlier start; begun anew (${aside})`);
  return true;
}
