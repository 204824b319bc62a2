/**
 * A mail server: greeting, EHLO, AUTH, MAIL, RCPT, DATA over a real socket. Like the sink it
 * remembers what it was told and misbehaves as it is told.
 *
 * MS-1. A message is taken when its end was read, whatever the sender gets to see of that.
 * MS-2. Scripts are used up in order, one step a session.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Where a session is: a command, the greeting, or `message`: after the final dot. */
export type SmtpStage = 'greeting' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'data' | 'message';

export type SmtpStep = {
  readonly at: SmtpStage;
} & (
  | { readonly reply: string }
  /** Silence, a cut connection, one byte at a time, or an answer without an end. */
  | { readonly fault: 'hang' | 'cut' | 'drip' | 'flood' }
);

export interface SmtpOptions {
  /** Asked for before MAIL. */
  readonly login?: { readonly user: string; readonly pass: string };
}

export interface SmtpSession {
  readonly loggedIn: boolean;
  readonly from?: string;
  readonly to: readonly string[];
  /** The message as it came, without its final dot. */
  readonly data?: string;
  readonly taken: boolean;
}

export interface Smtp {
  readonly port: number;
  readonly sessions: readonly SmtpSession[];
  script(steps: readonly SmtpStep[]): void;
  /** Sockets that are open at the moment. */
  open(): number;
  clear(): void;
  stop(): Promise<void>;
}

type Session = { -readonly [Key in keyof SmtpSession]: SmtpSession[Key] } & { to: string[] };

export async function startSmtp(options: SmtpOptions = {}): Promise<Smtp> {
  const sessions: Session[] = [];
  let steps: SmtpStep[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A sender that gave up is no fault of the server's.
    socket.on('error', () => socket.destroy());
    const session: Session = { loggedIn: false, to: [], taken: false };
    sessions.push(session);
    serve(socket, session, steps.shift(), options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    script: (more) => void steps.push(...more),
    open: () => sockets.size,
    clear() {
      sessions.length = 0;
      steps = [];
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function serve(
  socket: Socket,
  session: Session,
  step: SmtpStep | undefined,
  options: SmtpOptions,
): void {
  let pending = '';
  let inData = false;
  /** `usual` is what a server in good health says at this stage; answers whether it was said. */
  const say = (stage: SmtpStage, usual: string): boolean => {
    if (step?.at !== stage) return write(socket, usual);
    if ('fault' in step) return misbehave(socket, step.fault, usual);
    write(socket, step.reply);
    return step.reply.charAt(0) === usual.charAt(0);
  };
  const takeMessage = (end: number): void => {
    session.data = pending.slice(0, end);
    pending = pending.slice(end + 5);
    inData = false;
    session.taken = step?.at !== 'message' || !('reply' in step) || step.reply.startsWith('2');
    say('message', '250 2.0.0 Ok: queued as FAKE');
  };
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    for (;;) {
      const end = pending.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      if (inData) {
        takeMessage(end);
        continue;
      }
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      inData = command(line, session, say, options) === 'data';
      if (/^QUIT$/i.test(line)) socket.end('221 2.0.0 Bye\r\n');
    }
  });
  say('greeting', '220 mail.example.com ESMTP');
}

function command(
  line: string,
  session: Session,
  say: (stage: SmtpStage, usual: string) => boolean,
  { login }: SmtpOptions,
): 'data' | undefined {
  const word = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
  const argument = /<([^>]*)>/.exec(line)?.[1];
  if (word === 'EHLO' || word === 'HELO') {
    say('ehlo', `250-mail.example.com\r\n250-8BITMIME\r\n250 ${login ? 'AUTH PLAIN' : 'HELP'}`);
  } else if (word === 'AUTH') {
    session.loggedIn = isLogin(line, login);
    say('auth', session.loggedIn ? '235 2.7.0 Accepted' : '535 5.7.8 Bad credentials');
  } else if (word === 'MAIL') {
    if (argument !== undefined) session.from = argument;
    const isAllowed = login === undefined || session.loggedIn;
    say('mail', isAllowed ? '250 2.1.0 Ok' : '530 5.7.0 Authentication required');
  } else if (word === 'RCPT') {
    if (say('rcpt', '250 2.1.5 Ok') && argument !== undefined) session.to.push(argument);
  } else if (word === 'DATA') {
    return say('data', '354 End data with <CR><LF>.<CR><LF>') ? 'data' : undefined;
  } else if (word !== 'QUIT') {
    say('ehlo', '500 5.5.1 Unknown command');
  }
  return undefined;
}

function isLogin(line: string, login: SmtpOptions['login']): boolean {
  const [, user, pass] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    .toString('utf8')
    .split('\0');
  return login !== undefined && user === login.user && pass === login.pass;
}

function write(socket: Socket, reply: string): boolean {
  socket.write(`${reply}\r\n`);
  return true;
}

function misbehave(
  socket: Socket,
  fault: 'hang' | 'cut' | 'drip' | 'flood',
  usual: string,
): boolean {
  if (fault === 'cut') socket.destroy();
  if (fault === 'drip') drip(socket, usual);
  if (fault === 'flood') flood(socket, usual);
  return false;
}

function drip(socket: Socket, usual: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    // A reply without an end in sight: only the sender's own time-out ends it.
    socket.write(usual.charAt(sent) || ' ');
    sent += 1;
  }, 20);
  socket.once('close', () => {
    clearInterval(timer);
  });
}

/** Lines of one reply, for ever. */
function flood(socket: Socket, usual: string): void {
  const line = `${usual.slice(0, 3)}-${'x'.repeat(1_000)}\r\n`.repeat(64);
  const pour = (): void => {
    while (!socket.destroyed) if (!socket.write(line)) return void socket.once('drain', pour);
  };
  pour();
}
