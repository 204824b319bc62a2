/**
 * The process that owns the embedded ledger: PGlite on a folder, behind a Postgres socket.
 * It migrates before it listens, ends when its parent is gone (IPC), and closes the database
 * whenever it is given the time. Its one argument is a LedgerOrder as JSON.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { lockData } from './data-lock.js';
import { LOOPBACK } from './ports.js';

export interface LedgerOrder {
  readonly dataDir: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** URL of a module that exports `migratePglite(db)`. */
  readonly migrate: string;
  /** Pid of the process that started this one and answers for it. */
  readonly owner: number;
}

export type LedgerMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly reason: string };

/** Every connection is one open socket of ours; all of them share one database session. */
const MAX_CONNECTIONS = 200;

const closers: (() => Promise<void> | void)[] = [];
let ending = false;

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  for (const close of closers.reverse()) {
    try {
      await close();
    } catch (error) {
      console.error('While closing:', error);
    }
  }
  process.exit(code);
}

async function serve(order: LedgerOrder): Promise<void> {
  const lock = await lockData({
    file: join(order.dataDir, 'ledger.lock'),
    what: `The ledger in ${order.dataDir}`,
    owner: order.owner,
  });
  closers.push(() => {
    lock.release();
  });
  const db = await openDatabase(order.dataDir);
  closers.push(() => db.close());
  failLoudly(db);
  const { migratePglite } = (await import(order.migrate)) as {
    migratePglite: (db: PGlite) => Promise<void>;
  };
  await migratePglite(db);
  const server = new PGLiteSocketServer({
    db,
    host: LOOPBACK,
    port: order.port,
    maxConnections: MAX_CONNECTIONS,
  });
  await server.start();
  closers.push(() => server.stop());
  const port = Number(server.getServerConn().split(':').at(-1));
  await tell({ type: 'listening', port });
}

/**
 * The first start makes the database under another name and renames it: a folder named `ledger` is
 * always a whole one, even when that start was killed in the middle.
 */
async function openDatabase(dataDir: string): Promise<PGlite> {
  const folder = join(dataDir, 'ledger');
  const leftovers = readdirSync(dataDir).filter((name) => name.startsWith('ledger.new-'));
  for (const name of leftovers) rmSync(join(dataDir, name), { recursive: true, force: true });
  if (!existsSync(folder)) {
    const draft = join(dataDir, `ledger.new-${String(process.pid)}`);
    mkdirSync(draft, { recursive: true, mode: 0o700 });
    // Made in memory and copied: half the time of making it on disk.
    const seed = await PGlite.create();
    const loadDataDir = await seed.dumpDataDir('none');
    await seed.close();
    await (await PGlite.create({ dataDir: draft, loadDataDir })).close();
    renameSync(draft, folder);
  }
  return await PGlite.create(folder);
}

/**
 * The socket server stops serving for ever when the database itself breaks (an abort inside
 * WebAssembly; SQL errors are answers, not this). A dead ledger is noticed and started again.
 */
function failLoudly(db: PGlite): void {
  const run = db.execProtocolRawStream.bind(db);
  db.execProtocolRawStream = async (...args) => {
    try {
      await run(...args);
    } catch (error) {
      if (!ending) {
        console.error('The embedded database broke and ends now:', error);
        process.exit(70);
      }
      throw error;
    }
  };
}

/** With its cause: a migration's error says which file, its cause says what is wrong in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${reasonOf(error.cause)}`;
}

function tell(message: LedgerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else
      process.send(message, undefined, undefined, () => {
        resolve();
      });
  });
}

process.on('SIGTERM', () => void end(0));
process.on('SIGINT', () => undefined);
process.on('disconnect', () => void end(0));
// The parent may have died while our modules were loading, before anybody listened.
if (!process.connected) await end(0);

try {
  await serve(JSON.parse(process.argv[2] ?? '{}') as LedgerOrder);
} catch (error) {
  console.error(error);
  await tell({ type: 'failed', reason: reasonOf(error) });
  await end(1);
}
