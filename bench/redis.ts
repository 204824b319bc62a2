/**
 * A Redis of the bench's own, and the few words of its protocol (RESP2) that a check in Lua needs.
 * On loopback, without persistence: as fast as it can be.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_WITHIN_MS = 10_000;

export interface Redis {
  /** One command; answers are numbers, strings or null. Rejects with what Redis says. */
  send(...words: readonly (string | number)[]): Promise<number | string | null>;
  close(): Promise<void>;
}

/** `REDIS_SERVER_PATH`, else on PATH; throws a sentence that says how to get one. */
export async function startRedis(env: NodeJS.ProcessEnv): Promise<Redis> {
  const program = findProgram(env);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'kavach-redis-'));
  const child = spawn(
    program,
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--loglevel', 'warning'],
    ],
    { stdio: 'ignore' },
  );
  const end = async (): Promise<void> => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const socket = await reach(port);
    const send = speak(socket);
    return {
      send,
      close: async () => {
        socket.destroy();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function findProgram(env: NodeJS.ProcessEnv): string {
  const named = env['REDIS_SERVER_PATH'];
  if (named !== undefined && named !== '') return named;
  const found = (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'There is no redis-server to compare with: install it (Debian: apt-get install redis-server), ' +
      'or name it by REDIS_SERVER_PATH.',
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reach(port: number): Promise<Socket> {
  const until = performance.now() + START_WITHIN_MS;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        socket.once('connect', () => {
          resolve(socket);
        });
        socket.once('error', reject);
      });
    } catch (error) {
      if (performance.now() > until) throw error;
      await delay(20);
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Commands are answered in order; an answer of one line or one bulk string is all that is asked. */
function speak(socket: Socket): Redis['send'] {
  const waiting: {
    resolve: (answer: number | string | null) => void;
    reject: (error: Error) => void;
  }[] = [];
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (;;) {
      const read = readAnswer(text);
      if (read === undefined) return;
      text = text.slice(read.length);
      const next = waiting.shift();
      if (read.error !== undefined) next?.reject(new Error(`Redis: ${read.error}`));
      else next?.resolve(read.value);
    }
  });
  const fail = (): void => {
    for (const { reject } of waiting.splice(0)) reject(new Error('Redis went away'));
  };
  socket.on('error', fail);
  socket.on('close', fail);
  return (...words) => {
    const parts = words.map((word) => {
      const one = String(word);
      return `$${String(Buffer.byteLength(one))}\r\n${one}\r\n`;
    });
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      socket.write(`*${String(words.length)}\r\n${parts.join('')}`);
    });
  };
}

interface ReadAnswer {
  readonly length: number;
  readonly value: number | string | null;
  readonly error?: string;
}

/** Undefined: it is not all there yet. Ours are ASCII, so that characters are bytes. */
function readAnswer(text: string): ReadAnswer | undefined {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const line = text.slice(1, end);
  const length = end + 2;
  switch (text.charAt(0)) {
    case ':':
      return { length, value: Number(line) };
    case '-':
      return { length, value: null, error: line };
    case '$': {
      if (line === '-1') return { length, value: null };
      const whole = length + Number(line) + 2;
      return text.length < whole
        ? undefined
        : { length: whole, value: text.slice(length, whole - 2) };
    }
    default:
      return { length, value: line };
  }
}
