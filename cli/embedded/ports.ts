/** Ports of this machine's loopback interface: free ones, and a clear word when one is taken. */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** A port somebody chose: what it is for and which setting changes it. */
export interface ChosenPort {
  readonly port: number;
  readonly what: string;
  readonly setting: string;
}

/** As many different free ports as asked for. Nothing keeps them free afterwards. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** Throws at once when the port is taken, naming the port and the setting. */
export async function refuseTakenPort({ port, what, setting }: ChosenPort): Promise<void> {
  try {
    await close(await listen(port));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const why = code === 'EADDRINUSE' ? 'is already in use' : `cannot be opened (${code})`;
    throw new Error(
      `Port ${String(port)} on ${LOOPBACK} ${why}, and ${what} needs it: ` +
        `stop what listens there, or set ${setting} to another port`,
      { cause: error },
    );
  }
}

/** Reads a port setting; undefined when it is not set. Throws on anything but 0 to 65535. */
export function readPort(env: NodeJS.ProcessEnv, setting: string): number | undefined {
  const text = env[setting];
  if (text === undefined || text === '') return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new Error(`${setting} is "${text}": expected a port, 0 to 65535`);
  return port;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
