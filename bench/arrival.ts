/** When an alert reached the sink: the clock's end of every crossing. */
import type { Sink, SinkRequest } from '../fakes/sink.js';

const WITHIN_MS = 15_000;

/** Epoch ms at which the next request for a path, or below it, came in; rejects after 15 s. */
export function arrival(sink: Sink, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      off();
      reject(new Error(`Nothing came to ${path} within ${String(WITHIN_MS)} ms`));
    }, WITHIN_MS);
    const off = sink.onRequest((request: SinkRequest) => {
      if (!request.path.startsWith(path)) return;
      clearTimeout(timer);
      off();
      resolve(request.at);
    });
  });
}
