/**
 * Events that wait on the disk while the gateway is away.
 *
 * Segments of at most one batch, one event a line; a segment goes when its batch is stored.
 * SP-1. What `put` has taken survives the process, and is sent with the keys it was made with: a
 *       segment that was sent and not removed is sent again, and counts once (B5).
 * SP-2. It never grows past its bound; what does not fit is refused, not silently lost.
 * SP-3. A line that is damaged costs that line.
 */
import type { AppendFile, Disk } from './disk.js';

export interface Spool {
  /** Events in it. */
  waiting(): number;
  /** Takes the first so many, on the disk when it answers; the answer is how many. */
  put(lines: readonly string[]): Promise<number>;
  /** The oldest batch; it stays until `remove`. Undefined: nothing waits. */
  first(): Promise<SpooledBatch | undefined>;
  close(): Promise<void>;
}

export interface SpooledBatch {
  /** Each the JSON of one event. */
  readonly lines: readonly string[];
  remove(): Promise<void>;
}

export interface SpoolOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly maxBytes: number;
  /** Of one segment. */
  readonly maxEvents: number;
  /** Lines that were damaged, and passed over. */
  readonly onDamage: (lines: number) => void;
}

interface Segment {
  readonly no: number;
  readonly path: string;
  lines: number;
  bytes: number;
  file?: AppendFile;
}

const NAME = /^events-(\d{1,12})\.jsonl$/;

/** Finds what a former process left. Rejects where the disk fails. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { disk, folder, maxBytes, maxEvents } = options;
  await disk.makeFolder(folder);
  const segments = await findSegments(disk, folder);
  let last = segments.at(-1)?.no ?? 0;
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  const used = (): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

  /** The one that is being written: segments of a former process are left as they are. */
  const openSegment = async (): Promise<Segment & { file: AppendFile }> => {
    const newest = segments.at(-1);
    if (newest?.file !== undefined && newest.lines < maxEvents) {
      return newest as Segment & { file: AppendFile };
    }
    await newest?.file?.close();
    if (newest !== undefined) delete newest.file;
    last += 1;
    const path = disk.join(folder, `events-${String(last)}.jsonl`);
    const made = { no: last, path, lines: 0, bytes: 0, file: await disk.openAppend(path) };
    segments.push(made);
    return made;
  };

  const put = async (lines: readonly string[]): Promise<number> => {
    let taken = 0;
    while (taken < lines.length) {
      const room = maxBytes - used();
      const segment = await openSegment();
      const text = fitting(lines.slice(taken, taken + maxEvents - segment.lines), room);
      if (text.length === 0) break;
      const before = segment.file.bytes;
      await segment.file.append(text.map((line) => `${line}\n`).join(''));
      segment.bytes += segment.file.bytes - before;
      segment.lines += text.length;
      taken += text.length;
    }
    return taken;
  };

  const first = async (): Promise<SpooledBatch | undefined> => {
    for (let oldest = segments[0]; oldest !== undefined; oldest = segments[0]) {
      // From here on nothing is added to it.
      await oldest.file?.close();
      delete oldest.file;
      const { lines, damaged } = readLines((await disk.read(oldest.path)) ?? '');
      if (damaged > 0) options.onDamage(damaged);
      oldest.lines = lines.length;
      const segment = oldest;
      const remove = async (): Promise<void> => {
        const at = segments.indexOf(segment);
        if (at >= 0) segments.splice(at, 1);
        await disk.remove(segment.path);
      };
      if (lines.length > 0) return { lines, remove: () => inTurn(remove) };
      await remove();
    }
    return undefined;
  };

  return {
    waiting: () => segments.reduce((sum, { lines }) => sum + lines, 0),
    put: (lines) => inTurn(() => put(lines)),
    first: () => inTurn(first),
    close: () =>
      inTurn(async () => {
        for (const segment of segments) {
          await segment.file?.close();
          delete segment.file;
        }
      }),
  };
}

async function findSegments(disk: Disk, folder: string): Promise<Segment[]> {
  const found: Segment[] = [];
  for (const name of await disk.list(folder)) {
    const no = Number(NAME.exec(name)?.[1]);
    if (!Number.isSafeInteger(no)) continue;
    const path = disk.join(folder, name);
    const text = (await disk.read(path)) ?? '';
    found.push({ no, path, lines: readLines(text).lines.length, bytes: text.length });
  }
  return found.sort((a, b) => a.no - b.no);
}

/** SP-3. The last line of a process that was killed may end anywhere. */
function readLines(text: string): { readonly lines: readonly string[]; readonly damaged: number } {
  const all = text.split('\n').filter((line) => line !== '');
  const lines = all.filter(isEvent);
  return { lines, damaged: all.length - lines.length };
}

function isEvent(line: string): boolean {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === 'object' && event !== null && 'idempotency_key' in event;
  } catch {
    return false;
  }
}

/** The first ones that are no more than so many bytes; a character is at most three. */
function fitting(lines: readonly string[], room: number): readonly string[] {
  let bytes = 0;
  const over = lines.findIndex((line) => {
    bytes += line.length * 3 + 1;
    return bytes > room;
  });
  return over < 0 ? lines : lines.slice(0, over);
}
