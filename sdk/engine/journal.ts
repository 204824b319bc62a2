/**
 * What a holder may have spent, on disk before it may (L4). One record a line, the last one counts.
 * JO-1. A record that was answered is on the disk; one that was cut off by a crash was not answered,
 *       and the one before it holds.
 * JO-2. The file is written anew when it is opened, and when it has grown.
 */
import type { HolderRecord } from '../../domain/lease/events.js';
import type { Amounts } from '../../domain/lease/amounts.js';
import type { AppendFile, Disk } from './disk.js';

export interface Journal {
  /** Rejects where the disk fails; what was written before holds. */
  write(record: HolderRecord): Promise<void>;
  close(): Promise<void>;
}

const GROWN_BYTES = 64 * 1024;

/** The last record, and where the next ones go. Rejects where the disk fails. */
export async function openJournal(
  disk: Disk,
  path: string,
): Promise<{ readonly journal: Journal; readonly record?: HolderRecord }> {
  const record = lastRecord((await disk.read(path)) ?? '');
  let file: AppendFile | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** JO-2. Behind a line that was cut off nothing could be read. */
  const writeAnew = async (whole: HolderRecord | undefined): Promise<void> => {
    await file?.close();
    file = undefined;
    await disk.replace(path, whole === undefined ? '' : lineOf(whole));
    file = await disk.openAppend(path);
  };
  const write = async (next: HolderRecord): Promise<void> => {
    if (file === undefined || file.bytes > GROWN_BYTES) await writeAnew(next);
    else {
      const whole = file;
      try {
        await whole.append(lineOf(next));
      } catch (error) {
        // Half a line may stand there now.
        file = undefined;
        throw error;
      }
    }
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  await writeAnew(record);
  const journal: Journal = {
    write: (next) => inTurn(() => write(next)),
    close: () =>
      inTurn(async () => {
        await file?.close();
        file = undefined;
      }),
  };
  return record === undefined ? { journal } : { journal, record };
}

function lineOf(record: HolderRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function lastRecord(text: string): HolderRecord | undefined {
  for (const line of text.split('\n').reverse()) {
    if (line === '') continue;
    const record = readRecord(line);
    if (record !== undefined) return record;
  }
  return undefined;
}

function readRecord(line: string): HolderRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is HolderRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { holder, agent, n, leases } = value as Partial<Record<keyof HolderRecord, unknown>>;
  return (
    typeof holder === 'string' &&
    typeof agent === 'string' &&
    isCount(n) &&
    Array.isArray(leases) &&
    leases.every(isMarkedLease)
  );
}

function isMarkedLease(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, mark } = value as { readonly id?: unknown; readonly mark?: Partial<Amounts> };
  return (
    typeof id === 'string' && isCount(mark?.cost) && isCount(mark.tokens) && isCount(mark.calls)
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
