/**
 * The embedded ledger as seen by the process that starts it: a Postgres address on the loopback
 * interface, served by PGlite in a child (ledger-process.ts), so that no query blocks this one.
 * PGlite never calls fsync: it survives the death of every process, but not a power cut.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forgetAddress, keepAddress } from '../data-folder.js';
import { bareEnvironment, spawnGuarded } from './guarded-child.js';
import type { ChildExit } from './guarded-child.js';
import type { LedgerMessage, LedgerOrder } from './ledger-process.js';
import { boundLog } from './log-file.js';
import { LOOPBACK, refuseTakenPort } from './ports.js';
import { untilReady } from './start-up.js';

/** Long: it includes the migrations and, after a kill, the recovery. */
const READY_WITHIN_MS = 120_000;

export interface LedgerServerOptions {
  /** Folder that holds `ledger/`, its lock and its log; made when missing. */
  readonly dataDir: string;
  /** Undefined or 0 picks a free one. */
  readonly port?: number | undefined;
  /** URL of a module exporting `migratePglite(db)`; default the ledger's own. */
  readonly migrate?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface LedgerServer {
  readonly databaseUrl: string;
  readonly pid: number;
  /** Closes the database in order, by force after 10 s; resolves when the process is gone. */
  stop(): Promise<void>;
  readonly exited: Promise<ChildExit>;
}

/** Starts the ledger and resolves when it is migrated and listens. */
export async function startLedgerServer(options: LedgerServerOptions): Promise<LedgerServer> {
  const { dataDir, port = 0, signal } = options;
  signal?.throwIfAborted();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const setting = 'KAVACH_LEDGER_PORT';
  if (port !== 0) await refuseTakenPort({ port, what: 'the embedded ledger', setting });
  const logFile = join(dataDir, 'ledger.log');
  boundLog(logFile);
  const { promise: told, resolve: tell } = deferred<LedgerMessage>();
  const order: LedgerOrder = {
    dataDir,
    port,
    migrate: options.migrate ?? siblingUrl('../../ledger/migrate'),
    owner: process.pid,
  };
  const child = await spawnGuarded({
    command: process.execPath,
    args: [...loaderArguments(), entryPath(), JSON.stringify(order)],
    env: bareEnvironment(process.env),
    logFile,
    onMessage: (message) => {
      tell(message as LedgerMessage);
    },
  });
  try {
    const startUp = { what: 'The ledger', child, logFile, signal, withinMs: READY_WITHIN_MS };
    const message = await untilReady(startUp, () => told);
    if (message.type === 'failed') throw new Error(message.reason);
    const databaseUrl = `postgres://postgres:postgres@${LOOPBACK}:${String(message.port)}/postgres`;
    keepAddress(dataDir, 'ledger-address', databaseUrl);
    return {
      databaseUrl,
      pid: child.pid,
      exited: child.exited,
      stop: async () => {
        forgetAddress(dataDir, 'ledger-address', databaseUrl);
        await child.stop();
      },
    };
  } catch (error) {
    await child.stop(2_000);
    throw error;
  }
}

const isTypeScript = import.meta.url.endsWith('.ts');

/** From source the child needs the TypeScript loader; compiled it is plain Node. */
function loaderArguments(): string[] {
  return isTypeScript ? ['--import', import.meta.resolve('tsx')] : [];
}

function entryPath(): string {
  return fileURLToPath(siblingUrl('./ledger-process'));
}

function siblingUrl(path: string): string {
  return new URL(`${path}${isTypeScript ? '.ts' : '.js'}`, import.meta.url).href;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
