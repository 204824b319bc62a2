/** The gateway of push-process.ts, from outside; and the devices of people that connect to it. */
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { bareEnvironment, spawnGuarded } from '../cli/embedded/guarded-child.js';
import { untilReady } from '../cli/embedded/start-up.js';
import type { PushMessage, PushOrder } from './push-process.js';

const READY_WITHIN_MS = 60_000;

export interface PushGateway {
  readonly url: string;
  /** Collects garbage and answers what the process holds, in bytes. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export async function startPushGateway(order: PushOrder, logFile: string): Promise<PushGateway> {
  let onMessage: (message: PushMessage) => void = () => undefined;
  const next = (): Promise<PushMessage> => new Promise((resolve) => (onMessage = resolve));
  const told = next();
  const child = await spawnGuarded({
    command: process.execPath,
    args: [
      '--expose-gc',
      ...['--import', import.meta.resolve('tsx')],
      fileURLToPath(new URL('./push-process.ts', import.meta.url)),
      JSON.stringify(order),
    ],
    env: bareEnvironment(process.env),
    logFile,
    onMessage: (message) => {
      onMessage(message as PushMessage);
    },
  });
  const startUp = { what: 'The gateway of push', child, logFile, withinMs: READY_WITHIN_MS };
  const message = await untilReady({ ...startUp, signal: undefined }, () => told);
  if (message.type !== 'ready') {
    await child.stop(2_000);
    throw new Error(`The gateway of push did not start: ${JSON.stringify(message)}`);
  }
  return {
    url: message.url,
    memory: async () => {
      const answer = next();
      process.kill(child.pid, 'SIGUSR2');
      const read = await answer;
      return read.type === 'memory' ? read.rssBytes : Number.NaN;
    },
    stop: () => child.stop(),
  };
}

export interface Device {
  readonly socket: WebSocket;
  /** When each alert came, by its id; `performance.now()`. */
  readonly arrivals: Map<string, number[]>;
}

/** Resolves when the gateway has said hello. */
export function openDevice(url: string, ticket: string): Promise<Device> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/push?ticket=${ticket}`, {
    perMessageDeflate: false,
  });
  const arrivals = new Map<string, number[]>();
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const at = performance.now();
      const { type, id } = JSON.parse(data.toString('utf8')) as { type: string; id?: string };
      if (type === 'hello') resolve({ socket, arrivals });
      if (type !== 'notification' || id === undefined) return;
      const known = arrivals.get(id);
      if (known === undefined) arrivals.set(id, [at]);
      else known.push(at);
    });
  });
}
