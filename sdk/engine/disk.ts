/**
 * Files, and which processes live: the only file of the SDK that needs Node. It is loaded when a
 * journal is wanted; where it cannot be, an engine keeps everything in memory and says so.
 * DI-1. What `append`, `replace` and `createOnce` have answered is on the disk (fsync).
 * DI-2. Whole files appear whole: written beside, then named.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

export interface AppendFile {
  readonly bytes: number;
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  readonly host: string;
  join(...parts: readonly string[]): string;
  /** For its owner only. */
  makeFolder(path: string): Promise<void>;
  /** Names, sorted; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  read(path: string): Promise<string | undefined>;
  openAppend(path: string): Promise<AppendFile>;
  replace(path: string, text: string): Promise<void>;
  /** False: there is one already. */
  createOnce(path: string, text: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Of this process; another one, later, with the same number has a different mark. */
  processMark(): Promise<string>;
  /** Whether the process of a mark lives; one that cannot be read counts as living. */
  isAlive(mark: string): Promise<boolean>;
}

export function openDisk(): Disk {
  return {
    host: hostname(),
    join: (...parts) => join(...parts),
    makeFolder: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
    },
    list: async (path) => (await orNothing(readdir(path)))?.sort() ?? [],
    read: (path) => orNothing(readFile(path, 'utf8')),
    openAppend,
    replace: async (path, text) => {
      const draft = await writeDraft(path, text);
      await rename(draft, path);
      await syncFolder(path);
    },
    createOnce,
    rename: async (from, to) => {
      await rename(from, to);
      await syncFolder(to);
    },
    remove: (path) => rm(path, { force: true }),
    processMark: () => markOf(process.pid),
    isAlive: async (mark) => {
      const pid = Number(/^(\d+):/.exec(mark)?.[1]);
      if (!Number.isSafeInteger(pid) || pid < 1) return true;
      if (!hasProcess(pid)) return false;
      return (await markOf(pid)) === mark;
    },
  };
}

/**
 * Where this user's programs keep what outlives them (XDG). Throws where he has no home: a folder
 * that others write to would be no place for a journal.
 */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['XDG_STATE_HOME'] ?? '';
  // A relative one is to be ignored.
  const state = isAbsolute(given) ? given : join(homedir(), '.local', 'state');
  if (!isAbsolute(state)) throw new Error('There is no home folder: name one in journalDir.');
  return join(state, 'agentkavach');
}

async function openAppend(path: string): Promise<AppendFile> {
  const file = await open(path, 'a', 0o600);
  let { size } = await file.stat();
  await syncFolder(path);
  return {
    get bytes() {
      return size;
    },
    append: async (text) => {
      const bytes = Buffer.from(text);
      await file.appendFile(bytes);
      size += bytes.length;
      await file.datasync();
    },
    close: () => file.close(),
  };
}

async function writeDraft(path: string, text: string): Promise<string> {
  const draft = `${path}.${randomUUID()}.draft`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

async function createOnce(path: string, text: string): Promise<boolean> {
  const draft = await writeDraft(path, text);
  try {
    await link(draft, path);
    await syncFolder(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** A new name is on the disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // Windows opens no folders.
  }
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** `pid:start:boot`, the last two where the system tells them (Linux). */
async function markOf(pid: number): Promise<string> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => ''),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
  ]);
  // The name of the program, in parentheses, may hold blanks: the 22nd field counts from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
  return `${String(pid)}:${start}:${boot.trim()}`;
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
