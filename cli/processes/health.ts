/**
 * The two questions of health, for a process that is no gateway: `/healthz`, it lives; `/readyz`,
 * it can do its work. The same paths as a gateway's, so that one check serves every process.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withDeadline } from '../../gateway/deadline.js';

export interface HealthOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly ledger: { ping(): Promise<void> };
  readonly temporal: { ping(): Promise<void> };
  /** A worker without Temporal does nothing; a relay keeps what it cannot send. */
  readonly needsTemporal: boolean;
}

export interface Health {
  /** `http://host:port`. */
  readonly url: string;
  /** Twice is once. */
  stop(): Promise<void>;
}

const PING_MS = 1_500;

/** Rejects when the port is taken, naming it and its setting. */
export async function startHealth(options: HealthOptions): Promise<Health> {
  const { host, port } = options;
  let isStopping = false;
  const readiness = async (): Promise<[status: number, body: object]> => {
    const [isLedgerUp, isTemporalUp] = await Promise.all([
      isUp(() => options.ledger.ping()),
      isUp(() => options.temporal.ping()),
    ]);
    const isReady = isLedgerUp && (isTemporalUp || !options.needsTemporal) && !isStopping;
    const body = {
      status: isReady ? 'ready' : 'not_ready',
      ledger: isLedgerUp ? 'up' : 'down',
      temporal: isTemporalUp ? 'up' : 'down',
    };
    return [isReady ? 200 : 503, body];
  };
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/healthz') answer(response, 200, { status: 'ok' });
    else if (request.url === '/readyz') {
      void readiness().then(([status, body]) => {
        answer(response, status, body);
      });
    } else answer(response, 404, { status: 404, title: 'Only /healthz and /readyz are here' });
  });
  await listen(server, port, host);
  const { port: taken } = server.address() as AddressInfo;
  const stop = (): Promise<void> => {
    isStopping = true;
    return new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${String(taken)}`,
    stop,
  };
}

async function isUp(ping: () => Promise<void>): Promise<boolean> {
  try {
    await withDeadline(ping(), PING_MS, 'The ping');
    return true;
  } catch {
    return false;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const text = `Port ${String(port)} on ${host} is in use: end what listens there, or set KAVACH_PORT`;
      reject(isTaken ? new Error(text, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}
