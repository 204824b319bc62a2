/** Events in memory, as the JSON they are sent as, in their order and within a bound. */

export interface EventQueue {
  /** False: there is no room. */
  push(line: string): boolean;
  /** The first of them: at most so many, and no more characters than one request carries. */
  take(maxLines: number): readonly string[];
  /** Those that could not be sent, to its head; they had room before. */
  putBack(lines: readonly string[]): void;
  size(): number;
}

export interface EventQueueOptions {
  readonly maxEvents: number;
  readonly maxChars: number;
}

/** The gateway takes 16 MiB; a character is at most three bytes. */
const BATCH_CHARS = 4 * 1_048_576;

export function createEventQueue({ maxEvents, maxChars }: EventQueueOptions): EventQueue {
  let lines: string[] = [];
  let chars = 0;
  return {
    push: (line) => {
      if (lines.length >= maxEvents || chars + line.length > maxChars) return false;
      lines.push(line);
      chars += line.length;
      return true;
    },
    take: (maxLines) => {
      let size = 0;
      const over = lines.findIndex((line, at) => {
        size += line.length;
        return at >= maxLines || (at > 0 && size > BATCH_CHARS);
      });
      const taken = lines.splice(0, over < 0 ? lines.length : over);
      chars -= charsOf(taken);
      return taken;
    },
    putBack: (back) => {
      lines = [...back, ...lines];
      chars += charsOf(back);
    },
    size: () => lines.length,
  };
}

function charsOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}
