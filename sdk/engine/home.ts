/**
 * What a guard has on disk: `<journal>/<host, gateway, key and agent, hashed>/<slot>/` with the id
 * of its holder, its journal and its spool. Without a disk the same in memory.
 *
 * HO-1. A slot is one process's at a time (folder-lock.ts); processes of one agent take the first
 *       that is free, so a restart finds what its predecessor left.
 * HO-2. What other slots were left with, their processes being dead, is taken over: their events
 *       are sent and their leases ended by the next guard that starts.
 * HO-3. Events go only under the key, and to the gateway, that they were made for.
 */
import type { HolderRecord } from '../../domain/lease/events.js';
import { sha256Hex } from '../../domain/hash.js';
import { causeOf } from './cause.js';
import type { Disk } from './disk.js';
import { lockFolder, type FolderLock } from './folder-lock.js';
import { openJournal, type Journal } from './journal.js';
import { randomId } from './random-id.js';
import { openSpool, type Spool } from './spool.js';
import type { Logger } from './surroundings.js';

export interface Home {
  /** L4. Stable where there is a disk. */
  readonly holder: string;
  /** What the last process of this holder wrote. */
  readonly record?: HolderRecord;
  /** Absent: in memory only. */
  readonly journal?: Journal;
  readonly spool?: Spool;
  readonly left: readonly LeftSlot[];
  close(): Promise<void>;
}

/** A dead process's slot, held until its leases are ended. */
export interface LeftSlot {
  readonly record: HolderRecord;
  readonly journal: Journal;
  release(): Promise<void>;
}

export interface HomeOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly endpoint: string;
  readonly apiKey: string;
  readonly agentName: string;
  readonly logger: Logger;
  readonly maxSpoolBytes?: number;
}

const SLOTS = 64;
const SPOOL_BYTES = 64 * 1_048_576;
const SPOOL_EVENTS = 512;

export function memoryHome(): Home {
  return { holder: `m-${randomId()}`, left: [], close: () => Promise.resolve() };
}

/** Rejects where the disk fails, or every slot is taken. */
export async function openHome(options: HomeOptions): Promise<Home> {
  const { disk, logger } = options;
  const folder = disk.join(options.dir, folderOf(options));
  const { slot, lock } = await takeSlot(disk, folder);
  try {
    const path = disk.join(folder, String(slot));
    const holder = await holderOf(disk, path);
    const { journal, record } = await openJournal(disk, disk.join(path, 'journal'));
    const left = await takeLeft(options, folder, slot);
    const spool = await openSpool({
      ...{ disk, folder: disk.join(path, 'spool'), maxEvents: SPOOL_EVENTS },
      maxBytes: options.maxSpoolBytes ?? SPOOL_BYTES,
      onDamage: (lines) => {
        logger.warn({ lines }, 'events on disk were damaged and cannot be sent');
      },
    });
    const close = async (): Promise<void> => {
      await journal.close();
      await spool.close();
      await lock.release();
    };
    return {
      ...{ holder, journal, spool, left, close },
      // Another holder's would be ended under the wrong name.
      ...(record?.holder === holder ? { record } : {}),
    };
  } catch (error) {
    await lock.release().catch(() => undefined);
    throw error;
  }
}

/** HO-3. A hash says nothing of the key. */
function folderOf({ disk, endpoint, apiKey, agentName }: HomeOptions): string {
  return sha256Hex([disk.host, endpoint, apiKey, agentName].join('\n')).slice(0, 32);
}

async function takeSlot(
  disk: Disk,
  folder: string,
): Promise<{ readonly slot: number; readonly lock: FolderLock }> {
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const lock = await lockFolder(disk, disk.join(folder, String(slot)));
    if (lock !== undefined) return { slot, lock };
  }
  throw new Error(`All ${String(SLOTS)} places of the journal are taken: name another folder.`);
}

async function holderOf(disk: Disk, path: string): Promise<string> {
  const file = disk.join(path, 'holder');
  const known = (await disk.read(file))?.trim();
  if (known !== undefined && /^[A-Za-z0-9._:-]{1,100}$/.test(known)) return known;
  const made = `h-${randomId()}`;
  await disk.replace(file, `${made}\n`);
  return made;
}

/** HO-2. What fails here waits for the next start. */
async function takeLeft(
  options: HomeOptions,
  folder: string,
  own: number,
): Promise<readonly LeftSlot[]> {
  const { disk, logger } = options;
  const left: LeftSlot[] = [];
  for (const name of await disk.list(folder)) {
    if (!/^\d{1,3}$/.test(name) || name === String(own)) continue;
    try {
      const taken = await takeOne(disk, disk.join(folder, name), disk.join(folder, String(own)));
      if (taken !== undefined) left.push(taken);
    } catch (error) {
      logger.warn({ cause: causeOf(error) }, 'a slot of the journal cannot be read');
    }
  }
  return left;
}

async function takeOne(disk: Disk, slot: string, own: string): Promise<LeftSlot | undefined> {
  const spooled = await disk.list(disk.join(slot, 'spool'));
  const hasJournal = ((await disk.read(disk.join(slot, 'journal'))) ?? '') !== '';
  if (spooled.length === 0 && !hasJournal) return undefined;
  const lock = await lockFolder(disk, slot);
  if (lock === undefined) return undefined;
  await moveEvents(disk, disk.join(slot, 'spool'), disk.join(own, 'spool'));
  const { journal, record } = await openJournal(disk, disk.join(slot, 'journal'));
  const release = async (): Promise<void> => {
    await journal.close();
    await lock.release();
  };
  if (record !== undefined && record.leases.length > 0) return { record, journal, release };
  await release();
  return undefined;
}

async function moveEvents(disk: Disk, from: string, to: string): Promise<void> {
  await disk.makeFolder(to);
  const numbers = (await disk.list(to)).map((name) => Number(/^events-(\d+)/.exec(name)?.[1] ?? 0));
  let last = Math.max(0, ...numbers);
  for (const name of await disk.list(from)) {
    if (!/^events-\d+\.jsonl$/.test(name)) continue;
    last += 1;
    await disk.rename(disk.join(from, name), disk.join(to, `events-${String(last)}.jsonl`));
  }
}
