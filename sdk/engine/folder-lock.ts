/**
 * A folder that one process has for itself, until it gives it back or dies.
 *
 * Each owner leaves a file `lock-<number>`, one higher than the last; the highest says who owns it.
 * FL-1. Of two that see the same last owner dead, one makes the next file: names are made once.
 * FL-2. The highest file is never removed, so a number that somebody computed long ago is either
 *       taken or lower than one that is there: whoever made it looks again, and has lost.
 */
import type { Disk } from './disk.js';

export interface FolderLock {
  release(): Promise<void>;
}

const NAME = /^lock-(\d{1,12})(\.free)?$/;

interface Owner {
  readonly no: number;
  readonly isFree: boolean;
  readonly name: string;
}

/** Undefined: somebody who lives has it. Rejects where the disk fails. */
export async function lockFolder(disk: Disk, folder: string): Promise<FolderLock | undefined> {
  await disk.makeFolder(folder);
  const last = await lastOwner(disk, folder);
  if (last !== undefined && !last.isFree) {
    const mark = await disk.read(disk.join(folder, last.name));
    // Gone since it was listed: its owner has just ended, and somebody may be faster.
    if (mark === undefined || (await disk.isAlive(mark.trim()))) return undefined;
  }
  const no = (last?.no ?? 0) + 1;
  const file = disk.join(folder, `lock-${String(no)}`);
  if (!(await disk.createOnce(file, `${await disk.processMark()}\n`))) return undefined;
  const now = await owners(disk, folder);
  if (now.some((each) => each.no > no)) {
    await disk.remove(file);
    return undefined;
  }
  for (const each of now) {
    if (each.no < no) await disk.remove(disk.join(folder, each.name));
  }
  return {
    release: () => disk.rename(file, `${file}.free`),
  };
}

/** Whether `name` belongs to the lock. */
export function isLockFile(name: string): boolean {
  return name.startsWith('lock-');
}

async function lastOwner(disk: Disk, folder: string): Promise<Owner | undefined> {
  const [last] = (await owners(disk, folder)).sort((a, b) => b.no - a.no);
  return last;
}

async function owners(disk: Disk, folder: string): Promise<Owner[]> {
  return (await disk.list(folder)).flatMap((name) => {
    const found = NAME.exec(name);
    if (found === null) return [];
    return { name, no: Number(found[1]), isFree: found[2] !== undefined };
  });
}
