/**
 * One guard's connection, as server-sent events.
 * GS-1. Nothing waits for a guard without bound: one that does not read is dropped once more than
 *       `bufferBytes` would wait for it, or when something waits for it at two beats in a row.
 * GS-2. Its end is told once, whoever ends it.
 */
export interface GuardStream {
  readonly body: ReadableStream<Uint8Array>;
  /** One event: `data` is JSON on one line. */
  send(event: string, data: unknown): void;
  /** A comment: the connection stands. */
  beat(): void;
  /** In order: what waits is still sent. */
  end(): void;
}

export interface GuardStreamOptions {
  readonly bufferBytes: number;
  /** Ends the connection at once. */
  readonly cut: () => void;
  readonly ended: () => void;
}

export function createGuardStream({ bufferBytes, cut, ended }: GuardStreamOptions): GuardStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let hasWaited = false;
  let isOver = false;

  const over = (): boolean => {
    if (isOver) return false;
    isOver = true;
    ended();
    return true;
  };
  const drop = (): void => {
    if (over()) cut();
  };
  const room = (): number => controller?.desiredSize ?? 0;
  const put = (text: string): void => {
    if (isOver) return;
    const bytes = encoder.encode(text);
    if (bytes.length > room()) drop();
    else controller?.enqueue(bytes);
  };

  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      cancel: () => {
        over();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
  );
  return {
    body,
    send: (event, data) => {
      put(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    beat: () => {
      if (isOver) return;
      const isWaiting = room() < bufferBytes;
      if (isWaiting && hasWaited) {
        drop();
        return;
      }
      hasWaited = isWaiting;
      put(':\n\n');
    },
    end: () => {
      if (over()) controller?.close();
    },
  };
}
