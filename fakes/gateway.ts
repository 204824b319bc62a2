/**
 * A Kavach gateway as a guard sees it, for tests of guards: sync-config, runs, ingest, leases and
 * the live channel over real sockets, with one budget in memory. It misbehaves as it is told.
 *
 * FG-1. What it has taken it has taken, whatever its sender got to see: a lost reply is a reply.
 * FG-2. An event counts once by its key; it settles its lease. The same (holder, n) gets the same
 *       answer, byte for byte.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { createGatewayBook, type GatewayBook, type GatewayLimits } from './gateway-book.js';
import { createLoopbackServer } from './loopback-server.js';

export type Misbehaviour =
  /** Not taken. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** Taken, and no answer: the connection is cut. */
  | { readonly type: 'lost' }
  /** Taken, and no answer, ever. */
  | { readonly type: 'hang' }
  /** Taken, and answered with what is no answer. */
  | { readonly type: 'junk'; readonly status?: number; readonly text?: string }
  /** Taken, and answered when `until` resolves. */
  | { readonly type: 'late'; readonly until: Promise<void> };

export interface GatewayRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  readonly at: number;
}

export interface FakeGateway {
  readonly url: string;
  readonly requests: readonly GatewayRequest[];
  readonly book: GatewayBook;
  /** Used up in order, one a request of that path (`/v1/ingest`; a run's is `/v1/runs`). */
  script(path: string, behaviours: readonly Misbehaviour[]): void;
  /** As long as it stands, every request of that path meets it. */
  always(path: string, behaviour: Misbehaviour | undefined): void;
  /** How many guards listen. */
  listeners(): number;
  /** To every guard that listens. */
  say(event: string, data: unknown): void;
  /** A person's Stop, and its end: told on the channel, and in what is answered. */
  stop(why: string): void;
  resume(): void;
  /** The network is cut, or is there again. */
  refuse(): Promise<void>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export interface FakeGatewayOptions {
  readonly limits?: GatewayLimits;
  readonly apiKey?: string;
  /** Between two comments of the channel, ms. @default none */
  readonly beatMs?: number;
}

export async function startFakeGateway(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
  const book = createGatewayBook(options.limits);
  const requests: GatewayRequest[] = [];
  const scripts = new Map<string, Misbehaviour[]>();
  const standing = new Map<string, Misbehaviour>();
  const streams = new Set<ServerResponse>();

  const say = (event: string, data: unknown): void => {
    for (const stream of streams) {
      stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  };

  const answerOf = (path: string, body: GatewayRequest['body']): readonly [number, object] => {
    if (path === '/v1/sync-config') {
      return [200, { status: 'ok', changed: false, warnings: [], ...book.standing() }];
    }
    if (path === '/v1/runs') return book.takeRun(body);
    if (path === '/v1/ingest') return book.takeEvents(body);
    if (path === '/v1/leases') return book.ask(body);
    if (path === '/v1/leases/close') return book.close(body);
    return [404, { detail: 'no such path' }];
  };

  const listen = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    streams.add(response);
    const { stopped = null, killed = null } = book.standing();
    response.write(`event: standing\ndata: ${JSON.stringify({ stopped, killed })}\n\n`);
    const beat = setInterval(() => response.write(':\n\n'), options.beatMs ?? 2 ** 30);
    beat.unref();
    response.once('close', () => {
      clearInterval(beat);
      streams.delete(response);
    });
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const body = await readBody(incoming);
    const name = (url.split('?')[0] ?? '').replace(/^\/v1\/runs\/.*/, '/v1/runs');
    requests.push({
      ...{ method, path: url, body, at: Date.now() },
      authorization: headers.authorization,
    });
    const behaviour = scripts.get(name)?.shift() ?? standing.get(name);
    if (behaviour?.type === 'status') {
      send(response, behaviour.status, behaviour.body ?? {}, behaviour.headers);
      return;
    }
    if (options.apiKey !== undefined && headers.authorization !== `Bearer ${options.apiKey}`) {
      send(response, 401, { detail: 'unknown key' });
      return;
    }
    if (name === '/v1/guard' && behaviour === undefined) {
      listen(response);
      return;
    }
    const [status, answer] = answerOf(name, body);
    if (behaviour?.type === 'lost') response.destroy();
    else if (behaviour?.type === 'junk') {
      response.writeHead(behaviour.status ?? 200, { 'content-type': 'text/html' });
      response.end(behaviour.text ?? '<html>welcome</html>');
    } else if (behaviour?.type !== 'hang') {
      await behaviour?.until;
      send(response, status, answer);
    }
  };

  const { server, listen: open, close } = createLoopbackServer(handle);
  const stand = (): void => {
    const { stopped = null, killed = null } = book.standing();
    say('standing', { stopped, killed });
  };

  await open(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    ...{ requests, book, say },
    script: (path, behaviours) => {
      scripts.set(path, [...(scripts.get(path) ?? []), ...behaviours]);
    },
    always: (path, behaviour) => {
      if (behaviour === undefined) standing.delete(path);
      else standing.set(path, behaviour);
    },
    listeners: () => streams.size,
    stop: (why) => {
      book.stop(why);
      stand();
    },
    resume: () => {
      book.resume();
      stand();
    },
    refuse: close,
    reopen: () => open(port),
    close,
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function readBody(incoming: IncomingMessage): Promise<GatewayRequest['body']> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const text = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  return text.length === 0 ? {} : (JSON.parse(text.toString('utf8')) as GatewayRequest['body']);
}
