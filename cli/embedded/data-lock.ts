/**
 * One owner per piece of data on disk: a lock file that names the process using it.
 * D1. A lock of a dead process is stale and is taken over; a pid that was given to another process
 *     since is recognised by its start time (Linux).
 * D2. A holder whose owner died is on its way out (guarded-child G1): it is waited for.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

interface LockRecord {
  /** The process that uses the data, and the one that started it and answers for it. */
  readonly holder: ProcessMark;
  readonly owner: ProcessMark;
}

interface ProcessMark {
  readonly pid: number;
  /** Clock ticks since boot; undefined where the system does not tell. */
  readonly started?: string;
}

export interface DataLock {
  /** Names the child that uses the data from now on. */
  setHolder(pid: number): void;
  release(): void;
}

export interface LockOrder {
  readonly file: string;
  /** What is locked, as the error says it: `the ledger in /x/.kavach`. */
  readonly what: string;
  /** Pid that answers for the holder; default this process. */
  readonly owner?: number;
  /** Waits for a living owner too; told once, then every second. */
  readonly onWait?: (holderPid: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How long an orphaned holder may take to end (the guard's grace and some). */
const ORPHAN_WAIT_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** Takes the lock, or throws an error naming the process that has it. */
export async function lockData(order: LockOrder): Promise<DataLock> {
  const owner = mark(order.owner ?? process.pid);
  const mine = JSON.stringify({ holder: mark(process.pid), owner } satisfies LockRecord);
  const orphanUntil = Date.now() + ORPHAN_WAIT_MS;
  let toldAt = 0;
  while (!place(order.file, mine)) {
    order.signal?.throwIfAborted();
    const text = read(order.file);
    if (text === undefined) continue;
    const record = parse(text);
    if (record === undefined || !isAlive(record.holder)) {
      clear(order.file, text);
      continue;
    }
    const { pid } = record.holder;
    const owned = isAlive(record.owner);
    if (owned && order.onWait === undefined) throw new Error(inUse(order, pid, record.owner.pid));
    if (!owned && Date.now() > orphanUntil) throw new Error(inUse(order, pid, pid));
    if (owned && Date.now() - toldAt >= 1_000) {
      toldAt = Date.now();
      order.onWait?.(pid);
    }
    await delay(LOOK_EVERY_MS);
  }
  let current = mine;
  return {
    setHolder: (pid) => {
      const next = JSON.stringify({ holder: mark(pid), owner } satisfies LockRecord);
      const draft = draftOf(order.file);
      writeFileSync(draft, next);
      renameSync(draft, order.file);
      current = next;
    },
    release: () => {
      if (read(order.file) === current) rmSync(order.file, { force: true });
    },
  };
}

function inUse(order: LockOrder, holder: number, owner: number): string {
  return (
    `${order.what} is in use by process ${String(holder)} (started by ${String(owner)}): ` +
    `stop that one, or choose another data folder. The lock is ${order.file}`
  );
}

/** Linking a finished file makes it appear whole, and fails when there is one already. */
function place(file: string, content: string): boolean {
  const draft = draftOf(file);
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes a stale lock. When another start was faster and this is its fresh lock, puts it back. */
function clear(file: string, stale: string): void {
  const aside = `${draftOf(file)}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const taken = read(aside);
  if (taken !== undefined && taken !== stale) place(file, taken);
  rmSync(aside, { force: true });
}

function draftOf(file: string): string {
  return `${file}.${String(process.pid)}`;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): LockRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockRecord>;
    if (typeof value.holder?.pid !== 'number' || typeof value.owner?.pid !== 'number')
      return undefined;
    return { holder: value.holder, owner: value.owner };
  } catch {
    return undefined;
  }
}

function mark(pid: number): ProcessMark {
  const started = stat(pid)?.started;
  return started === undefined ? { pid } : { pid, started };
}

function isAlive({ pid, started }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = stat(pid);
  // A zombie holds nothing any more, but still answers to signals.
  if (now?.state === 'Z' || now?.state === 'X') return false;
  return started === undefined || now === undefined || now.started === started;
}

function stat(pid: number): { state: string | undefined; started: string | undefined } | undefined {
  const text = read(`/proc/${String(pid)}/stat`);
  if (text === undefined) return undefined;
  // The command's name is in brackets and may hold anything: the fields count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], started: fields[19] };
}
