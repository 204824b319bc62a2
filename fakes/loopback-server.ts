/** An HTTP server on loopback that can be closed and opened again on its port. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface LoopbackServer {
  readonly server: Server;
  /** 0 takes a free port; rejects where it is taken. */
  readonly listen: (port: number) => Promise<void>;
  /** Ends the connections that are open, too. */
  readonly close: () => Promise<void>;
}

/** A caller that gave up is no fault of ours: what `handle` rejects with ends its connection. */
export function createLoopbackServer(
  handle: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>,
): LoopbackServer {
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  });
  return {
    server,
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
