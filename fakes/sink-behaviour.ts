/** How the sink misbehaves: one of these is used up by each request that meets a script. */
import type { ServerResponse } from 'node:http';
import type { Answer } from './sink-providers.js';

export type Behaviour =
  /** As the provider would. */
  | { readonly type: 'ok' }
  /** Refused: the provider has not taken it. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** An error page, as of a proxy. */
  | { readonly type: 'html'; readonly status?: number }
  /** Taken, but 200 with something that is no answer. */
  | { readonly type: 'junk'; readonly body?: string }
  /** Taken, and then silence, before the first byte or inside the body. */
  | { readonly type: 'hang'; readonly at: 'headers' | 'body' }
  /** Taken, and the answer comes one byte at a time. */
  | { readonly type: 'drip'; readonly everyMs: number }
  /**
   * The connection is cut: before the request's body was read (not taken), after it (taken, not
   * answered), or inside the answer's body (taken).
   */
  | { readonly type: 'reset'; readonly at: 'request' | 'answer' | 'body' }
  /** Taken, and answered with so many bytes; `Infinity` never ends. */
  | { readonly type: 'huge'; readonly bytes?: number; readonly status?: number };

/** True where the provider processed the message, whatever its sender got to see. */
export function isTaken(behaviour: Behaviour): boolean {
  switch (behaviour.type) {
    case 'status':
      return behaviour.status >= 200 && behaviour.status < 300;
    case 'html':
      return false;
    case 'huge':
      return (behaviour.status ?? 200) < 300;
    case 'reset':
      return behaviour.at !== 'request';
    case 'ok':
    case 'junk':
    case 'hang':
    case 'drip':
      return true;
  }
}

/** The status line the sender gets to see, if any. */
export function statusOf(behaviour: Behaviour, answer: Answer): number | undefined {
  switch (behaviour.type) {
    case 'status':
      return behaviour.status;
    case 'html':
      return behaviour.status ?? 502;
    case 'junk':
      return 200;
    case 'huge':
      return behaviour.status ?? 200;
    case 'hang':
      return behaviour.at === 'body' ? answer.status : undefined;
    case 'reset':
      return behaviour.at === 'body' ? answer.status : undefined;
    case 'ok':
    case 'drip':
      return answer.status;
  }
}

/** Answers, or does not. `answer` is what the provider would have said. */
export function perform(behaviour: Behaviour, response: ServerResponse, answer: Answer): void {
  switch (behaviour.type) {
    case 'ok':
      send(response, answer);
      return;
    case 'status':
      send(response, { headers: {}, body: '', ...behaviour });
      return;
    case 'html':
      send(response, {
        status: behaviour.status ?? 502,
        headers: { 'content-type': 'text/html' },
        body: '<html><body><h1>Bad gateway</h1></body></html>',
      });
      return;
    case 'junk':
      send(response, { ...answer, status: 200, body: behaviour.body ?? '<html>welcome</html>' });
      return;
    case 'hang':
      if (behaviour.at === 'body') beginBody(response, answer);
      return;
    case 'drip':
      drip(response, answer, behaviour.everyMs);
      return;
    case 'reset':
      if (behaviour.at === 'body') beginBody(response, answer, () => response.destroy());
      else response.destroy();
      return;
    case 'huge':
      response.writeHead(behaviour.status ?? 200, { 'content-type': 'text/plain' });
      flood(response, behaviour.bytes ?? 10 * 1_048_576);
  }
}

function flood(response: ServerResponse, bytes: number): void {
  const chunk = Buffer.alloc(65_536, 'x');
  let left = bytes;
  const pour = (): void => {
    while (left > 0 && !response.destroyed) {
      const isRoom = response.write(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
      if (!isRoom) return void response.once('drain', pour);
    }
    response.end();
  };
  pour();
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

/** Promises more than it sends. */
function beginBody(response: ServerResponse, answer: Answer, then = (): void => undefined): void {
  const length = String(answer.body.length + 100);
  response.writeHead(answer.status, { ...answer.headers, 'content-length': length });
  response.write(answer.body.slice(0, 1), then);
}

function drip(response: ServerResponse, { status, headers, body }: Answer, everyMs: number): void {
  response.writeHead(status, headers);
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.charAt(sent) || ' ');
    sent += 1;
    // A body without an end in sight: only the sender's own time-out ends it.
    if (sent > 10_000) response.end();
  }, everyMs);
  response.once('close', () => {
    clearInterval(timer);
  });
}
