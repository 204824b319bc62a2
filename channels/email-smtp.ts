/**
 * Email through a mail server. SMTP knows no keys: the Message-ID is made of the idempotency key, so
 * that a receiver can drop a repeat, and everything else that varies (date, boundary) is fixed too,
 * so that every attempt sends the same bytes (C-2).
 *
 * M-1. The socket is ours: it is destroyed when the attempt ends, however it ends (C-3).
 * M-2. Credentials leave only over TLS, but for a server on this machine.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import type { Outcome } from '../domain/alert/outcome.js';
import type { DeliveryRequest } from './channel.js';
import { unsubscribeHeaders, type EmailContent } from './email-message.js';
import { outcomeOfSmtpFault, type SmtpPhase } from './email-smtp-errors.js';
import { unsendable } from './errors.js';

export interface SmtpSender {
  /** `smtp://…` (STARTTLS) or `smtps://…`, with user and password percent-encoded. */
  readonly url: string;
  readonly from: string;
}

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS where the server offers it. */
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** Exactly one address: a list would make one destination many. */
const ADDRESS = /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/** What the URL says, or undefined where it is none. */
export function parseSmtpUrl(text: string): SmtpSettings | undefined {
  try {
    const url = new URL(text);
    const secure = url.protocol === 'smtps:';
    if ((!secure && url.protocol !== 'smtp:') || url.hostname === '') return undefined;
    const user = decodeURIComponent(url.username);
    const pass = decodeURIComponent(url.password);
    const hasLogin = user !== '';
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
      secure,
      requireTLS: !secure && hasLogin && !LOOPBACK.test(url.hostname),
      ...(hasLogin ? { auth: { user, pass } } : {}),
    };
  } catch {
    return undefined;
  }
}

export async function sendBySmtp(
  request: DeliveryRequest,
  content: EmailContent,
  sender: SmtpSender,
): Promise<Outcome> {
  const { destination, idempotencyKey, timeoutMs } = request;
  const settings = parseSmtpUrl(sender.url);
  if (settings === undefined)
    return unsendable('KAVACH_SMTP_URL is no address of the form smtp:… or smtps:…');
  if (!ADDRESS.test(destination.address)) {
    return { kind: 'permanent_recipient', reason: 'not a single email address' };
  }
  const digest = createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 40);
  const mail = mailOf(content, destination.address, sender.from, digest);
  const attempt = await attemptSmtp(settings, mail, timeoutMs);
  if (attempt.error === undefined) {
    return { kind: 'accepted', reason: 'taken by the mail server', providerId: digest };
  }
  const { user = '', pass = '' } = settings.auth ?? {};
  const secrets = [pass, user, destination.address, settings.host];
  return outcomeOfSmtpFault({ ...attempt, secrets });
}

function mailOf(content: EmailContent, address: string, from: string, digest: string) {
  const { subject, html, text, date } = content;
  const domain = /@([^\s@<>]+)>?\s*$/.exec(from)?.[1] ?? 'kavach.invalid';
  return {
    // An object, so that nothing in it is parsed as a list of addresses.
    ...{ from, to: { name: '', address }, subject, html, text },
    messageId: `<${digest}@${domain}>`,
    baseBoundary: digest,
    xMailer: false as const,
    headers: { 'Auto-Submitted': 'auto-generated', ...unsubscribeHeaders(content) },
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(date === undefined ? {} : { date: new Date(date) }),
  };
}

interface SmtpAttempt {
  /** Undefined: the server took the message. */
  readonly error: unknown;
  readonly phase: SmtpPhase;
  readonly timedOut: boolean;
}

async function attemptSmtp(
  settings: SmtpSettings,
  mail: ReturnType<typeof mailOf>,
  timeoutMs: number,
): Promise<SmtpAttempt> {
  const progress: { phase: SmtpPhase; timedOut: boolean } = {
    phase: 'connecting',
    timedOut: false,
  };
  let socket: Socket | undefined;
  const transport = createTransport({
    ...settings,
    getSocket(_options, done) {
      socket = connectTo(settings, done, () => (progress.phase = 'talking'));
    },
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    socketCloseTimeout: 0,
    transactionLog: true,
    logger: watchReplies((reply) => {
      if (reply.startsWith('354')) progress.phase = 'sending';
    }),
  });
  let deadline: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    deadline = setTimeout(() => {
      progress.timedOut = true;
      reject(new Error('timed out'));
    }, timeoutMs);
  });
  try {
    await Promise.race([transport.sendMail(mail), expired]);
    return { ...progress, error: undefined };
  } catch (error) {
    return { ...progress, error: error ?? new Error('failed') };
  } finally {
    clearTimeout(deadline);
    socket?.destroy();
  }
}

type SocketReady = (error: Error | null, options?: { readonly connection: Socket }) => void;

function connectTo({ host, port }: SmtpSettings, done: SocketReady, onConnect: () => void): Socket {
  const socket = connect({ host, port });
  // Kept for the socket's whole life: an error after the attempt's end is nobody's any more.
  socket.on('error', (error) => {
    done(error);
  });
  socket.once('connect', () => {
    onConnect();
    done(null, { connection: socket });
  });
  return socket;
}

/** The package tells its progress to a logger only. Nothing of it is written anywhere (C-4). */
function watchReplies(onReply: (reply: string) => void) {
  const ignore = (): void => undefined;
  return {
    ...{ level: ignore, trace: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore },
    debug(entry: { readonly tnx?: unknown }, text: unknown) {
      if (entry.tnx === 'server' && typeof text === 'string') onReply(text);
    },
  };
}
