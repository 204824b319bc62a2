/**
 * What never becomes a request (headers too large, no HTTP, too slow) is answered as a problem,
 * too, where there is still somebody to answer.
 */
import { STATUS_CODES, type Server } from 'node:http';
import type { Logger } from './options.js';
import { problemResponse, type ProblemInit } from './problem.js';

/** Ends the connection in each case: what follows on it cannot be told apart. */
export function answerClientErrors(server: Server, newId: () => string, log: Logger): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const requestId = newId();
    const init = problemOf(error.code);
    log.info({ requestId, status: init.status, cause: error.code }, 'no request');
    void problemText(init, requestId).then((text) => socket.end(text));
  });
}

function problemOf(code: string | undefined): ProblemInit {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        title: 'Headers too large',
        detail: 'The request line and its headers may have 16 KiB together: send shorter ones.',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        title: 'Too slow',
        detail: 'The request did not arrive in time: send it again.',
      };
    case undefined:
    default:
      return { status: 400, title: 'No request', detail: 'This is no HTTP/1.1 request.' };
  }
}

/** A whole HTTP answer, for a connection that nobody parses. */
export async function problemText(init: ProblemInit, requestId: string): Promise<string> {
  const response = problemResponse(init, requestId);
  const body = await response.text();
  const status = `${String(init.status)} ${STATUS_CODES[init.status] ?? ''}`;
  return [
    `HTTP/1.1 ${status}`,
    'content-type: application/problem+json',
    `content-length: ${String(Buffer.byteLength(body))}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
