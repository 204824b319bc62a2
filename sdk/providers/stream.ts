/**
 * A provider's stream, followed on its way to its caller: the same object to him, chunks that the
 * guard asked for left out.
 * SM-1. However it ends, `end` is told, once it is known to have ended: read to its end, left in
 *       the middle, broken, aborted, or forgotten unread.
 */
import type { StreamReader } from './dialect.js';
import { isFields } from './measure.js';

/** What the clients' streams are, as far as it is used here. */
interface ClientStream extends AsyncIterable<unknown> {
  readonly controller?: unknown;
}

/** `end` may be called more than once. Must not hold the stream: it is told when that is gone. */
export function followStream(source: ClientStream, reader: StreamReader, end: () => void): unknown {
  async function* read(): AsyncGenerator<unknown, void> {
    try {
      for await (const chunk of source) if (reader.see(chunk)) yield chunk;
    } finally {
      end();
    }
  }
  const { controller } = source;
  if (controller instanceof AbortController) {
    controller.signal.addEventListener('abort', end, { once: true });
  }
  const followed = likeSource(source, controller, read);
  forgotten.register(followed, end);
  return followed;
}

export function isStream(value: unknown): value is ClientStream {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A stream that nobody reads and nobody holds any more. */
const forgotten = new FinalizationRegistry<() => void>((end) => {
  end();
});

type StreamClass = new (iterator: () => AsyncIterator<unknown>, controller: unknown) => object;

/** Of the client's own class, whose `tee` and `toReadableStream` read what it is given. */
function likeSource(
  source: ClientStream,
  controller: unknown,
  read: () => AsyncGenerator<unknown, void>,
): object {
  if (controller instanceof AbortController && 'tee' in source) {
    return new (source.constructor as StreamClass)(read, controller);
  }
  return new Proxy(source, {
    get(target, name) {
      if (name === Symbol.asyncIterator) return read;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What a client's promise gives, with its response where it shows it. */
export async function answerOf(pending: unknown): Promise<{
  readonly data: unknown;
  readonly response?: unknown;
  readonly request_id?: unknown;
}> {
  if (typeof pending === 'object' && pending !== null && 'withResponse' in pending) {
    const answer = await (pending as { withResponse(): Promise<unknown> }).withResponse();
    if (isFields(answer)) return { data: undefined, ...answer };
  }
  return { data: await pending };
}
