/**
 * The way in for sockets: `GET /v1/push?ticket=…` with `Upgrade: websocket`. Whoever has no valid
 * ticket is answered over HTTP and holds nothing here.
 *
 * PUP-1. A ticket is used up by the first request that brings it, whatever becomes of the socket.
 * PUP-2. An upgrade to anything else is no business of ours: the request goes on as if it had not
 *        been asked for (RFC 9110 §7.8); some clients ask for HTTP/2 that way with each request.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { PushLedger, PushSession } from '../../ledger/ledger.js';
import { hashApiKey } from '../api-key.js';
import { problemText } from '../client-error.js';
import type { Logger } from '../options.js';
import type { ProblemInit } from '../problem.js';
import type { PushHub } from './hub.js';
import type { PushPolicy } from './policy.js';

export const PUSH_PATH = '/v1/push';

export interface PushUpgradeOptions {
  readonly hub: PushHub;
  readonly ledger: Pick<PushLedger, 'redeemPushTicket'>;
  readonly policy: PushPolicy;
  readonly gateway: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  readonly isDraining: () => boolean;
  readonly retryAfterS: number;
}

export function answerUpgrades(server: Server, options: PushUpgradeOptions): void {
  const { hub, ledger, policy, gateway, log, now, newId } = options;
  const accepting = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
    maxPayload: policy.frameBytes,
  });
  /** Tickets that are being asked for: they count as sockets. */
  let opening = 0;

  const session = async (request: IncomingMessage): Promise<PushSession | ProblemInit> => {
    const [path = '', query] = (request.url ?? '').split('?', 2);
    if (path !== PUSH_PATH) return notHere(path);
    if (options.isDraining() || hub.size() + opening >= policy.maxSockets) {
      return full(options.retryAfterS);
    }
    const ticket = new URLSearchParams(query).get('ticket') ?? '';
    if (!/^[\w-]{20,100}$/.test(ticket)) return NO_TICKET;
    opening += 1;
    try {
      const wanted = { id: randomUUID(), gateway };
      const { devices } = policy;
      const redeemed = await ledger.redeemPushTicket(hashApiKey(ticket), wanted, devices, now());
      if (redeemed.type === 'opened') return redeemed.session;
      return redeemed.type === 'full' ? tooMany(devices) : NO_TICKET;
    } catch (error) {
      log.error({ cause: error instanceof Error ? error.name : 'unknown' }, 'push: no session');
      return full(options.retryAfterS);
    } finally {
      opening -= 1;
    }
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const requestId = newId();
    const opened = await session(request);
    const status = 'status' in opened ? opened.status : 101;
    log.info({ requestId, method: 'GET', path: PUSH_PATH, status }, 'request');
    if ('status' in opened) {
      socket.end(await problemText(opened, requestId));
      return;
    }
    let isAccepted = false;
    socket.once('close', () => {
      if (!isAccepted) hub.release(opened);
    });
    if (socket.destroyed) {
      hub.release(opened);
      return;
    }
    accepting.handleUpgrade(request, socket, head, (accepted) => {
      isAccepted = true;
      hub.add(accepted, opened);
    });
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      goOn(server, request, socket, head);
      return;
    }
    socket.on('error', () => undefined);
    upgrade(request, socket, head).catch(() => socket.destroy());
  });
}

const HOP_BY_HOP = new Set(['connection', 'upgrade', 'http2-settings']);

/** PUP-2. The same bytes without the wish, to be read anew. */
function goOn(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1] ?? ''}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const NO_TICKET: ProblemInit = {
  status: 401,
  title: 'Unauthorized',
  detail:
    'This ticket is unknown, too old, or was used: ask POST /v1/push/tickets for another one.',
};

function tooMany(devices: number): ProblemInit {
  return {
    status: 429,
    title: 'Too many devices',
    detail: `This person has ${String(devices)} connections already: close one of them.`,
    headers: { 'retry-after': '60' },
  };
}

function full(retryAfterS: number): ProblemInit {
  return {
    status: 503,
    title: 'Unavailable',
    detail: 'This gateway takes no connection right now: try again.',
    headers: { 'retry-after': String(retryAfterS) },
  };
}

function notHere(path: string): ProblemInit {
  return {
    status: 404,
    title: 'Not found',
    detail: `There is no WebSocket at ${path.slice(0, 200)}: use ${PUSH_PATH}.`,
  };
}
