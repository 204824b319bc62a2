/** A client of push that remembers all it was told, for tests. */
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly [member: string]: unknown;
}

export interface PushClient {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  /** Code and reason of its end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  of(type: string): readonly Frame[];
  ack(id: string): void;
}

/** Resolves when it is open; rejects with the HTTP status where it was not let in. */
export async function openPush(url: string, path: string): Promise<PushClient> {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path);
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString('utf8')) as Frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
    });
  });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.terminate();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`HTTP ${String(response.statusCode)}`));
    });
    socket.once('error', reject);
  });
  return {
    ...{ socket, frames, closed },
    of: (type) => frames.filter((frame) => frame.type === type),
    ack: (id) => {
      socket.send(JSON.stringify({ type: 'ack', id }));
    },
  };
}
